"""How client and admin get their storage: opened when it is first needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage._sync.protocol import Storage

__all__ = ["AsyncOpen", "Open"]

Open = Callable[[], Storage]
AsyncOpen = Callable[[], Awaitable[AsyncStorage]]
