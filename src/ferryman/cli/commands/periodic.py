"""`ferryman periodic`: what is enqueued by the clock."""

from __future__ import annotations

import click
import msgspec

from ferryman.cli.grammar import Group
from ferryman.cli.output import Column, Listing, show
from ferryman.cli.session import Session
from ferryman.storage.values import PeriodicInfo

__all__ = ["periodic"]

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
    ),
    none="Nothing is enqueued by the clock: no worker or scheduler that is alive has a schedule.",
)


@click.group("periodic", cls=Group)
def periodic() -> None:
    """Look at what is enqueued by the clock."""


@periodic.command("list", examples=["ferryman periodic list", "ferryman periodic list --json"])
@click.pass_obj
def list_(session: Session) -> None:
    """List the schedules of all workers that are alive, and of Go's schedulers, with their last and next run."""
    show(session, ENTRIES, session.admin.periodic.list())
