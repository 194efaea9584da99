"""What a server cannot do that Postgres can: YugabyteDB may have no LISTEN and NOTIFY, and has no xmax.

It is asked once, in words that a schema before pg_catalog may answer in its place: so
River's harness plays such a server (spec/river-conformance.md 2.12).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ferryman.storage.river.postgres.location import Location

__all__ = ["ASK", "POSTGRES", "Abilities", "abilities", "remember"]

ASK = "select version(), current_setting('yb_enable_listen_notify', true)"
_ON = ("on", "true", "1", "yes")


class Abilities(msgspec.Struct, frozen=True):
    """What a server can do beside SQL."""

    notifies: bool = True
    """Whether it has LISTEN and NOTIFY."""
    knows_updated_rows: bool = True
    """Whether River's own clients see which row an insert updated; else they look for a mark in unique jobs."""


POSTGRES = Abilities()
_known: dict[Location, Abilities] = {}


def remember(location: Location, answer: Any) -> Abilities:
    """Keep what a server said of itself."""
    version, notifies = answer
    yugabyte = "-YB-" in version
    found = Abilities(not yugabyte or str(notifies).lower() in _ON, not yugabyte)
    _known[location] = found
    return found


def abilities(location: Location) -> Abilities:
    """Return what is known of a server: Postgres can do everything."""
    return _known.get(location, POSTGRES)
