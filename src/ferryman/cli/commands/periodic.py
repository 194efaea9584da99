"""`ferryman periodic`: what is enqueued by the clock; running it now, pausing it."""

from __future__ import annotations

import click
import msgspec

from ferryman.cli.completing import complete_schedules
from ferryman.cli.grammar import Group
from ferryman.cli.jobs_shown import state_style
from ferryman.cli.output import Column, Listing, show
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.redaction import Redaction
from ferryman.storage.infos import PeriodicInfo, PeriodicRun
from ferryman.views import run_view

__all__ = ["periodic"]


def _paused(entry: PeriodicInfo, times: Times) -> str:
    by = f" by {entry.paused_by}" if entry.paused_by else ""
    return f"{times.ago(entry.paused_at)}{by}" if entry.paused_at else ""


ENTRIES = Listing[PeriodicInfo](
    msgspec.structs.asdict,
    lambda entry: entry.id,
    (
        Column("ENTRY", lambda entry, times: entry.id),
        Column("SCHEDULE", lambda entry, times: entry.spec),
        Column("KIND", lambda entry, times: entry.kind),
        Column("QUEUE", lambda entry, times: entry.queue),
        Column("NEXT", lambda entry, times: times.ago(entry.next_at), right=True),
        Column("LAST", lambda entry, times: times.ago(entry.last_at), right=True),
        Column("AT", lambda entry, times: times.clock(entry.next_at), wide=True),
        Column("BY", lambda entry, times: entry.owner),
        Column("PAUSED", _paused, style=lambda text: "yellow"),
        Column("REASON", lambda entry, times: entry.pause_reason, wide=True),
    ),
    none="Nothing is enqueued by the clock: no worker or scheduler that is alive has a schedule.",
)


def _without_secrets(redaction: Redaction, run: PeriodicRun) -> PeriodicRun:
    return run if run.job is None else msgspec.structs.replace(run, job=redaction.job(run.job))


RUNS = Listing[PeriodicRun](
    run_view,
    lambda run: str(run.ref),
    (
        Column("RUN", lambda run, times: times.ago(run.at), right=True),
        Column("AT", lambda run, times: times.clock(run.at)),
        Column("ID", lambda run, times: str(run.ref)),
        Column("STATE", lambda run, times: run.job.state if run.job else "gone", style=lambda text: _style(text)),
        Column("ERROR", lambda run, times: run.job.error.error if run.job and run.job.error else ""),
    ),
    none="No run of it is remembered.",
    safe=_without_secrets,
)


def _style(state: str) -> str:
    return "bright_black" if state == "gone" else state_style(state)


@click.group("periodic", cls=Group)
def periodic() -> None:
    """Look at what is enqueued by the clock, run it now, pause it."""


@periodic.command("list", examples=["ferryman periodic list", "ferryman periodic list --json"])
@click.pass_obj
def list_(session: Session) -> None:
    """List the schedules of all workers that are alive, and of Go's schedulers, with their last and next run."""
    show(session, ENTRIES, session.admin.periodic.list())


_entry = click.argument("id", metavar="ENTRY", shell_complete=complete_schedules)
_reason = click.option("--reason", default="", help="Why, for the log.")


@periodic.command("history", examples=["ferryman periodic history report", "ferryman periodic history report -o ids"])
@_entry
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N", help="How many.")
@click.pass_obj
def history(session: Session, /, id: str, limit: int) -> None:
    """Show the latest runs of a schedule, and what became of them as long as their jobs are kept."""
    show(session, RUNS, session.admin.periodic.history(id, limit=limit))


@periodic.command("run", examples=["ferryman periodic run report"])
@_entry
@_reason
@click.pass_obj
def run(session: Session, /, id: str, reason: str) -> None:
    """Enqueue a schedule's job now; when it is due next stays as it was."""
    stored = session.admin.periodic.run(id, actor=session.actor, reason=reason)
    session.note(f"{id} runs now as job {stored.ref}")
    show(session, _STORED, [str(stored.ref)])


_STORED = Listing[str](lambda ref: {"ref": ref}, lambda ref: ref, lines=lambda ref, times: [ref])


@periodic.command("pause", examples=["ferryman periodic pause report --reason 'provider is down'"])
@_entry
@click.option("--reason", default="", help="Why, for the log and for who looks at the schedule.")
@click.pass_obj
def pause(session: Session, /, id: str, reason: str) -> None:
    """Let no worker enqueue a schedule's job by the clock; what is due meanwhile is left out."""
    show(session, ENTRIES, [session.admin.periodic.pause(id, actor=session.actor, reason=reason)])


@periodic.command("resume", examples=["ferryman periodic resume report"])
@_entry
@_reason
@click.pass_obj
def resume(session: Session, /, id: str, reason: str) -> None:
    """Let a paused schedule go on with its next run."""
    session.admin.periodic.resume(id, actor=session.actor, reason=reason)
    show(session, ENTRIES, [entry for entry in session.admin.periodic.list() if entry.id == id])
