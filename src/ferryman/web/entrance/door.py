"""What every request has to pass before it is answered, in this order (spec/dashboard.md 3.5).

The right host, nothing to change where nothing may be changed, somebody we know, a page
of our own that asks, a role that is enough, and not too often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.requests import Request

from ferryman.web.entrance.access import Access, Level, require, require_changes
from ferryman.web.entrance.limits import Limit
from ferryman.web.entrance.logins import Way, name_with_password
from ferryman.web.entrance.origins import require_own_page
from ferryman.web.entrance.proxies import Proxies
from ferryman.web.refusals import Refusal

__all__ = ["Door", "Needs"]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Needs:
    """What a route asks of whoever comes: a level, and whether it changes what is stored."""

    level: Level
    changes: bool = False


@dataclass
class Door:
    """Lets requests in or refuses them."""

    way: Way
    proxies: Proxies
    hosts: Sequence[str] = ()
    """The hosts that we answer to, one without a port at any port; without any, all of them."""
    _changes: Limit = field(default_factory=lambda: Limit(60, "changes"))
    _logins: Limit = field(default_factory=lambda: Limit(5, "tries to log in"))

    async def admit(self, request: Request, needs: Needs, *, read_only: bool) -> Access:
        """Return who this is.  Raises Refusal."""
        self.require_host(request)
        if needs.changes:
            require_changes(read_only)
        access = await self._whose(request)
        if access is None:
            raise self._unknown(request)
        if request.method not in _SAFE:
            require_own_page(request, self.proxies)
        require(needs.level, access)
        if needs.changes:
            self._changes.take(access.name or self.proxies.client(request))
        return access

    async def log_in(self, request: Request, name: str, secret: str) -> tuple[Access, str]:
        """Return who has logged in, and their cookie.  Raises Refusal."""
        self.require_host(request)
        require_own_page(request, self.proxies)
        self._logins.take(self._tries(request, name))
        entered = await self.way.enter(name, secret)
        if entered is None:
            raise Refusal(401, "wrong_login", "That is not a name and a password, or a token, that is known here.")
        return entered

    async def _whose(self, request: Request) -> Access | None:
        """Return who this is; passwords cannot be tried out in a header more often than in the form."""
        name = name_with_password(request) if self.way.form else None
        if name is None:
            return await self.way.access(request)
        tries = self._tries(request, name)
        self._logins.take(tries)
        access = await self.way.access(request)
        if access is not None:
            self._logins.give_back(tries)
        return access

    def _tries(self, request: Request, name: str) -> str:
        return f"{self.proxies.client(request)} {name}"

    def require_host(self, request: Request) -> None:
        """Raise Refusal when this is asked under a name that is not ours: a page elsewhere may have rebound it."""
        host = self.proxies.host(request)
        if self.hosts and not {host, host.rpartition(":")[0]} & set(self.hosts):
            raise Refusal(
                421,
                "wrong_host",
                f"The dashboard does not answer to the host {host[:100]!r}.",
                hint=f"It answers to {', '.join(self.hosts)}; --allowed-host adds another.",
            )

    def _unknown(self, request: Request) -> Refusal:
        if self.way.form:
            headers = {"WWW-Authenticate": "Bearer"}
            return Refusal(401, "login", "Log in to see this.", headers=headers)
        return Refusal(403, "closed", self.way.closed)
