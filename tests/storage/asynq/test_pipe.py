"""The one connection: replies come back to whoever asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis import exceptions as redis

from ferryman.storage.asynq.pipe import Pipe, open_pipe
from ferryman.storage.asynq.urls import Address
from servers import Servers


@pytest.fixture
async def pipe(servers: Servers) -> AsyncIterator[Pipe]:
    address = Address.parse(servers.url)
    pipe = await open_pipe(address, address.nodes[0])
    yield pipe
    await pipe.close()


async def test_replies_come_back_to_whoever_asked_in_their_order(pipe: Pipe) -> None:
    first = pipe.ask([("SET", "a", 1), ("GET", "a")])
    second = pipe.ask([("GET", "b")])

    assert await asyncio.gather(first, second) == [[b"OK", b"1"], [None]]


async def test_asking_nothing_is_answered_at_once_and_keeps_nobody_waiting(pipe: Pipe) -> None:
    assert await pipe.ask([]) == []
    assert await pipe.ask([("PING",)]) == [b"PONG"]


async def test_an_error_is_a_reply_like_any_other(pipe: Pipe) -> None:
    error, pong = await pipe.ask([("LPOP",), ("PING",)])

    assert isinstance(error, redis.ResponseError)
    assert pong == b"PONG"


async def test_whoever_gives_up_waiting_takes_nobody_elses_reply(pipe: Pipe) -> None:
    pipe.ask([("SET", "a", 1)]).cancel()

    assert await pipe.ask([("GET", "a")]) == [b"1"]


async def test_a_closed_connection_says_so(pipe: Pipe) -> None:
    await pipe.close()

    with pytest.raises(redis.ConnectionError, match="closed"):
        pipe.ask([("PING",)])
