"""The storages that a dashboard shows, each with what was last seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.errors import ConfigError
from ferryman.named import check_name
from ferryman.redaction import Redaction, without_password
from ferryman.web.bulks import Bulks
from ferryman.web.collector import Collector
from ferryman.web.sharing import Shared

if TYPE_CHECKING:
    from ferryman.app import Ferryman

__all__ = ["Place", "places"]

_ASYNQ = "asynq on Redis"
_FORMATS = {
    "redis": _ASYNQ,
    "rediss": _ASYNQ,
    "redis-socket": _ASYNQ,
    "redis-sentinel": _ASYNQ,
    "unix": _ASYNQ,
    "sqlite": "River on SQLite",
}


@dataclass(frozen=True)
class Place:
    """One storage.  `name` stands in addresses."""

    name: str
    jobs: Ferryman
    collector: Collector
    bulks: Bulks
    reads: Shared
    history: Shared
    """What was counted, which nothing that is done here changes."""

    @property
    def admin(self) -> AsyncAdmin:
        """Looks at everything, acts on anything."""
        return self.jobs.admin

    @property
    def redaction(self) -> Redaction:
        """What is hidden of its jobs."""
        return self.jobs.redaction

    @property
    def location(self) -> str:
        """Where it is, without a password."""
        return without_password(self.jobs.settings.url)

    @property
    def format(self) -> str:
        """Whose format it keeps, and where."""
        scheme = self.location.partition(":")[0]
        return _FORMATS.get(scheme.partition("+")[0], "River on Postgres")

    @property
    def asynq(self) -> bool:
        """Whether ids are unique within their queue only, and words are asynq's."""
        return self.format == _ASYNQ

    async def changed(self) -> None:
        """Look again: something was changed from here."""
        self.reads.anew()
        await self.collector.anew()

    async def close(self) -> None:
        """Stop what runs for it."""
        await self.bulks.close()
        await self.reads.close()
        await self.history.close()
        await self.collector.close()


def places(storages: Ferryman | Mapping[str, Ferryman], *, production: bool) -> dict[str, Place]:
    """Return the storages by name; one alone is called main.  Raises ConfigError for a name unfit for addresses."""
    named = storages if isinstance(storages, Mapping) else {"main": storages}
    if not named:
        raise ConfigError(
            "A dashboard needs a storage: Dashboard(jobs), or Dashboard({'main': jobs, 'billing': other})."
        )
    for name in named:
        check_name(name, "A storage of a dashboard")
    return {name: _place(name, jobs, production) for name, jobs in named.items()}


def _place(name: str, jobs: Ferryman, production: bool) -> Place:
    admin = jobs.admin
    collector = Collector(admin, production=production)
    return Place(name, jobs, collector, Bulks(admin.bulk), Shared(), Shared())
