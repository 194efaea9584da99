"""One connection that everything in an event loop shares.

A request is written the moment it is made, and its replies are the next that come back.
redis-py's pool gives control away several times before it writes, and each time a
hundred jobs that are ready may go first: the worker and the server would take turns
instead of working at the same time.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import hiredis
import msgspec
from redis import exceptions as redis
from redis.asyncio.connection import SSLConnection
from redis.connection import DefaultParser

from ferryman.storage.asynq.connections import CONNECT_SECONDS, REPLY_SECONDS
from ferryman.storage.asynq.urls import Address, Node

__all__ = ["Pipe", "open_pipe"]

_NOTHING = object()


class _Request(msgspec.Struct):
    """So many commands, what was replied so far, and who waits for it since when."""

    count: int
    answer: asyncio.Future[list[Any]]
    since: float
    replies: list[Any] = []


class Pipe(asyncio.Protocol):
    """A connection; made by `open_pipe`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(
            protocolError=redis.InvalidResponse, replyError=DefaultParser.parse_error, notEnoughData=_NOTHING
        )
        self._requests: deque[_Request] = deque()
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._lost = self._loop.create_future()

    @property
    def is_usable(self) -> bool:
        """Whether requests can be made here, from the loop that runs now."""
        return not self._lost.done() and self._loop is asyncio.get_running_loop()

    def ask(self, commands: Sequence[tuple[Any, ...]]) -> asyncio.Future[list[Any]]:
        """Send commands, and return what will be their replies; an error reply is one too."""
        if self._transport is None:
            raise redis.ConnectionError("the connection is closed")
        answer: asyncio.Future[list[Any]] = self._loop.create_future()
        if not commands:  # no reply would ever come
            answer.set_result([])
            return answer
        self._transport.write(b"".join(map(hiredis.pack_command, commands)))
        self._requests.append(_Request(len(commands), answer, self._loop.time()))
        if self._watch is None:
            self._watch = self._loop.call_later(REPLY_SECONDS, self._look)
        return answer

    async def close(self) -> None:
        """Close the connection, unless the loop that it belongs to has ended."""
        if self._transport is not None and not self._loop.is_closed():
            self._transport.close()
            await self._lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if (plain := transport.get_extra_info("socket")) is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _NOTHING:
                self._take(reply)
        except redis.InvalidResponse as error:
            self._break(redis.ConnectionError(str(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(redis.ConnectionError(str(exc or "the server closed the connection")))
        self._lost.set_result(None)

    def _take(self, reply: Any) -> None:
        request = self._requests[0]
        request.replies.append(reply)
        if len(request.replies) == request.count:
            self._requests.popleft()
            if not request.answer.done():  # whoever asked may have been cancelled
                request.answer.set_result(request.replies)

    def _look(self) -> None:
        """Give the connection up when a reply does not come: what comes later could not be told apart."""
        self._watch = None
        if self._requests:
            left = self._requests[0].since + REPLY_SECONDS - self._loop.time()
            if left > 0:
                self._watch = self._loop.call_later(left, self._look)
            else:
                self._break(redis.TimeoutError(f"no reply within {REPLY_SECONDS:g} s"))

    def _break(self, error: redis.RedisError) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        while self._requests:
            answer = self._requests.popleft().answer
            if not answer.done():
                answer.set_exception(error)


async def open_pipe(address: Address, node: Node) -> Pipe:
    """Connect to a node and log in.  Raises RedisError or OSError."""
    loop, options = asyncio.get_running_loop(), address.options(node)
    async with asyncio.timeout(CONNECT_SECONDS):
        if address.kind == "socket":
            _, pipe = await loop.create_unix_connection(Pipe, node.host)
        else:
            tls = None if address.tls is None else SSLConnection(**options).ssl_context.get()
            _, pipe = await loop.create_connection(Pipe, node.host, node.port, ssl=tls)
        try:
            for reply in await pipe.ask(_greeting(options)):
                if isinstance(reply, redis.RedisError):
                    raise reply
        except BaseException:
            await pipe.close()
            raise
    return pipe


def _greeting(options: dict[str, Any]) -> list[tuple[Any, ...]]:
    user, password = options["username"] or "default", options["password"]
    login = ("AUTH", user, password) if password is not None else ()
    select = [("SELECT", db)] if (db := options.get("db")) else []
    return [("HELLO", 3, *login, "SETNAME", "ferryman"), *select]
