"""Hears of changes to a program's files, for what starts it anew."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from importlib.util import find_spec
from pathlib import Path

from ferryman.errors import MissingExtra

__all__ = ["changes", "need_watchfiles"]

_SETTLE_MS = 200
_PAUSE = 1.0


def need_watchfiles(what: str, extra: str) -> None:
    """Raise MissingExtra when the package that watches files is missing: `what` needs it, and `extra` brings it."""
    if find_spec("watchfiles") is None:
        raise MissingExtra(f"{what} needs the package watchfiles, which is not installed.", extra=extra)


async def changes(folders: Sequence[Path], complain: Callable[[Exception], None]) -> AsyncIterator[tuple[str, ...]]:
    """Yield the Python files that changed below these folders, as seen from here, whenever some did.

    A folder that cannot be watched just now is told to `complain`, and tried again.
    """
    from watchfiles import PythonFilter, awatch

    while True:
        try:
            async for found in awatch(*folders, watch_filter=PythonFilter(), debounce=_SETTLE_MS):
                yield _files({path for _, path in found})
        except Exception as error:
            complain(error)
        await asyncio.sleep(_PAUSE)


def _files(paths: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(map(os.path.relpath, paths)))
