"""What a program has connected: opened at first use, shared by client, admin and worker."""

from __future__ import annotations

import asyncio
import os
import threading

from ferryman.connect import connect
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature

__all__ = ["Connections"]


class Connections:
    """One storage, in its async and its sync form.

    A process that was forked starts anew: neither a SQLite connection nor a thread
    survives a fork.
    """

    def __init__(self, url: str, origin: str, *, side_data: bool = True) -> None:
        self._url = url
        self._origin = origin
        self._side_data = side_data
        self._lock = threading.RLock()
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._storage = connect(self._url, self._origin, side_data=self._side_data)
        self._opening = asyncio.Lock()
        self._open = False
        self._sync_storage: Storage | None = None

    @property
    def in_tables(self) -> bool:
        """Whether jobs are rows of River's tables, and not keys of Redis."""
        self._fresh()
        return Feature.SCHEMA in self._storage.features

    def _fresh(self) -> None:
        if self._process != os.getpid():
            self._reset()

    async def storage(self) -> AsyncStorage:
        """Return the storage, opened.  Raises StorageError."""
        self._fresh()
        if not self._open:
            async with self._opening:
                if not self._open:
                    await self._storage.__aenter__()
                    self._open = True
        return self._storage

    def storage_sync(self) -> Storage:
        """Return the storage for code that blocks, opened.  Raises StorageError."""
        self._fresh()
        with self._lock:
            if self._sync_storage is None:
                self._sync_storage = self._storage.twin().__enter__()
            return self._sync_storage

    async def unchecked(self) -> AsyncStorage:
        """Return the storage without looking at its schema: migrating is what that is for."""
        self._fresh()
        return self._storage

    def unchecked_sync(self) -> Storage:
        """Return the storage for code that blocks, without looking at its schema."""
        self._fresh()
        return self._sync_storage or self._storage.twin()

    async def close(self) -> None:
        """Close what is open; the next use opens it again."""
        self.close_sync()
        await self._storage.__aexit__()
        self._reset()

    def close_sync(self) -> None:
        """Close what code that blocks has opened."""
        with self._lock:
            if self._sync_storage is not None:
                self._sync_storage.__exit__(None, None, None)
                self._sync_storage = None
