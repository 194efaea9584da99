"""`ferryman job`: look at jobs, act on one or several."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import click

from ferryman.attempts import attempts
from ferryman.cli.acting import act, read_refs
from ferryman.cli.attempts_shown import ATTEMPTS, not_kept
from ferryman.cli.bulk import act_on_all, by_ids_or_filter, is_filter
from ferryman.cli.ending import Watch, exit_code_of
from ferryman.cli.filters import choosing, read_filter
from ferryman.cli.grammar import Group
from ferryman.cli.jobs_shown import CARD, CHANGES, JOBS
from ferryman.cli.output import show
from ferryman.cli.payload import read_payload
from ferryman.cli.session import Session
from ferryman.cli.stored_shown import STORED
from ferryman.errors import ConfigError, WrongState
from ferryman.job import FINAL, Job, JobRef, State
from ferryman.state_words import hint
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action

__all__ = ["job"]

PAGE = 1_000
_WAITING = (State.SCHEDULED, State.RETRYABLE, State.PENDING)


@click.group("job", cls=Group)
def job() -> None:
    """Look at jobs, and act on them.

    A job's id is a number, or queue/id.  Where ids are asked for, - reads them from stdin, one a line.
    """


@job.command(
    "list",
    examples=[
        "ferryman job list --state failed --since 24h",
        "ferryman job list -Q critical --state available,running",
        "ferryman job list --error timeout --args user.id=7",
        "ferryman job list --state failed --kind email:send -o ids | ferryman job retry -",
    ],
)
@choosing
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, metavar="N", help="How many at most."
)
@click.option("--cursor", help="Go on where the page before ended.")
@click.option("--all", "everything", is_flag=True, help="Every page.")
@click.pass_obj
def list_(session: Session, /, limit: int, cursor: str | None, everything: bool, **said: Any) -> None:
    """List jobs, the newest first."""
    which = read_filter(session, **said)
    warning = hint(said["states"])
    warnings = [warning] if warning else []
    if everything:
        show(session, JOBS, _pages(session, which, cursor), warnings=warnings)
        return
    page = session.admin.jobs.list(which, limit=limit, cursor=cursor)
    show(session, JOBS, page.items, next=page.next, warnings=warnings)


def _pages(session: Session, which: JobFilter, cursor: str | None) -> Iterator[Job]:
    while True:
        page = session.admin.jobs.list(which, limit=PAGE, cursor=cursor)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return


_ids = click.argument("ids", nargs=-1, required=True, metavar="ID...")


@job.command(
    "show",
    examples=[
        "ferryman job show 42",
        "ferryman job show 42 --json",
        "ferryman job show 42 --attempts",
        "ferryman job show 42 --raw",
        "ferryman job show 42 --follow",
    ],
)
@_ids
@click.option("--attempts", "history", is_flag=True, help="Only its attempts, the first one first, with their traces.")
@click.option("--raw", is_flag=True, help="Every field as it is stored, on a line of its own.")
@click.option("--follow", is_flag=True, help="Tell how it goes until it has ended; exit code 1 unless it completed.")
@click.pass_obj
def show_(session: Session, ids: tuple[str, ...], history: bool, raw: bool, follow: bool) -> int:
    """Show everything about a job, its failures with their traces included."""
    refs = read_refs(ids)
    if history + raw + follow > 1:
        raise ConfigError("--attempts, --raw and --follow each show a job in a way of its own. Say one of them.")
    if follow:
        return _follow(session, refs)
    jobs = [session.admin.jobs.get(ref) for ref in refs]
    if history:
        show(session, ATTEMPTS, chain.from_iterable(map(attempts, jobs)), warnings=not_kept(jobs))
    else:
        show(session, STORED if raw else CARD, jobs)
    return 0


def _follow(session: Session, refs: list[JobRef]) -> int:
    if len(refs) != 1:
        raise ConfigError(f"--follow watches one job, and {len(refs)} are named. Name one.")
    watch = Watch(session, session.admin.jobs.get(refs[0]))
    show(session, CHANGES, watch)
    return exit_code_of(watch.latest)


@job.command(
    "retry",
    examples=[
        "ferryman job retry 42",
        "ferryman failed -o ids | ferryman job retry -",
        "ferryman job retry --state failed --fp 9f31c2ab04de --all-matching --rate 10/s",
    ],
)
@by_ids_or_filter
@click.pass_obj
def retry(session: Session, /, ids: tuple[str, ...], **said: Any) -> int:
    """Run a job again, now: one that gave up, ended, or waits."""
    if is_filter(ids, said):
        return act_on_all(session, Action.RETRY, said)

    def do(ref: JobRef) -> Job:
        return session.admin.jobs.retry(ref, actor=session.actor)

    return act(session, read_refs(ids), "retried", do, _state_of)


@job.command("run", examples=["ferryman job run 42", "ferryman job list --state scheduled -o ids | ferryman job run -"])
@_ids
@click.pass_obj
def run(session: Session, ids: tuple[str, ...]) -> int:
    """Run a job now that is scheduled, waits for its next attempt, or is parked."""

    def do(ref: JobRef) -> Job:
        before = session.admin.jobs.get(ref)
        if before.state not in _WAITING:
            raise WrongState(
                f"Job {ref} is {before.state}, and run takes scheduled, retryable and pending ones. "
                f"Nothing was changed. To run it again: ferryman job retry {ref}",
                state=before.state,
            )
        return session.admin.jobs.retry(ref, actor=session.actor)

    return act(session, read_refs(ids), "started", do, _state_of)


@job.command(
    "reschedule", examples=["ferryman job reschedule 42 --at 2026-11-22T08:00", "ferryman job reschedule 42 43 --in 2h"]
)
@_ids
@click.option("--at", metavar="TIME", help="When it is due, such as 2026-11-22T08:00.")
@click.option("--in", "delay", metavar="TIME", help="After how long it is due, such as 2h.")
@click.pass_obj
def reschedule(session: Session, /, ids: tuple[str, ...], at: str | None, delay: str | None) -> int:
    """Let jobs that wait wait until another time."""
    if (at is None) == (delay is None):
        raise ConfigError("Say when: one of --at TIME and --in TIME.")
    due = session.times.read(at, "--at") if at else datetime.now(UTC) + session.times.length(delay or "", "--in")

    def do(ref: JobRef) -> Job:
        return session.admin.jobs.reschedule(ref, due, actor=session.actor)

    def now(after: Job) -> str:
        return f"{_state_of(after)}, due {session.times.both(after.scheduled_at)}"

    return act(session, read_refs(ids), "rescheduled", do, now)


@job.command("update", examples=["""ferryman job update mail/42 --args '{"to": "ada@example.com"}'"""])
@click.argument("id")
@click.option("-l", "--args", "args", metavar="JSON", help="The arguments: JSON, @file, or - for stdin.")
@click.option("--bytes", "raw", metavar="BYTES", help="Arguments that are no JSON: text, @file, or - for stdin.")
@click.pass_obj
def update(session: Session, /, id: str, args: str | None, raw: str | None) -> int:
    """Give a job that waits for its time other arguments; on Redis."""
    if args is None and raw is None:
        raise ConfigError("Say what the arguments are to be: --args JSON, or --bytes for what is no JSON.")
    payload = read_payload(None, args, raw)

    def do(ref: JobRef) -> Job:
        return session.admin.jobs.give_arguments(ref, payload, actor=session.actor)

    return act(session, read_refs([id]), "updated", do, _state_of)


@job.command(
    "cancel", examples=["ferryman job cancel 42", "ferryman job list --kind report -o ids | ferryman job cancel -"]
)
@by_ids_or_filter
@click.pass_obj
def cancel(session: Session, /, ids: tuple[str, ...], **said: Any) -> int:
    """Cancel a job, or ask the worker that runs it to stop."""
    if is_filter(ids, said):
        return act_on_all(session, Action.CANCEL, said)

    def do(ref: JobRef) -> Job:
        after = session.admin.jobs.cancel(ref, actor=session.actor)
        if after.state in FINAL and after.state is not State.CANCELLED:
            raise WrongState(f"Job {ref} is {after.state} already. Nothing was changed.", state=after.state)
        return after

    def now(after: Job) -> str:
        return "its worker is asked to stop" if after.state is State.RUNNING else _state_of(after)

    return act(session, read_refs(ids), "cancelled", do, now)


@job.command("discard", examples=["ferryman job discard 42"])
@by_ids_or_filter
@click.pass_obj
def discard(session: Session, /, ids: tuple[str, ...], **said: Any) -> int:
    """Give up on a job that waits; it is kept, as one that failed."""
    if is_filter(ids, said):
        return act_on_all(session, Action.DISCARD, said)

    def do(ref: JobRef) -> Job:
        return session.admin.jobs.discard(ref, actor=session.actor)

    return act(session, read_refs(ids), "discarded", do, _state_of)


@job.command("delete", examples=["ferryman job delete 42", "ferryman failed -o ids | ferryman job delete --yes -"])
@by_ids_or_filter
@click.pass_obj
def delete(session: Session, /, ids: tuple[str, ...], **said: Any) -> int:
    """Delete a job that is not running.  Asks first; in a script say --yes."""
    if is_filter(ids, said):
        return act_on_all(session, Action.DELETE, said)
    refs = read_refs(ids)
    if refs:
        session.confirm(f"Delete {_named(refs)} for good?")

    def do(ref: JobRef) -> Job:
        return session.admin.jobs.delete(ref, actor=session.actor)

    return act(session, refs, "deleted", do, lambda before: f"which was {before.state}")


def _state_of(after: Job) -> str:
    return f"now {after.state}"


def _named(refs: list[JobRef]) -> str:
    if len(refs) == 1:
        return f"job {refs[0]}"
    few = ", ".join(str(ref) for ref in refs[:5])
    return f"{len(refs)} jobs ({few}{', …' if len(refs) > 5 else ''})"


job.add_command(discard, "archive")  # what asynq calls it
