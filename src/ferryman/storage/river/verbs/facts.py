"""What River's tables say of themselves, whatever database keeps them: who leads, and how far they are migrated."""

from __future__ import annotations

from ferryman.errors import SchemaOutOfDate
from ferryman.facts import Fact, unknown
from ferryman.storage.river.steps import Verb
from ferryman.storage.river.verbs import leaders, schema

__all__ = ["leader", "migrations"]


def leader() -> Verb[list[Fact]]:
    """Return who does the chores for all."""
    try:
        who = yield from leaders.current(now=None)
    except SchemaOutOfDate:
        return [unknown("server", "leader", "the tables are not there")]
    return [Fact("server", "leader", who) if who else unknown("server", "leader", "nobody leads")]


def migrations(dialect: str) -> Verb[list[Fact]]:
    """Return how far each line is applied, and how far this version of ferryman knows it."""
    lines = yield from schema.status(dialect)
    return [
        Fact("migrations", name, version, of=each.line)
        for each in lines
        for name, version in (("applied", each.version), ("known here", each.latest))
    ]
