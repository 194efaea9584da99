# Generated from src/ferryman/storage/river/postgres/_async/listening.py by tools/unasync.py: change that file and run `make sync`.
"""Hears what is told on Postgres: jobs that came, cancellations, leaders that step down."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection

from ferryman.storage.river.postgres._sync.runner import run
from ferryman.storage.river.postgres.failures import translated
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.verbs.notices import TOPICS, listened_to, notices_in
from ferryman.storage.values import HowWoken, JobsAvailable, Notice

__all__ = ["notices"]

_SILENCE = 5.0
"""Seconds without a word after which we ask whether the connection still is one (spec/river.md 8.3)."""


def notices(location: Location) -> Iterator[Notice]:
    """Give notices as they come, over a connection of their own."""
    with translated(location):
        with Connection.connect(location.url, autocommit=True) as connection:
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


def _listen(connection: Connection, prefix: str) -> None:
    for topic in TOPICS:
        connection.execute(f'listen "{prefix}{topic}"'.encode())
