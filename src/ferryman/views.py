"""Jobs, queues and workers as JSON: the same names everywhere, times in UTC, numbers untouched."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from ferryman.admin.operations import BulkInfo
from ferryman.job import AttemptError, Job
from ferryman.storage.infos import PeriodicRun, QueueDetails, QueueInfo, WorkerInfo
from ferryman.storage.values import LineStatus

__all__ = ["bulk_view", "job_view", "line_view", "queue_details_view", "queue_view", "run_view", "worker_view"]


def job_view(job: Job) -> dict[str, Any]:
    """Return a job.  `args` is its JSON; arguments that are none are in `args_base64` instead."""
    return {
        "ref": str(job.ref),
        "id": job.id,
        "queue": job.queue,
        "kind": job.kind,
        "state": job.state,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "priority": job.priority,
        "tags": job.tags,
        **_payload(job.args),
        "scheduled_at": job.scheduled_at,
        "created_at": job.created_at,
        "attempted_at": job.attempted_at,
        "finalized_at": job.finalized_at,
        "orphaned": job.orphaned,
        "cancel_requested_at": job.cancel_requested_at,
        "attempted_by": job.attempted_by,
        "errors": [_error_view(error) for error in job.errors],
        "timeout": job.timeout,
        "deadline": job.deadline,
        "retention": job.retention,
        "headers": job.headers,
        "group": job.group or None,
        "metadata": msgspec.Raw(job.raw_metadata) if _is_json(job.raw_metadata) else None,
    }


def queue_view(queue: QueueInfo) -> dict[str, Any]:
    """Return a queue with its counts."""
    return {
        "name": queue.name,
        "paused": queue.paused_at is not None,
        "paused_at": queue.paused_at,
        "paused_by": queue.paused_by,
        "pause_reason": queue.pause_reason,
        "counts": {state.value: number for state, number in queue.counts.items()},
        "oldest": queue.oldest,
        "capped": queue.capped,
        "today": queue.today,
        "unreadable": queue.unreadable,
    }


def queue_details_view(queue: QueueInfo, details: QueueDetails) -> dict[str, Any]:
    """Return a queue with all that is known of it."""
    more = {name: value for name, value in msgspec.structs.asdict(details).items() if name != "name"}
    return {**queue_view(queue), **more}


def run_view(run: PeriodicRun) -> dict[str, Any]:
    """Return a run of a schedule, with its job as far as it is still there."""
    return {"at": run.at, "ref": str(run.ref), "job": None if run.job is None else job_view(run.job)}


def bulk_view(info: BulkInfo) -> dict[str, Any]:
    """Return a bulk operation; its filter has only what narrows."""
    which = {name: value for name, value in msgspec.to_builtins(info.which).items() if value}
    seen = {name: value for name, value in msgspec.structs.asdict(info).items() if name not in ("operation", "cursor")}
    return {**seen, "which": which, "of": info.expected}


def worker_view(worker: WorkerInfo) -> dict[str, Any]:
    """Return a worker with what it runs."""
    running = [
        {"ref": str(job.ref), "kind": job.kind, "since": job.since, "until": job.until} for job in worker.running
    ]
    schedules = {each.id: each.spec for each in worker.schedules}
    return {**msgspec.structs.asdict(worker), "running": running, "schedules": schedules}


def line_view(line: LineStatus) -> dict[str, Any]:
    """Return where a line of migrations stands."""
    return msgspec.structs.asdict(line)


def _payload(args: bytes) -> dict[str, Any]:
    if _is_json(args):
        return {"args": msgspec.Raw(args)}
    return {"args": None, "args_base64": b64encode(args).decode()}


def _error_view(error: AttemptError) -> dict[str, Any]:
    return msgspec.structs.asdict(error)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
