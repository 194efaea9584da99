"""How far an action on many jobs is, on stderr, and what became of it; Ctrl-C ends it between two steps."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from ferryman.admin.operations import BulkInfo, Skipped
from ferryman.cli.failures import INTERRUPTED, PARTLY
from ferryman.cli.output import Listing, Row, show
from ferryman.cli.session import Session
from ferryman.storage.values import Action

__all__ = ["Tracked", "follow", "skipped_view"]

_TELL_EVERY = 10.0


@dataclass(frozen=True)
class Tracked:
    """How far an action is; `id` names it where it is written down."""

    action: Action
    done: int = 0
    skipped: int = 0
    latest: tuple[Skipped, ...] = ()
    is_over: bool = False
    id: str = ""

    @classmethod
    def of(cls, info: BulkInfo) -> Tracked:
        """Return what is shown of an operation."""
        return cls(info.action, info.done, info.skipped, info.latest, not info.is_live, info.id)


def follow(session: Session, start: Tracked, steps: Iterable[Tracked], of: int) -> int:
    """Show how far it is after each step, then what became of it; return the exit code.

    `of` is how many jobs it is about.  Leaves the loop at Ctrl-C, after the step that is under way.
    """
    now, line = start, _Line(session, of, start.done + start.skipped)
    with _interruptible() as interrupted:
        for now in steps:
            line.show(now)
            for skipped in now.latest:
                session.note(f"  {skipped.ref}  {skipped.detail}")
            if interrupted:
                break
    line.end()
    stopped = bool(interrupted) and not now.is_over
    show(session, _RESULTS, [_Result(now, stopped)])
    if stopped:
        return INTERRUPTED
    return PARTLY if now.skipped else 0


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Take note of Ctrl-C instead of dying of it in the middle of a step."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)


class _Line:
    """How far it is, on stderr: one line that changes on a terminal, otherwise a line now and then."""

    def __init__(self, session: Session, of: int, before: int) -> None:
        self._session, self._of, self._before = session, of, before
        self._began = self._told = time.monotonic()
        self._lives = sys.stderr.isatty() and session.shows_progress

    def show(self, progress: Tracked) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if not self._lives and now - self._told < _TELL_EVERY:
            return
        self._told = now
        count = progress.done + progress.skipped
        of = max(self._of, count)
        pace = (count - self._before) / max(now - self._began, 0.001)
        text = f"{count:,}/{of:,}  {pace:,.0f}/s  {(of - count) / max(pace, 0.001):,.0f} s left"
        if self._lives:
            click.echo(f"\r{text:50}", err=True, nl=False)
        else:
            self._session.note(text)

    def end(self) -> None:
        """Leave the line."""
        if self._lives:
            click.echo("\r" + " " * 50 + "\r", err=True, nl=False)


@dataclass(frozen=True)
class _Result:
    progress: Tracked
    stopped: bool


def _view(result: _Result) -> Row:
    progress = result.progress
    return {
        "outcome": progress.action.done,
        "done": progress.done,
        "skipped": progress.skipped,
        "stopped": result.stopped,
        "latest_skipped": [skipped_view(each) for each in progress.latest],
        "bulk": progress.id or None,
    }


def skipped_view(skipped: Skipped) -> dict[str, str]:
    """Return a job that nothing was done with, and why."""
    return {"ref": skipped.ref, "code": skipped.code, "detail": skipped.detail}


def _words(result: _Result) -> str:
    progress = result.progress
    return f"{progress.action.done} {progress.done:,}, skipped {progress.skipped:,}"


_RESULTS = Listing[_Result](
    _view,
    lambda result: str(result.progress.done),
    lines=lambda result, times: [_words(result)],
)
