"""Tells others in the same process at once what other processes hear by polling.

Storages of one file in one process find each other here, whichever thread or loop they
are in.  It only saves time: whatever is said here stands in the database too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ferryman.storage.values import Notice

__all__ = ["listen", "tell"]

Hear = Callable[[Notice], None]

_lock = threading.Lock()
_listening: dict[str, list[Hear]] = {}


def listen(place: str, hear: Hear) -> Callable[[], None]:
    """Call `hear` with every notice about this database, in the thread of whoever tells; returns how to stop."""
    with _lock:
        _listening.setdefault(place, []).append(hear)

    def stop() -> None:
        with _lock:
            _listening[place].remove(hear)
            if not _listening[place]:
                del _listening[place]

    return stop


def tell(place: str, *notices: Notice) -> None:
    """Tell everybody in this process."""
    with _lock:
        hearers = list(_listening.get(place, ()))
    for hear in hearers:
        for notice in notices:
            hear(notice)
