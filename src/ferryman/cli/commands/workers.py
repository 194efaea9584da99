"""`ferryman workers`: who runs jobs."""

from __future__ import annotations

from dataclasses import replace

import click

from ferryman.cli.grammar import command
from ferryman.cli.output import Column, Listing, show
from ferryman.cli.session import Session
from ferryman.sizes import mebibytes
from ferryman.storage.infos import Running, WorkerInfo
from ferryman.views import worker_view

__all__ = ["workers"]

WORKERS = Listing[WorkerInfo](
    worker_view,
    lambda worker: worker.id,
    (
        Column("WORKER", lambda worker, times: f"{worker.host}:{worker.pid}"),
        Column("STATUS", lambda worker, times: worker.status, style=lambda text: "" if text == "active" else "yellow"),
        Column("RUNNING", lambda worker, times: f"{len(worker.running)}/{worker.concurrency}", right=True),
        Column("STARTED", lambda worker, times: times.ago(worker.started_at), right=True),
        Column("SEEN", lambda worker, times: times.ago(worker.beat_at), right=True),
        Column("ID", lambda worker, times: worker.id, wide=True),
        Column("MEMORY", lambda worker, times: mebibytes(worker.memory or 0) if worker.memory else "", True, wide=True),
        Column("VERSION", lambda worker, times: worker.version, wide=True),
        Column("KINDS", lambda worker, times: " ".join(worker.kinds), wide=True),
        Column("QUEUES", lambda worker, times: _queues(worker)),
    ),
    none="No worker is alive. Start one with: ferryman worker app.main:jobs",
)

LOST = replace(WORKERS, none="No worker fell silent within the last hour without a word.")

RUNNING = Listing[tuple[WorkerInfo, Running]](
    lambda each: {"ref": str(each[1].ref), "kind": each[1].kind, "since": each[1].since, "worker": each[0].id},
    lambda each: str(each[1].ref),
    (
        Column("ID", lambda each, times: str(each[1].ref)),
        Column("KIND", lambda each, times: each[1].kind),
        Column("WORKER", lambda each, times: f"{each[0].host}:{each[0].pid}"),
        Column("STARTED", lambda each, times: times.ago(each[1].since), right=True),
        Column("TIME IS UP", lambda each, times: times.ago(each[1].until), right=True),
    ),
    none="No worker says that it runs a job.",
)


@command("workers", examples=["ferryman workers", "ferryman workers -o wide", "ferryman workers --running"])
@click.option("--lost", is_flag=True, help="Those that fell silent within the last hour without a word.")
@click.option("--running", is_flag=True, help="The jobs that they run, and since when.")
@click.pass_obj
def workers(session: Session, /, lost: bool, running: bool) -> None:
    """List the workers that are alive."""
    there = session.admin.workers.lost() if lost else session.admin.workers.list()
    if running:
        show(session, RUNNING, [(worker, job) for worker in there for job in worker.running])
    else:
        show(session, LOST if lost else WORKERS, there)


def _queues(worker: WorkerInfo) -> str:
    weighed = len(set(worker.queues.values())) > 1
    return " ".join(f"{name}:{weight}" if weighed else name for name, weight in worker.queues.items())
