"""Listens to Redis for notices: `Ears` for code that blocks, `AsyncEars` for the event loop.

They open connections of their own, one to each node that keeps a queue, and close them
at the end.  When a connection is lost, listening ends with StorageUnavailable; whoever
listens begins anew.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError, ResponseError

from ferryman.storage.asynq.connections import REPLY_SECONDS
from ferryman.storage.asynq.failures import translate
from ferryman.storage.asynq.keys import CANCEL
from ferryman.storage.asynq.server import AsyncServer, Server
from ferryman.storage.asynq.verbs.queues import known_queues
from ferryman.storage.asynq.wakeup import Appetite, Line, how_woken, keys_of
from ferryman.storage.values import Notice

__all__ = ["AsyncEars", "Ears"]

Inbox = asyncio.Queue[Notice | Exception | None]
"""Notices, what went wrong, and None when this program is hungry."""

_LOOK = 0.05


@dataclass(frozen=True)
class _Call:
    """A line, the connection of redis-py that carries it, and the task that hears what comes."""

    connection: Any
    line: Line
    hearing: asyncio.Task[None] | None = None


class AsyncEars:
    """Notices for an event loop."""

    def __init__(self, server: AsyncServer, appetite: Appetite) -> None:
        self._server = server
        self._appetite = appetite

    async def notices(self) -> AsyncGenerator[Notice]:
        """Give notices as they come; of all queues, until this program has asked some for jobs."""
        inbox: Inbox = asyncio.Queue()
        inbox.put_nowait(None)
        stop = self._appetite.watch(lambda: inbox.put_nowait(None))
        calls: list[_Call] = []
        try:
            queues = list(self._appetite.queues) or await self._server.run(known_queues())
            calls = await self._open(queues, inbox)
            for notice in how_woken(call.line for call in calls):
                yield notice
            while True:
                said = await inbox.get()
                if isinstance(said, Exception):
                    raise said
                if said is not None:
                    yield said
                    continue
                if _other_queues(self._appetite, queues):
                    # The new before the old ends, so that no cancellation falls in between.
                    queues, before = list(self._appetite.queues), calls
                    calls = await self._open(queues, inbox)
                    await self._close(before)
                await self._arm(calls)
        except (RedisError, OSError) as error:
            raise translate(error, str(self._server.address)) from error
        finally:
            stop()
            await self._close(calls)

    async def _open(self, queues: Sequence[str], inbox: Inbox) -> list[_Call]:
        names = keys_of(queues)
        calls: list[_Call] = []
        try:
            for connection, keys in await self._server.connections([CANCEL, *names]):
                line = Line(keys, names)
                calls.append(_Call(connection, line))
                await _greet_async(connection, line)
                calls[-1] = _Call(connection, line, asyncio.create_task(self._hear(connection, line, inbox)))
        except BaseException:
            await self._close(calls)
            raise
        return calls

    async def _arm(self, calls: Sequence[_Call]) -> None:
        for call in calls:
            if words := call.line.arm():
                packed = call.connection.pack_commands(words)
                await call.connection.send_packed_command(packed, check_health=False)

    async def _hear(self, connection: Any, line: Line, inbox: Inbox) -> None:
        try:
            while True:
                try:
                    # Without this timeout redis-py's own would end the wait.
                    said = await connection.read_response(timeout=math.inf, push_request=True)
                except ResponseError as error:
                    said = _no_reason(error)
                if (notice := line.hear(said)) is not None:
                    inbox.put_nowait(notice)
        except Exception as error:
            inbox.put_nowait(error)

    async def _close(self, calls: Sequence[_Call]) -> None:
        tasks = [call.hearing for call in calls if call.hearing is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for call in calls:
            await call.connection.disconnect(nowait=True)


class Ears:
    """Notices for code that blocks."""

    def __init__(self, server: Server, appetite: Appetite) -> None:
        self._server = server
        self._appetite = appetite

    def notices(self) -> Generator[Notice]:
        """Give notices as they come; of all queues, until this program has asked some for jobs."""
        hungry = threading.Event()
        hungry.set()
        stop = self._appetite.watch(hungry.set)
        calls: list[_Call] = []
        try:
            queues = list(self._appetite.queues) or self._server.run(known_queues())
            calls = self._open(queues)
            yield from how_woken(call.line for call in calls)
            while True:
                if hungry.is_set():
                    hungry.clear()
                    if _other_queues(self._appetite, queues):
                        queues, before = list(self._appetite.queues), calls
                        calls = self._open(queues)
                        self._close(before)
                    self._arm(calls)
                for call in calls:
                    while call.connection.can_read(_LOOK):
                        if (notice := call.line.hear(_read(call.connection))) is not None:
                            yield notice
        except (RedisError, OSError) as error:
            raise translate(error, str(self._server.address)) from error
        finally:
            stop()
            self._close(calls)

    def _open(self, queues: Sequence[str]) -> list[_Call]:
        names = keys_of(queues)
        calls: list[_Call] = []
        try:
            for connection, keys in self._server.connections([CANCEL, *names]):
                calls.append(_Call(connection, Line(keys, names)))
                _greet(calls[-1].connection, calls[-1].line)
        except BaseException:
            self._close(calls)
            raise
        return calls

    def _arm(self, calls: Sequence[_Call]) -> None:
        for call in calls:
            if words := call.line.arm():
                call.connection.send_packed_command(call.connection.pack_commands(words), check_health=False)

    def _close(self, calls: Sequence[_Call]) -> None:
        for call in calls:
            call.connection.disconnect()


async def _greet_async(connection: Any, line: Line) -> None:
    # redis-py's way to limit the time of a write, asyncio.wait_for, may swallow a cancellation up to
    # Python 3.11: whoever listens would never end.  Afterwards we wait for as long as it takes.
    connection.socket_timeout = None
    async with asyncio.timeout(REPLY_SECONDS):
        await connection.connect()
        for words in line.greeting:
            try:
                await connection.send_command(*words, check_health=False)
                await connection.read_response(push_request=True)
                line.greeted(words, None)
            except ResponseError as refusal:
                line.greeted(words, refusal)


def _greet(connection: Any, line: Line) -> None:
    connection.connect()
    for words in line.greeting:
        try:
            connection.send_command(*words, check_health=False)
            connection.read_response(push_request=True)
            line.greeted(words, None)
        except ResponseError as refusal:
            line.greeted(words, refusal)


def _read(connection: Any) -> Any:
    try:
        return connection.read_response(push_request=True)
    except ResponseError as error:
        return _no_reason(error)


def _no_reason(error: ResponseError) -> int:
    """Pass over a key of the wrong type, which is no reason to wake up: fetching says what is wrong with it."""
    if "WRONGTYPE" not in str(error):
        raise error
    return 0


def _other_queues(appetite: Appetite, queues: Sequence[str]) -> bool:
    return bool(appetite.queues) and set(appetite.queues) != set(queues)
