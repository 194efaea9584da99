"""Runs verbs on Redis: `Server` for code that blocks, `AsyncServer` for the event loop.

The two differ in how they wait and in nothing else: `Server` takes a connection of
redis-py's for each request, `AsyncServer` sends all requests through one pipe to a node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

import hiredis
from redis.asyncio.connection import AbstractConnection as AsyncConnection
from redis.connection import AbstractConnection as Connection
from redis.connection import ConnectionPool
from redis.exceptions import RedisError, ResponseError

from ferryman.errors import StorageError
from ferryman.storage.asynq.calls import Call, Stream, Streaming
from ferryman.storage.asynq.connections import async_connection, connection, pool
from ferryman.storage.asynq.delivery import Delivery
from ferryman.storage.asynq.pipe import Pipe, open_pipe
from ferryman.storage.asynq.topology import Errand, Parcel, Words
from ferryman.storage.asynq.urls import Address, Node

__all__ = ["AsyncServer", "Server"]

T = TypeVar("T")


class Server:
    """Redis at one address, for code that blocks.  Connects at first use; threads may share it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._delivery = Delivery(address)
        self._pools: dict[Node, ConnectionPool] = {}

    def run(self, verb: Streaming[T]) -> T:
        """Run a verb to its end."""
        step = partial(next, verb)
        while True:
            try:
                calls = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            try:
                step = partial(verb.send, self._stream(calls) if isinstance(calls, Stream) else self.send(calls))
            except StorageError as error:
                step = partial(verb.throw, error)

    def send(self, calls: Sequence[Call]) -> list[Any]:
        """Send calls in one round trip, and return their replies.  Raises StorageError."""
        return self._drive(self._delivery.deliver(calls))

    def _stream(self, stream: Stream) -> list[Any]:
        return [reply for calls in stream.lists for reply in self.send(calls)]

    def connections(self, keys: Sequence[str]) -> list[tuple[Connection, list[str]]]:
        """Return new connections, not yet opened, that are the caller's alone: one to each node that keeps a key."""
        keepers = self._drive(self._delivery.keepers(keys))
        return [(connection(self.address, node), kept) for node, kept in keepers.items()]

    def close(self) -> None:
        """Close all connections but those that were given away."""
        for each in self._pools.values():
            each.disconnect()
        self._pools.clear()

    def _drive(self, errand: Errand[T]) -> T:
        step = partial(next, errand)
        while True:
            try:
                parcels = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            step = partial(errand.send, [self._bring(parcel) for parcel in parcels])

    def _bring(self, parcel: Parcel) -> list[Any]:
        try:
            return _exchange(self._pool(parcel.node), parcel.commands)
        except (RedisError, OSError) as error:
            return [error] * len(parcel.commands)

    def _pool(self, node: Node) -> ConnectionPool:
        if node not in self._pools:
            self._pools[node] = pool(self.address, node)
        return self._pools[node]


class AsyncServer:
    """Redis at one address, for the event loop.  Connects at first use."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._delivery = Delivery(address)
        self._pipes: dict[Node, Pipe] = {}
        self._opening: dict[Node, asyncio.Task[Pipe]] = {}

    async def run(self, verb: Streaming[T]) -> T:
        """Run a verb to its end."""
        step = partial(next, verb)
        while True:
            try:
                calls = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            try:
                replies = await (self._stream(calls) if isinstance(calls, Stream) else self.send(calls))
                step = partial(verb.send, replies)
            except StorageError as error:
                step = partial(verb.throw, error)

    async def send(self, calls: Sequence[Call]) -> list[Any]:
        """Send calls in one round trip, and return their replies.  Raises StorageError."""
        return await self._drive(self._delivery.deliver(calls))

    async def _stream(self, stream: Stream) -> list[Any]:
        under_way: list[asyncio.Task[list[Any]]] = []
        for calls in stream.lists:
            under_way.append(asyncio.ensure_future(self.send(calls)))
            await asyncio.sleep(0)  # it is written before the next is made
        return [reply for replies in await asyncio.gather(*under_way) for reply in replies]

    async def connections(self, keys: Sequence[str]) -> list[tuple[AsyncConnection, list[str]]]:
        """Return new connections, not yet opened, that are the caller's alone: one to each node that keeps a key."""
        keepers = await self._drive(self._delivery.keepers(keys))
        return [(async_connection(self.address, node), kept) for node, kept in keepers.items()]

    async def close(self) -> None:
        """Close all connections but those that were given away."""
        for opening in list(self._opening.values()):
            opening.cancel()
        for pipe in self._pipes.values():
            await pipe.close()
        self._pipes.clear()

    async def _drive(self, errand: Errand[T]) -> T:
        step = partial(next, errand)
        while True:
            try:
                parcels = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if len(parcels) == 1:
                answers = [await self._bring(parcels[0])]
            else:
                answers = await asyncio.gather(*map(self._bring, parcels))
            step = partial(errand.send, answers)

    async def _bring(self, parcel: Parcel) -> list[Any]:
        try:
            pipe = self._pipes.get(parcel.node)
            if pipe is None or not pipe.is_usable:
                pipe = await self._open(parcel.node)
            return await pipe.ask(parcel.commands)
        except (RedisError, OSError) as error:
            return [error] * len(parcel.commands)

    async def _open(self, node: Node) -> Pipe:
        """Open a pipe, or wait for it where somebody else does already."""
        loop = asyncio.get_running_loop()
        opening = self._opening.get(node)
        if opening is None or opening.get_loop() is not loop:
            opening = self._opening[node] = loop.create_task(open_pipe(self.address, node))
            opening.add_done_callback(lambda done: self._opened(node, done))
        return await asyncio.shield(opening)

    def _opened(self, node: Node, done: asyncio.Task[Pipe]) -> None:
        self._opening.pop(node, None)
        if not done.cancelled() and done.exception() is None:
            self._pipes[node] = done.result()


def _exchange(pool: ConnectionPool, commands: Sequence[Words]) -> list[Any]:
    connection: Any = pool.get_connection()  # any, for redis-py's own types are half of them missing
    try:
        connection.send_packed_command(list(map(hiredis.pack_command, commands)), check_health=False)
        return [_read(connection) for _ in commands]
    except BaseException:
        # What is still on its way must not be taken for the answer to the next request.
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def _read(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
