"""Hears what is told on Postgres: jobs that came, cancellations, leaders that step down."""

from __future__ import annotations

from collections.abc import AsyncIterator

from psycopg import AsyncConnection

from ferryman.storage.river.postgres._async.runner import async_run
from ferryman.storage.river.postgres.failures import translated
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.verbs.notices import TOPICS, listened_to, notices_in
from ferryman.storage.values import HowWoken, JobsAvailable, Notice

__all__ = ["async_notices"]

_SILENCE = 5.0
"""Seconds without a word after which we ask whether the connection still is one (spec/river.md 8.3)."""


async def async_notices(location: Location) -> AsyncIterator[Notice]:
    """Give notices as they come, over a connection of their own."""
    with translated(location):
        async with await AsyncConnection.connect(location.url, autocommit=True) as connection:
            prefix = f"{await async_run(connection, listened_to(), location)}."
            await _listen(connection, prefix)
            yield JobsAvailable()
            yield HowWoken("LISTEN")
            while True:
                async for said in connection.notifies(timeout=_SILENCE):
                    for notice in notices_in(said.channel.removeprefix(prefix), said.payload):
                        yield notice
                # Listening twice changes nothing, and is the one statement that this connection ever runs.
                await _listen(connection, prefix)


async def _listen(connection: AsyncConnection, prefix: str) -> None:
    for topic in TOPICS:
        await connection.execute(f'listen "{prefix}{topic}"'.encode())
