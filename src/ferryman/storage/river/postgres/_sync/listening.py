# Generated from src/ferryman/storage/river/postgres/_async/listening.py by tools/unasync.py: change that file and run `make sync`.
"""Hears what is told on Postgres: jobs that came, cancellations, leaders that step down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from uuid import uuid4

from psycopg import Connection

from ferryman.findings import Finding, failed, passed
from ferryman.storage.river.postgres._sync.runner import is_direct, run
from ferryman.storage.river.postgres.abilities import ASK, remember
from ferryman.storage.river.postgres.failures import translated
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.verbs.notices import TOPICS, listened_to, notices_in
from ferryman.storage.values import HowWoken, JobsAvailable, Notice

__all__ = ["notices", "pooling"]

_SILENCE = 5.0
"""Seconds without a word after which we ask whether the connection still is one (spec/river.md 8.3)."""


_ECHO = 1.0
"""Seconds in which what we tell ourselves has to arrive."""

_AGAIN = 60.0
"""Seconds after which we try again, where nothing is heard."""

_SILENT = "This server has no LISTEN and NOTIFY."

_UNHEARD = (
    "LISTEN is not heard through the proxy in front of this server, which gives each transaction another connection: "
    "new jobs are found by polling. Give workers the server's own address, or a pool in session mode"
)


def notices(location: Location) -> Iterator[Notice]:
    """Give notices as they come, over a connection of their own."""
    with translated(location):
        with Connection.connect(location.url, autocommit=True, prepare_threshold=None) as connection:
            notifies = remember(location, (connection.execute(ASK)).fetchone()).notifies
            if not notifies or not _is_heard(connection, location):
                yield JobsAvailable()
                yield HowWoken("polling", _UNHEARD if notifies else _SILENT)
                time.sleep(_AGAIN)
                return
            prefix = f"{run(connection, listened_to(), location)}."
            _listen(connection, prefix)
            yield JobsAvailable()
            yield HowWoken("LISTEN")
            while True:
                for said in connection.notifies(timeout=_SILENCE):
                    for notice in notices_in(said.channel.removeprefix(prefix), said.payload):
                        yield notice
                # Listening twice changes nothing, and is the one statement that this connection ever runs.
                _listen(connection, prefix)


def pooling(location: Location) -> Finding:
    """Judge what stands between us and the server (spec/cli.md 4.6, P-POOL)."""
    with Connection.connect(location.url, autocommit=True, prepare_threshold=None) as connection:
        if _is_heard(connection, location):
            return passed("P-POOL", "LISTEN is heard")
    return failed("P-POOL", _UNHEARD)


def _is_heard(connection: Connection, location: Location) -> bool:
    """Say whether what is told arrives here.  Where nobody stands between us and the server, it does."""
    if is_direct(connection):
        return True
    channel = f"ferryman_{uuid4().hex}"
    connection.execute(f'listen "{channel}"'.encode())
    with Connection.connect(location.url, autocommit=True) as other:
        other.execute("select pg_notify(%s, '')", [channel])
        heard = [said for said in connection.notifies(timeout=_ECHO, stop_after=1)]
    connection.execute(f'unlisten "{channel}"'.encode())
    return bool(heard)


def _listen(connection: Connection, prefix: str) -> None:
    # All in one: who can see that we listen to one of them may count on the others.
    connection.execute("; ".join(f'listen "{prefix}{topic}"' for topic in TOPICS).encode())
