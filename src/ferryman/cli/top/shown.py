"""How an overview is shown: its panels, the line above them, and all of it as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click
import msgspec

from ferryman.admin.failures import FailedGroup
from ferryman.cli.commands.failed import GROUPS, group_without_secrets
from ferryman.cli.commands.periodic import ENTRIES
from ferryman.cli.output import Column, Listing, Row, plain
from ferryman.cli.table import drawn
from ferryman.cli.times import Times, about
from ferryman.cli.top.overview import Overview, QueueSeen, RunningSeen
from ferryman.job import State
from ferryman.redaction import Redaction
from ferryman.storage.infos import PeriodicInfo, WorkerInfo
from ferryman.views import queue_view, worker_view

__all__ = ["ONCE", "PANELS", "head", "safe", "things"]


def _note(queue: QueueSeen, times: Times) -> str:
    if queue.info.paused_at is not None:
        return f"paused {times.ago(queue.info.paused_at)}"
    return "no worker!" if queue.left_alone else ""


def _wait(queue: QueueSeen, times: Times) -> str:
    oldest = queue.info.oldest
    return about(times.now - oldest) if oldest and times.now >= oldest else ""


def _count(queue: QueueSeen, state: State) -> str:
    return f"{queue.info.counts.get(state, 0):,}"


_QUEUES = Listing[QueueSeen](
    lambda queue: {**queue_view(queue.info), "workers": queue.workers},
    lambda queue: queue.info.name,
    (
        Column("QUEUE", lambda queue, times: queue.info.name),
        Column("READY", lambda queue, times: _count(queue, State.AVAILABLE), right=True),
        Column("OLDEST", _wait, right=True),
        Column("NOTE", _note, style=lambda text: "yellow" if text.startswith("paused") else "red"),
    ),
    none="No queue has been used yet.",
)
_WORKERS = Listing[WorkerInfo](
    worker_view,
    lambda worker: worker.id,
    (
        Column("WORKER", lambda worker, times: f"{worker.host}:{worker.pid}"),
        Column("BUSY", lambda worker, times: f"{len(worker.running)}/{worker.concurrency}", right=True),
        Column("UP", lambda worker, times: about(times.now - worker.started_at), right=True),
        Column("STATUS", lambda worker, times: worker.status, style=lambda text: "" if text == "active" else "yellow"),
    ),
    none="No worker is alive. Start one with: ferryman worker app.main:jobs",
)
_RUNNING = Listing[RunningSeen](
    lambda each: {
        "ref": str(each.job.ref),
        "kind": each.job.kind,
        "queue": each.job.queue,
        "since": each.since,
        "worker": each.worker,
        "attempt": each.job.attempt,
        "max_attempts": each.job.max_attempts,
    },
    lambda each: str(each.job.ref),
    (
        Column("FOR", lambda each, times: about(times.now - each.since) if each.since else "", right=True),
        Column("KIND", lambda each, times: each.job.kind),
        Column("ID", lambda each, times: str(each.job.ref)),
        Column("QUEUE", lambda each, times: each.job.queue),
        Column("WORKER", lambda each, times: each.worker),
        Column("ATTEMPT", lambda each, times: f"{each.job.attempt} of {each.job.max_attempts}"),
    ),
    none="Nothing runs.",
)
_FAILED = Listing[FailedGroup](
    GROUPS.view,
    GROUPS.id,
    (
        Column("JOBS", lambda group, times: f"{group.count:,}", right=True),
        Column("LAST", lambda group, times: times.ago(group.last_at), right=True),
        Column("KIND", lambda group, times: group.kind),
        Column("ERROR", lambda group, times: group.error, style=lambda text: "red"),
    ),
    none=GROUPS.none,
)
_PERIODIC = Listing[PeriodicInfo](ENTRIES.view, ENTRIES.id, ENTRIES.columns[:-2], none=ENTRIES.none)

PANELS: dict[str, Listing[Any]] = {
    "queues": _QUEUES,
    "running": _RUNNING,
    "failed": _FAILED,
    "periodic": _PERIODIC,
    "workers": _WORKERS,
}
"""Each panel by its name, in the order of its keys."""


def things(overview: Overview, panel: str) -> Sequence[Any]:
    """Return what a panel shows."""
    found: Sequence[Any] = overview.failed.groups if panel == "failed" else getattr(overview, panel)
    return found


def safe(redaction: Redaction, overview: Overview) -> Overview:
    """Return an overview without secrets."""
    groups = tuple(group_without_secrets(redaction, each) for each in overview.failed.groups)
    return msgspec.structs.replace(overview, failed=msgspec.structs.replace(overview.failed, groups=groups))


def head(overview: Overview) -> str:
    """Return the numbers of all queues together and where they are, as one line: the most telling first."""
    counts = {
        "ready": f"{overview.count(State.AVAILABLE):,}",
        "running": f"{overview.count(State.RUNNING):,}/{overview.slots:,}",
        "retry": f"{overview.count(State.RETRYABLE):,}",
        "failed": f"{overview.count(State.DISCARDED):,}",
    }
    return "  ".join([*(f"{name} {number}" for name, number in counts.items()), overview.place])


def _lines(overview: Overview, times: Times) -> Iterator[str]:
    yield head(overview)
    for name, listing in PANELS.items():
        yield ""
        yield click.style(name.capitalize(), bold=True)
        rows = [[plain(column.cell(thing, times)) for column in listing.columns] for thing in things(overview, name)]
        yield from drawn(listing.columns, rows, cut=True) if rows else [listing.none]


def _view(overview: Overview) -> Row:
    panels = {name: [PANELS[name].view(each) for each in things(overview, name)] for name in PANELS}
    looked = msgspec.structs.asdict(overview.failed)
    scan = {f"failed_{name}": looked[name] for name in ("scanned", "of", "truncated")}
    counts = {state.value: number for state in State if (number := overview.count(state))}
    return {"at": overview.at, "location": overview.location, "counts": counts, **panels, **scan}


ONCE = Listing[Overview](_view, lambda overview: overview.location, lines=_lines, safe=safe)
