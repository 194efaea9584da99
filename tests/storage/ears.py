"""Listens to a storage while a test acts, with an end to its patience."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Self, TypeVar

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Notice

__all__ = ["AsyncEar", "Ear"]

N = TypeVar("N", bound=Notice)
_PATIENCE = 60


class AsyncEar:
    """Begins to listen, and keeps what it heard."""

    def __init__(self, storage: AsyncStorage) -> None:
        self._notices: AsyncIterator[Notice] = storage.notices.listen()
        self.heard: list[Notice] = []

    @property
    def first(self) -> Notice:
        """The notice that said that listening has begun."""
        return self.heard[0]

    async def next(self, *kinds: type[N]) -> N:
        """Wait for the next notice of these kinds.  Raises TimeoutError."""
        async with asyncio.timeout(_PATIENCE):
            async for notice in self._notices:
                self.heard.append(notice)
                if isinstance(notice, kinds):
                    return notice
        raise AssertionError("the notices have ended")

    async def __aenter__(self) -> Self:
        await self.next(Notice)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._notices.aclose()


class Ear:
    """The same for code that blocks."""

    def __init__(self, storage: Storage) -> None:
        self._notices: Iterator[Notice] = storage.notices.listen()
        self.heard: list[Notice] = []

    @property
    def first(self) -> Notice:
        """The notice that said that listening has begun."""
        return self.heard[0]

    def next(self, *kinds: type[N]) -> N:
        """Wait for the next notice of these kinds.  Raises TimeoutError."""
        with _patience():
            for notice in self._notices:
                self.heard.append(notice)
                if isinstance(notice, kinds):
                    return notice
        raise AssertionError("the notices have ended")

    def __enter__(self) -> Self:
        self.next(Notice)
        return self

    def __exit__(self, *exc: object) -> None:
        self._notices.close()


@contextmanager
def _patience() -> Iterator[None]:
    """End a block that waits for too long: blocking code can only be woken by a signal."""

    def give_up(*signal: object) -> None:
        raise TimeoutError(f"nothing was heard for {_PATIENCE} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
