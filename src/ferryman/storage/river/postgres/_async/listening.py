"""Hears what is told on Postgres: jobs that came, cancellations, leaders that step down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

from psycopg import AsyncConnection

from ferryman.findings import Finding, failed, passed
from ferryman.storage.river.postgres._async.runner import async_is_direct, async_run
from ferryman.storage.river.postgres.abilities import ASK, remember
from ferryman.storage.river.postgres.failures import translated
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.verbs.notices import TOPICS, listened_to, notices_in
from ferryman.storage.values import HowWoken, JobsAvailable, Notice

__all__ = ["async_notices", "async_pooling"]

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


async def async_notices(location: Location) -> AsyncIterator[Notice]:
    """Give notices as they come, over a connection of their own."""
    with translated(location):
        async with await AsyncConnection.connect(location.url, autocommit=True, prepare_threshold=None) as connection:
            notifies = remember(location, await (await connection.execute(ASK)).fetchone()).notifies
            if not notifies or not await _is_heard(connection, location):
                yield JobsAvailable()
                yield HowWoken("polling", _UNHEARD if notifies else _SILENT)
                await asyncio.sleep(_AGAIN)
                return
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


async def async_pooling(location: Location) -> Finding:
    """Judge what stands between us and the server (spec/cli.md 4.6, P-POOL)."""
    async with await AsyncConnection.connect(location.url, autocommit=True, prepare_threshold=None) as connection:
        if await _is_heard(connection, location):
            return passed("P-POOL", "LISTEN is heard")
    return failed("P-POOL", _UNHEARD)


async def _is_heard(connection: AsyncConnection, location: Location) -> bool:
    """Say whether what is told arrives here.  Where nobody stands between us and the server, it does."""
    if await async_is_direct(connection):
        return True
    channel = f"ferryman_{uuid4().hex}"
    await connection.execute(f'listen "{channel}"'.encode())
    async with await AsyncConnection.connect(location.url, autocommit=True) as other:
        await other.execute("select pg_notify(%s, '')", [channel])
        heard = [said async for said in connection.notifies(timeout=_ECHO, stop_after=1)]
    await connection.execute(f'unlisten "{channel}"'.encode())
    return bool(heard)


async def _listen(connection: AsyncConnection, prefix: str) -> None:
    # All in one: who can see that we listen to one of them may count on the others.
    await connection.execute("; ".join(f'listen "{prefix}{topic}"' for topic in TOPICS).encode())
