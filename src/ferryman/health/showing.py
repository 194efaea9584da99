"""Shows how a worker is, beside it, for as long as it runs: on the health port, in the heartbeat file, to systemd."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import msgspec

from ferryman.errors import ConfigError
from ferryman.health.pages import Look, Page, health_pages
from ferryman.health.vitals import Health

__all__ = ["Shown", "beating", "showing"]

_TURN_EVERY = 1.0
_BEAT_EVERY = 5.0


class Shown(Protocol):
    """A worker, or several processes together."""

    def turn(self) -> None:
        """Say that the event loop turns."""

    def look(self) -> Health:
        """Say how it is now."""
        ...


@asynccontextmanager
async def showing(
    vitals: Shown, *, address: str = "", file: str = "", systemd: str = "", more: Mapping[str, Page] | None = None
) -> AsyncIterator[None]:
    """Show a worker's vitals beside the block, wherever somebody wants to see them.  Raises ConfigError."""
    shown: list[AbstractContextManager[object]] = []
    if address:
        from ferryman.health.port import Port  # not above: most workers have none

        shown.append(Port(address, {**health_pages(vitals.look), **(more or {})}))
    if file:
        shown.append(beating(Path(file), vitals.look))
    if systemd:
        from ferryman.health.systemd import telling_systemd  # not above: most workers have none

        shown.append(telling_systemd(systemd, vitals.look))
    if not shown:
        yield
        return
    turning, stack = asyncio.create_task(_turn(vitals)), ExitStack()
    try:
        for each in shown:
            stack.enter_context(each)
        yield
    finally:
        await asyncio.to_thread(stack.close)  # threads are waited for
        turning.cancel()


async def _turn(vitals: Shown) -> None:
    while True:
        vitals.turn()
        await asyncio.sleep(_TURN_EVERY)


@contextmanager
def beating(file: Path, look: Look) -> Iterator[None]:
    """Write the file again and again while the worker is live; its age tells who cannot ask a port."""
    _write(file, look())
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(file, look, done), name="ferryman-beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(_BEAT_EVERY)
        file.unlink(missing_ok=True)


def _beat(file: Path, look: Look, done: threading.Event) -> None:
    while not done.wait(_BEAT_EVERY if look().started else _TURN_EVERY):
        health = look()
        if health.live:
            with suppress(ConfigError):  # a full disk makes the file old, and that is what it is for
                _write(file, health)


def _write(file: Path, health: Health) -> None:
    """Put a whole file in the place of the one before: who reads it never sees a half."""
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        beside.write_bytes(msgspec.json.encode(health) + b"\n")
        beside.replace(file)
    except OSError as error:
        raise ConfigError(
            f"The heartbeat file {file} cannot be written: {error.strerror}. Name another: --heartbeat-file."
        ) from error
