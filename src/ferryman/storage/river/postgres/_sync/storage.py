# Generated from src/ferryman/storage/river/postgres/_async/storage.py by tools/unasync.py: change that file and run `make sync`.
"""River's format on Postgres: the parts of the seam, over a few connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ferryman.errors import StorageError
from ferryman.facts import Fact
from ferryman.findings import Finding, Level
from ferryman.storage.river._sync.jobs import RiverJobs
from ferryman.storage.river._sync.notebook import RiverNotebook
from ferryman.storage.river._sync.parts import (
    RiverLeaders,
    RiverQueues,
    RiverSchema,
    RiverWorkers,
)
from ferryman.storage.river._sync.runner import Runner
from ferryman.storage.river._sync.within import RiverWithin
from ferryman.storage.river.postgres import checks
from ferryman.storage.river.postgres._sync.listening import notices, pooling
from ferryman.storage.river.postgres._sync.runner import PostgresRunner
from ferryman.storage.river.postgres.facts import QUESTIONS, Question
from ferryman.storage.river.postgres.failures import translated
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.postgres.way import way
from ferryman.storage.river.rules import check_queue
from ferryman.storage.river.verbs import health, leaders
from ferryman.storage.river.verbs.insert import NoticeLimiter
from ferryman.storage.values import Feature, Notice, Retention, Wording
from ferryman.storage.way import Step, taken

if TYPE_CHECKING:
    from ferryman.storage.river.postgres._sync import storage as blocking

__all__ = ["PostgresStorage"]

_CONNECTIONS = 5
"""At most, beside the one that listens: River's tools expect a client to be modest."""


class PostgresStorage:
    """Jobs in a Postgres database."""

    format = "River's format on Postgres"
    features = frozenset(Feature) - {Feature.ARGUMENTS}
    groups = None
    semaphores = None
    fetches_ahead = False
    fetch_promotes = False
    wording = Wording(
        rescued="Stuck job rescued by JobRescuer",
        unknown_kind="job kind is not registered in the client's Workers bundle: {kind}",
    )

    def __init__(self, location: Location, *, connections: int = _CONNECTIONS) -> None:
        self.where = location
        self.location = str(location)
        self._runner = PostgresRunner(location, connections=connections)
        # Every insert tells: a notice that is held back would leave its job to the next poll.
        self._limiter = NoticeLimiter(seconds=0)
        self.jobs = RiverJobs(self._runner, self._runner, _tell, self._limiter, self.features)
        self.queues = RiverQueues(self._runner, self._runner, _tell)
        self.workers = RiverWorkers(self._runner, self._runner)
        self.leaders = RiverLeaders(self._runner, _tell)
        self.notices = PostgresNotices(self._runner, location)
        self.schema = RiverSchema(self._runner, "postgres", location.schema)
        self.notebook = RiverNotebook(self._runner, self._runner)
        self.health = PostgresHealth(self._runner, location)

    def within(self, tx: Any) -> RiverWithin:
        """Return what can take part in the caller's own transaction."""
        return RiverWithin(self._runner, tx, self._limiter, self.features)

    def twin(self) -> blocking.PostgresStorage:
        """Return the same storage for code that blocks, over connections of its own."""
        from ferryman.storage.river.postgres._sync import storage as blocking

        return blocking.PostgresStorage(self.where)

    def __enter__(self) -> Self:
        """Connect.  Raises StorageUnavailable, and SchemaOutOfDate for tables that do not fit."""
        try:
            self.schema.check()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._runner.close()


class PostgresNotices:
    """What others say, over a connection of its own."""

    def __init__(self, runner: Runner, location: Location) -> None:
        self._runner = runner
        self._location = location

    def listen(self) -> Iterator[Notice]:
        return notices(self._location)

    def prune(self, *, now: datetime | None = None) -> int:
        """Do nothing: Postgres keeps no notices."""
        return 0

    def request_resign(self) -> None:
        self._runner.write(leaders.request_resign())


class PostgresHealth:
    """How River's tables are."""

    def __init__(self, runner: Runner, location: Location) -> None:
        self._runner = runner
        self._location = location

    def check_queue(self, name: str) -> None:
        check_queue(name)

    def way(self) -> Sequence[Step]:
        return taken(partial(way, self._location))

    def check(self, *, production: bool, keep: Retention | None = None, now: datetime | None = None) -> list[Finding]:
        tables = self._runner.read(health.check("postgres", now=now))
        if any(found.level is Level.ERROR for found in tables):
            return tables  # without the right tables nothing else that is found can be mended
        judged = self._runner.read(checks.check(now or datetime.now(UTC), keep or Retention(), self._location.schema))
        return [*tables, *judged, self._pooling()]

    def facts(self) -> list[Fact]:
        return [fact for each in QUESTIONS for fact in self._answered(each)]

    def _answered(self, question: Question) -> list[Fact]:
        try:
            return self._runner.write(question.asked())
        except StorageError as error:
            return question.unanswered(error)

    def _pooling(self) -> Finding:
        with translated(self._location):
            return pooling(self._location)


def _tell(*notices: Notice) -> None:
    """Do nothing: the server itself tells everybody, this process included."""
