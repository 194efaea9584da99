"""What a Postgres server says of itself and of River's tables: asked question by question.

A server may forbid one of them, or take too long over it: then the others still have
their answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from ferryman.errors import Forbidden, StorageError
from ferryman.facts import NOT_PERMITTED, Fact, Unit, unknown
from ferryman.storage.river.steps import OutOfTime, Query, Script, Verb
from ferryman.storage.river.times import parse_time
from ferryman.storage.river.verbs import facts

__all__ = ["QUESTIONS", "Question"]


class Question(msgspec.Struct, frozen=True):
    """What is asked at a time, in a transaction of its own, and which facts the answer holds."""

    topic: str
    names: Sequence[str]
    ask: Callable[[], Verb[list[Fact]]]
    seconds: float = 2.0
    """How long the answer may take."""

    def asked(self) -> Verb[list[Fact]]:
        """Ask."""
        yield Script([f"set local statement_timeout = {self.seconds * 1000:.0f}"])
        return (yield from self.ask())

    def unanswered(self, error: StorageError) -> list[Fact]:
        """Return the facts without an answer.  Raises the error where it is no reason to go on."""
        match error:
            case Forbidden():
                why = NOT_PERMITTED
            case OutOfTime():
                why = "it took too long to read"
            case _:
                raise error
        return [unknown(self.topic, name, why) for name in self.names]


def _server() -> Verb[list[Fact]]:
    ((version, schema, uptime),) = yield Query("about_server")
    return [
        Fact("server", "version", f"PostgreSQL {version}"),
        Fact("server", "schema", schema),
        Fact("server", "uptime", uptime, Unit.SECONDS),
    ]


def _size() -> Verb[list[Fact]]:
    ((size,),) = yield Query("database_size")
    return [Fact("server", "database", size, Unit.BYTES)]


def _connections() -> Verb[list[Fact]]:
    ((there, most),) = yield Query("connections")
    return [Fact("connections", "connections", there, most=most)]


def _oldest() -> Verb[list[Fact]]:
    ((seconds, some_hidden),) = yield Query("oldest_open")
    if some_hidden:
        return [unknown("connections", "oldest transaction")]
    if seconds is None:
        return [unknown("connections", "oldest transaction", "none is open")]
    return [Fact("connections", "oldest transaction", seconds, Unit.SECONDS)]


def _notifications() -> Verb[list[Fact]]:
    ((used,),) = yield Query("notification_queue")
    return [Fact("connections", "notification queue", used, Unit.SHARE)]


def _tables() -> Verb[list[Fact]]:
    found = yield Query("tables")
    return [fact for row in found for fact in _table(*row)]


def _table(
    of: str, rows: int, dead: int, size: int, indexes: int, vacuumed: str | None, analyzed: str | None
) -> list[Fact]:
    def looked_after(name: str, text: str | None) -> Fact:
        at = parse_time(text)
        return Fact("tables", name, at, of=of) if at else unknown("tables", name, "never yet", of=of)

    return [
        Fact("tables", "size", size, Unit.BYTES, of=of),
        Fact("tables", "indexes", indexes, Unit.BYTES, of=of),
        Fact("tables", "live rows", rows, of=of),
        Fact("tables", "dead rows", dead, of=of),
        looked_after("last vacuum", vacuumed),
        looked_after("last analyze", analyzed),
    ]


QUESTIONS = (
    Question("server", ("version", "schema", "uptime"), _server),
    Question("server", ("database",), _size),
    Question("server", ("leader",), facts.leader),
    Question("connections", ("connections",), _connections),
    Question("connections", ("oldest transaction",), _oldest),
    Question("connections", ("notification queue",), _notifications),
    Question("tables", ("size",), _tables),
    Question("migrations", ("applied",), lambda: facts.migrations("postgres")),
)
