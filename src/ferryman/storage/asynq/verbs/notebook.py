"""The notebook: a hash of our own for each page, which is gone when nobody has written to it for long enough.

Redis forgets a page as a whole, so a note stays for as long as the page has newer ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from ferryman.storage.asynq import keys
from ferryman.storage.asynq.calls import Command, Script, Value, Verb
from ferryman.storage.values import Note

__all__ = ["claim", "erase", "read", "write"]


def read(pages: Sequence[str]) -> Verb[list[Mapping[str, str]]]:
    """Return the notes of each of these pages."""
    if not pages:
        return []
    found = yield [Command(("HGETALL", keys.notes(page))) for page in pages]
    return [{name.decode(): text.decode() for name, text in page.items()} for page in found]


def write(notes: Sequence[Note]) -> Verb[None]:
    """Write notes, each in the place of the one before."""
    by_page: dict[str, list[Note]] = {}
    for note in notes:
        by_page.setdefault(note.page, []).append(note)
    if by_page:
        yield [command for page, written in by_page.items() for command in _write(keys.notes(page), written)]


def claim(note: Note) -> Verb[str]:
    """Write a note unless there is one."""
    args: dict[str, Value] = {"name": note.name, "text": note.text, "ttl": _seconds(note)}
    (text,) = yield [Script("claim_note", keys={"page": keys.notes(note.page)}, args=args)]
    return str(text.decode())


def erase(page: str, names: Sequence[str]) -> Verb[None]:
    """Strike out notes."""
    if names:
        yield [Command(("HDEL", keys.notes(page), *names))]


def _write(key: str, notes: Sequence[Note]) -> Iterator[Command]:
    yield Command(("HSET", key, *(part for note in notes for part in (note.name, note.text))))
    yield Command(("EXPIRE", key, max(map(_seconds, notes))))


def _seconds(note: Note) -> int:
    return max(ceil(note.keep.total_seconds()), 1)
