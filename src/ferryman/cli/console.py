"""Several programs on one screen: each line behind the name of who says it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import click

__all__ = ["Console", "lines"]

_COLORS = ("cyan", "green", "magenta", "yellow")
_AT_ONCE = 65_536


class Console:
    """Writes to stderr; color None is only where that is a terminal."""

    def __init__(self, names: Sequence[str], *, color: bool | None) -> None:
        self.color = color
        width = max(map(len, names))
        self._heads = {
            name: click.style(f" {name:<{width}} |", fg=_COLORS[place % len(_COLORS)])
            for place, name in enumerate(names)
        }

    def say(self, name: str, text: str) -> None:
        """Write each line of a text."""
        for line in text.splitlines() or [""]:
            with suppress(OSError):  # nobody may read us any more; the programs are ended all the same
                click.echo(f"{self._heads[name]} {line}", err=True, color=self.color)


async def lines(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield what a program says, line by line, however long a line is."""
    rest = b""
    while chunk := await stream.read(_AT_ONCE):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")
