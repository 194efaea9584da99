"""Acting on every job that a filter means: what it would be, a question, progress, and a way to stop.

Confirmation is spec/cli.md 4.4's: a person sees how many and a few of them, a script says
--yes and how many it expects.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from ferryman.admin.bulk import Preview, Progress
from ferryman.admin.operations import BulkInfo, Skipped
from ferryman.cli.failures import INTERRUPTED, Refused, code_of
from ferryman.cli.filters import choosing, read_filter
from ferryman.cli.jobs_shown import JOBS
from ferryman.cli.output import plain, show
from ferryman.cli.progress import Tracked, follow
from ferryman.cli.session import Session
from ferryman.errors import ConfigError, FerrymanError, SchemaOutOfDate
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action

__all__ = ["act_on_all", "by_ids_or_filter", "is_filter", "work_on"]

F = TypeVar("F", bound=Callable[..., Any])

_NO_FILTERS = ("all_matching", "dry_run", "rate", "expect")
"""What is said of the action, and not of the jobs."""

_MANY = 100
_COUNTED = 10_000
_OFF_BY = 0.1


def by_ids_or_filter(function: F) -> F:
    """Let a command take ids, or the filters of `job list` with --all-matching."""
    for option in (
        click.option("--expect", type=click.IntRange(min=0), metavar="N", help="How many it should be, in a script."),
        click.option("--rate", metavar="N/s", help="No more than so many a second, such as 10/s."),
        click.option("--dry-run", is_flag=True, help="With --all-matching, only say how many, and show a few."),
        click.option("--all-matching", is_flag=True, help="Every job that fits these filters, instead of ids."),
    ):
        function = option(function)
    return click.argument("ids", nargs=-1, metavar="[ID...]")(choosing(function))


def is_filter(ids: Sequence[str], said: dict[str, Any]) -> bool:
    """Whether jobs are meant by filter.  Raises ConfigError unless they are meant in just one way."""
    if ids and said["dry_run"]:
        raise ConfigError("--dry-run counts what a filter means, with --all-matching. These jobs are named by ids.")
    if ids and any(said.values()):
        raise ConfigError("Jobs are named by ids, and by filters too. Give one of them.")
    if not ids and not said["all_matching"]:
        raise ConfigError("No job is named. Give ids, - for those on stdin, or filters with --all-matching.")
    return bool(said["all_matching"])


def act_on_all(
    session: Session, action: Action, said: dict[str, Any], *, otherwise: FerrymanError | None = None
) -> int:
    """Act on every job that fits, and return the exit code.  Raises `otherwise`, if given, where surely none fits."""
    filters = {name: value for name, value in said.items() if name not in _NO_FILTERS}
    if not any(filters.values()):
        raise ConfigError("--all-matching alone would mean every job. Say which: --state, --kind, --queue and so on.")
    if action is Action.RETRY and not filters["states"]:
        filters["states"] = ("failed",)  # nobody means those that have completed
    which, rate = read_filter(session, **filters), _rate(said["rate"])
    preview = _preview(session, which, said["expect"])
    if otherwise and not preview.count and not preview.capped:
        raise otherwise
    if said.get("dry_run"):
        return _tell(session, action, preview)
    if preview.count:
        _confirm(session, action, preview, said["expect"])
    return _run(session, action, which, rate, preview)


def _preview(session: Session, which: JobFilter, expected: int | None) -> Preview:
    if expected is None:
        return session.admin.bulk.preview(which)
    # A script waits until it is known whether there are many more or fewer.
    return session.admin.bulk.preview(which, cap=max(_COUNTED, 2 * expected), seconds=math.inf)


def _tell(session: Session, action: Action, preview: Preview) -> int:
    """Show what would be acted on, and change nothing."""
    show(session, JOBS, preview.samples, looked_at=(len(preview.samples), None if preview.capped else preview.count))
    session.note(f"{_count(preview)} jobs would be {action.done}. Nothing was changed.")
    return 0


def _count(preview: Preview) -> str:
    return f"{preview.count:,}{' or more' if preview.capped else ''}"


def _confirm(session: Session, action: Action, preview: Preview, expected: int | None) -> None:
    """Ask a person, or hold a script to what it expects.  Raises Refused."""
    count = _count(preview)
    question = f"{action.capitalize()} {count} jobs?"
    if expected is not None and abs(preview.count - expected) > _OFF_BY * expected:
        raise Refused(f"{question} {expected:,} were expected. Nothing was changed.")
    if not sys.stdin.isatty():
        if not session.yes or expected is None:
            hint = f"To confirm: --yes --expect {preview.count}"
            raise Refused(f"{question} Nobody is here to answer, and nothing was changed.", hint=hint)
        return
    if session.yes:
        return
    for job in preview.samples:
        session.note(f"  {job.ref}  {plain(job.kind)}  {job.state}")
    if preview.count <= _MANY:
        session.confirm(question)
    elif click.prompt(f"{question} Type the number", err=True, default="") not in (count, str(preview.count)):
        raise Refused("Not confirmed, and nothing was changed.")


def _run(session: Session, action: Action, which: JobFilter, rate: float | None, preview: Preview) -> int:
    """Do it, written down so that it can be stopped and continued from elsewhere, where there is a place for that."""
    bulk = session.admin.bulk
    try:
        info = bulk.start(action, which, expected=preview.count, rate=rate, actor=session.actor)
    except SchemaOutOfDate:
        steps = (_step(action, each) for each in bulk.run(action, which, rate=rate, actor=session.actor))
        code = follow(session, Tracked(action), steps, preview.count)
        if code == INTERRUPTED:
            session.note("Stopped. What is done is done; to go on, run the same command again.")
        return code
    return work_on(session, info)


def work_on(session: Session, info: BulkInfo) -> int:
    """Do a bulk operation that is written down, or what is left of it; return the exit code."""
    bulk = session.admin.bulk
    code = follow(session, Tracked.of(info), map(Tracked.of, bulk.work(info.id)), info.expected or 0)
    if code == INTERRUPTED:
        bulk.leave(info.id)
        onwards = session.to_type(f"ferryman bulk continue {info.id}")
        session.note(f"Stopped. What is done is done; to go on: {onwards}")
    return code


def _step(action: Action, progress: Progress) -> Tracked:
    latest = tuple(Skipped(str(ref), code_of(error), str(error)) for ref, error in progress.latest)
    return Tracked(action, progress.done, progress.skipped, latest, progress.cursor is None)


def _rate(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        rate = float(text.removesuffix("/s"))
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ConfigError(f'--rate is "{text}". It takes jobs a second, such as 10/s.')
    return rate
