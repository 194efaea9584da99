"""`ferryman bulk`: actions on many jobs, how far they are; stopping and continuing them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec

from ferryman.admin.operations import BulkInfo, BulkState
from ferryman.cli.bulk import work_on
from ferryman.cli.grammar import Group
from ferryman.cli.output import Column, Listing, plain, show
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.views import bulk_view

__all__ = ["bulk"]

_STYLES = {
    BulkState.RUNNING: "magenta",
    BulkState.STOPPING: "yellow",
    BulkState.STOPPED: "yellow",
    BulkState.INTERRUPTED: "red",
    BulkState.DONE: "green",
}


def _chosen(info: BulkInfo) -> str:
    """Return which jobs it is about, in the words of the filter."""
    said = {name: value for name, value in msgspec.to_builtins(info.which).items() if value}
    return " ".join(f"{name}={_words(value)}" for name, value in said.items())


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}={each}" for name, each in value.items())
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


OPERATIONS = Listing[BulkInfo](
    bulk_view,
    lambda info: info.id,
    (
        Column("ID", lambda info, times: info.id),
        Column("ACTION", lambda info, times: info.action),
        Column("STATE", lambda info, times: info.state, style=lambda text: _STYLES[BulkState(text)]),
        Column("DONE", lambda info, times: f"{info.done:,}", right=True),
        Column("SKIPPED", lambda info, times: f"{info.skipped:,}", right=True),
        Column("OF", lambda info, times: "" if info.expected is None else f"{info.expected:,}", right=True),
        Column("STARTED", lambda info, times: times.ago(info.started_at), right=True),
        Column("BY", lambda info, times: info.actor),
        Column("JOBS", lambda info, times: _chosen(info)),
    ),
    none="No bulk operation in the last seven days.",
)


def _card(info: BulkInfo, times: Times) -> Iterator[str]:
    state = click.style(info.state, fg=_STYLES[info.state], bold=True)
    yield f"{click.style(info.action, bold=True)} {info.id}  {state}"
    facts = {
        "jobs": _chosen(info),
        "by": info.actor,
        "reason": info.reason,
        "started": times.both(info.started_at),
        "ended": times.both(info.ended_at),
        "done": f"{info.done:,} of {info.expected:,}" if info.expected is not None else f"{info.done:,}",
        "skipped": ", ".join(f"{number:,} {reason}" for reason, number in info.reasons.items()),
        "error": info.error,
    }
    for name, value in facts.items():
        if value:
            yield f"  {click.style(f'{name:<10}', dim=True)} {plain(value)}"
    for skipped in info.latest:
        yield f"  {skipped.ref}  {plain(skipped.detail)}"


CARD = Listing[BulkInfo](bulk_view, lambda info: info.id, lines=_card)


@click.group("bulk", cls=Group)
def bulk() -> None:
    """Look at actions on many jobs, stop and continue them."""


@bulk.command("list", examples=["ferryman bulk list", "ferryman bulk list --json"])
@click.pass_obj
def list_(session: Session) -> None:
    """List the bulk operations of the last seven days, the latest first."""
    show(session, OPERATIONS, session.admin.bulk.list())


_id = click.argument("id", metavar="ID")


@bulk.command("show", examples=["ferryman bulk show 5f0c1a2b3c4d"])
@_id
@click.pass_obj
def show_(session: Session, /, id: str) -> None:
    """Show how far a bulk operation is, and what it left out."""
    show(session, CARD, [session.admin.bulk.get(id)])


@bulk.command("stop", examples=["ferryman bulk stop 5f0c1a2b3c4d"])
@_id
@click.pass_obj
def stop(session: Session, /, id: str) -> None:
    """Let a bulk operation stop after the step it is at, wherever it runs; what is done is done."""
    show(session, OPERATIONS, [session.admin.bulk.stop(id, actor=session.actor)])


@bulk.command("continue", examples=["ferryman bulk continue 5f0c1a2b3c4d"])
@_id
@click.pass_context
def go_on(context: click.Context, /, id: str) -> None:
    """Go on with a bulk operation that was stopped or interrupted, where it was."""
    session: Session = context.obj
    context.exit(work_on(session, session.admin.bulk.resume(id)))
