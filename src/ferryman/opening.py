"""How client and admin get their storage: opened when it is first needed; and how a job goes another way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ferryman.job import Inserted, NewJob
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage._sync.protocol import Storage

__all__ = ["Apart", "AsyncApart", "AsyncOpen", "Open"]

Open = Callable[[], Storage]
AsyncOpen = Callable[[], Awaitable[AsyncStorage]]

Apart = Callable[[NewJob], Inserted]
AsyncApart = Callable[[NewJob], Awaitable[Inserted]]
