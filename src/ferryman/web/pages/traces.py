"""A traceback, with what is not the application's own folded away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

__all__ = ["Frames", "frames"]

_FOREIGN = (
    "site-packages",
    "dist-packages",
    "/lib/python",
    "<frozen ",
    "/ferryman/engine/",
    "/go/pkg/mod/",
    "/usr/local/go/",
)


@dataclass(frozen=True)
class Frames:
    """Some lines of it; those of a `library` are folded under a `label`."""

    library: bool
    label: str
    text: str


def frames(trace: str) -> list[Frames]:
    """Return a traceback in parts, by whose code it goes through."""
    parts = []
    for foreign, group in groupby(_frames(trace), key=_is_foreign):
        lines = list(group)
        label = f"{len(lines)} library frame{'s' if len(lines) != 1 else ''}"
        parts.append(Frames(foreign, label if foreign else "", "\n".join(lines)))
    return parts


def _frames(trace: str) -> Iterator[str]:
    """Return the frames, each with the lines that belong to it."""
    frame: list[str] = []
    for line in trace.rstrip().splitlines():
        if line.startswith("  File ") or not line.startswith(" "):
            if frame:
                yield "\n".join(frame)
            frame = []
        frame.append(line)
    if frame:
        yield "\n".join(frame)


def _is_foreign(frame: str) -> bool:
    first = frame.partition("\n")[0]
    return first.startswith("  File ") and any(each in first for each in _FOREIGN)
