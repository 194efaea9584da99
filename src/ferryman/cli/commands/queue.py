"""`ferryman queue`: what waits where, pausing, resuming and deleting."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from ferryman.cli.completing import complete_queues
from ferryman.cli.grammar import Group
from ferryman.cli.jobs_shown import state_style
from ferryman.cli.output import Column, Listing, plain, show
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.job import State
from ferryman.storage.infos import DayCounts, QueueDetails, QueueInfo
from ferryman.views import queue_details_view, queue_view

__all__ = ["queue"]

_SHOWN = (State.AVAILABLE, State.RUNNING, State.SCHEDULED, State.RETRYABLE, State.DISCARDED)


def _count(state: State) -> Column[QueueInfo]:
    def cell(queue: QueueInfo, times: object) -> str:
        return str(queue.counts.get(state, 0))

    def style(text: str) -> str:
        return "bright_black" if text == "0" else state_style(state)

    return Column(state.upper(), cell, right=True, wide=state not in _SHOWN, style=style)


QUEUES = Listing[QueueInfo](
    queue_view,
    lambda queue: queue.name,
    (
        Column("QUEUE", lambda queue, times: queue.name),
        *(_count(state) for state in (*_SHOWN, *(state for state in State if state not in _SHOWN))),
        Column("OLDEST", lambda queue, times: times.ago(queue.oldest), right=True),
        Column("PAUSED", lambda queue, times: times.ago(queue.paused_at), style=lambda text: "yellow"),
        Column("BY", lambda queue, times: queue.paused_by, wide=True),
        Column("REASON", lambda queue, times: queue.pause_reason, wide=True),
    ),
    none="No queue has been used yet.",
)


@click.group("queue", cls=Group)
def queue() -> None:
    """Look at queues, pause, resume and delete them."""


@queue.command("list", examples=["ferryman queue list", "ferryman queue list -o wide"])
@click.pass_obj
def list_(session: Session) -> None:
    """List the queues with how many jobs each has, by state."""
    show(session, QUEUES, session.admin.queues.list())


_name = click.argument("name", metavar="QUEUE", shell_complete=complete_queues)


def _card(both: tuple[QueueInfo, QueueDetails], times: Times) -> Iterator[str]:
    """Show one queue, line by line."""
    queue, details = both
    yield click.style(plain(queue.name), bold=True)
    for name, value in _facts(queue, details, times):
        if value:
            yield f"  {click.style(f'{name:<10}', dim=True)} {plain(value)}"


def _facts(queue: QueueInfo, details: QueueDetails, times: Times) -> Iterator[tuple[str, str]]:
    yield "paused", _paused(queue, times)
    for state in State:
        yield state, f"{queue.counts[state]:,}" if state in queue.counts else ""
    yield "oldest", times.both(queue.oldest)
    for group, waiting in details.groups.items():
        yield "group", f"{group}: {waiting:,}"
    yield "memory", f"about {details.memory:,} bytes" if details.memory is not None else ""
    if details.processed is not None:
        yield "processed", f"{details.processed:,} in all, {details.failed or 0:,} of them failed"
    yield "slot", str(details.slot) if details.slot is not None else ""
    yield "nodes", ", ".join(details.nodes)


def _paused(queue: QueueInfo, times: Times) -> str:
    if queue.paused_at is None:
        return ""
    by = f" by {queue.paused_by}" if queue.paused_by else ""
    return times.both(queue.paused_at) + by + (f": {queue.pause_reason}" if queue.pause_reason else "")


QUEUE = Listing[tuple[QueueInfo, QueueDetails]](
    lambda both: queue_details_view(*both), lambda both: both[0].name, lines=_card
)


@queue.command("show", examples=["ferryman queue show default", "ferryman queue show default --json"])
@_name
@click.pass_obj
def show_(session: Session, name: str) -> None:
    """Show everything about a queue; on Redis its memory, its groups and its place in a Cluster too."""
    queues = session.admin.queues
    show(session, QUEUE, [(queues.get(name), queues.details(name))])


DAYS = Listing[DayCounts](
    msgspec.structs.asdict,
    lambda day: day.day.isoformat(),
    (
        Column("DAY", lambda day, times: day.day.isoformat()),
        Column("PROCESSED", lambda day, times: f"{day.processed:,}", right=True),
        Column("FAILED", lambda day, times: f"{day.failed:,}", right=True),
    ),
)


@queue.command(
    "history", examples=["ferryman queue history default", "ferryman queue history default --days 90 --json"]
)
@_name
@click.option("--days", type=click.IntRange(1, 90), default=14, show_default=True, metavar="N", help="How many days.")
@click.pass_obj
def history(session: Session, /, name: str, days: int) -> None:
    """Show how much a queue did on each day (UTC), and how much of it failed.

    On Redis these are asynq's counters of attempts; a database counts the ended jobs that it still has.
    """
    show(session, DAYS, session.admin.queues.history(name, days=days))


@queue.command("pause", examples=["ferryman queue pause default --reason upgrade", "ferryman queue pause '*'"])
@_name
@click.option("--reason", default="", help="Why, for the log and for who looks at the queue.")
@click.pass_obj
def pause(session: Session, name: str, reason: str) -> None:
    """Let nobody take jobs from a queue, or from all ('*'); running ones go on."""
    session.admin.queues.pause(name, actor=session.actor, reason=reason)
    _confirm(session, name)


@queue.command("resume", examples=["ferryman queue resume default"])
@_name
@click.option("--reason", default="", help="Why, for the log.")
@click.pass_obj
def resume(session: Session, name: str, reason: str) -> None:
    """Let workers take jobs from a paused queue again, or from all ('*')."""
    session.admin.queues.resume(name, actor=session.actor, reason=reason)
    _confirm(session, name)


@queue.command("delete", examples=["ferryman queue delete old", "ferryman queue delete old --force"])
@_name
@click.option("--force", is_flag=True, help="Delete its jobs first; running ones are left, and then the queue is too.")
@click.pass_obj
def delete(session: Session, /, name: str, force: bool) -> None:
    """Forget a queue that holds no job.  Asks first; in a script say --yes."""
    there = session.admin.queues.get(name)
    jobs = sum(there.counts.values())
    session.confirm(f'Delete the queue "{name}"{f" and its {jobs:,} jobs" if force and jobs else ""} for good?')
    session.admin.queues.delete(name, force=force, actor=session.actor)
    show(session, QUEUES, session.admin.queues.list())


def _confirm(session: Session, name: str) -> None:
    """Show what the queue is now."""
    queues = session.admin.queues
    show(session, QUEUES, queues.list() if name == "*" else [queues.get(name)])
