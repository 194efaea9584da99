"""Where a connection leads: no transaction spans two databases, and a search_path may miss River's tables.

A server is known by the moment when it started, to the microsecond: what connections say
of themselves differs where a pooler or another name of the host is in between.
"""

from __future__ import annotations

import msgspec

from ferryman.errors import Unsupported
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.steps import Query, Verb

__all__ = ["Place", "place", "refuse"]


class Place(msgspec.Struct, frozen=True):
    """What a connection sees: the server, the database, and the jobs' table there, if it finds one."""

    started: str
    database: str
    table: int | None


def place() -> Verb[Place]:
    """Find out where a connection leads."""
    ((started, database, table),) = yield Query("place")
    return Place(started, database, table)


def refuse(theirs: Place, ours: Place, location: Location) -> None:
    """Raise Unsupported for a caller's connection that leads elsewhere."""
    if (theirs.started, theirs.database) != (ours.started, ours.database):
        server = "" if theirs.started == ours.started else " of another server"
        raise Unsupported(
            f"tx is a transaction on the database {theirs.database}{server} and jobs are kept in {location}: one "
            "cannot span both. Keep jobs in your own database, or enqueue after your commit."
        )
    if theirs.table != ours.table:
        finds = "no river_job" if theirs.table is None else "another river_job"
        raise Unsupported(
            f"tx finds {finds} along its search_path, since the URL of the jobs does not say where it is. "
            "Say it there: ?schema=public"
        )
