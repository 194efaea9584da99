"""Shows data on stdout, in the format that was asked for.

A `Listing` says once how one sort of thing is shown: its columns, its JSON, its id.  JSON
is one versioned envelope for every command (spec/cli.md 4.2).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import click
import msgspec

from ferryman.cli.columns import Column
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.redaction import Redaction

__all__ = ["Column", "Listing", "Row", "plain", "printable", "show"]

T = TypeVar("T")
Row = Mapping[str, Any]

_UNPRINTABLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


@dataclass(frozen=True)
class Listing(Generic[T]):
    """How one sort of thing is shown: as a table of `columns`, or by `lines` of its own."""

    view: Callable[[T], Row]
    id: Callable[[T], str]
    columns: Sequence[Column[T]] = ()
    lines: Callable[[T, Times], Iterable[str]] | None = None
    none: str = ""
    """What to say when there is nothing."""
    safe: Callable[[Redaction, T], T] | None = None
    """Returns a thing as it may be shown; None where nothing of it is secret."""


def show(
    session: Session,
    listing: Listing[T],
    things: Iterable[T],
    *,
    next: str | None = None,
    looked_at: tuple[int, int | None] | None = None,
    warnings: Sequence[str] = (),
) -> None:
    """Write things to stdout.

    `next` is the cursor of the following page, and warnings are told beside it.  `looked_at` says how many
    were looked at, and of how many, where that is not the things themselves.
    """
    if listing.safe and session.redaction:
        things = map(partial(listing.safe, session.redaction), things)
    if session.format == "json":
        _write_envelope([listing.view(thing) for thing in things], next, looked_at, warnings)
        return
    for warning in warnings:
        session.note(f"note: {warning}")
    if session.format == "jsonl":
        _write((msgspec.json.encode(listing.view(thing)).decode() for thing in things), color=False)
    elif session.format == "ids":
        _write((listing.id(thing) for thing in things), color=False)
    elif listing.lines is not None:
        _write((line for thing in things for line in listing.lines(thing, session.times)), color=session.color)
    else:
        _draw(session, listing, things)
    if next is not None:
        session.note(f"There are more: --cursor {next}, or a larger --limit.")


def plain(text: str) -> str:
    """Return text as one line without control characters: what a job carries must not steer a terminal."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Return a line with its control characters spelt out."""
    return text.translate(_UNPRINTABLE)


def _write_envelope(
    data: Sequence[Row], next: str | None, looked_at: tuple[int, int | None] | None, warnings: Sequence[str]
) -> None:
    # Nobody counted what lies beyond a page.
    scanned, of = looked_at or (len(data), len(data) if next is None else None)
    envelope = {
        "v": 1,
        "data": data,
        "next": next,
        "truncated": scanned != of,
        "scanned": scanned,
        "of": of,
        "warnings": warnings,
    }
    text = msgspec.json.encode(envelope)
    if sys.stdout.isatty():
        text = msgspec.json.format(text, indent=2)
    click.echo(text.decode())


def _write(lines: Iterable[str], *, color: bool | None) -> None:
    for line in lines:
        click.echo(line, color=color)


def _draw(session: Session, listing: Listing[T], things: Iterable[T]) -> None:
    wide = session.format == "wide"
    columns = [column for column in listing.columns if wide or not column.wide]
    cells = [[plain(column.cell(thing, session.times)) for column in columns] for thing in things]
    if not cells:
        session.note(listing.none)
        return
    from ferryman.cli.table import drawn

    _write(drawn(columns, cells, cut=not wide), color=session.color)
