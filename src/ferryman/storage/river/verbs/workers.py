"""The registry of worker processes, in a side table of our own: River has none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from ferryman.storage.river.rows import parse_time, text_time
from ferryman.storage.river.steps import Batch, Query, Row, Verb
from ferryman.storage.values import WorkerInfo

__all__ = ["beat", "leave", "list_workers"]

_FORGOTTEN = timedelta(hours=1)
_decode = msgspec.json.Decoder(WorkerInfo).decode


def beat(worker: WorkerInfo, *, expires_in: timedelta, now: datetime | None) -> Verb[None]:
    """Say that a worker is alive, and forget those that have been dead for long."""
    at = now or datetime.now(UTC)
    yield Batch(
        "beat",
        [
            {
                "id": worker.id,
                "info": msgspec.json.encode(worker).decode(),
                "started_at": text_time(worker.started_at),
                "now": text_time(at),
                "expires_at": text_time(at + expires_in),
            }
        ],
    )
    yield Query("prune_workers", {"horizon": text_time(at - _FORGOTTEN)})


def leave(worker_id: str) -> Verb[None]:
    """Take a worker off the list."""
    yield Query("leave", {"id": worker_id})


def list_workers(*, now: datetime | None) -> Verb[list[WorkerInfo]]:
    """Return the workers that are alive."""
    rows: list[Row] = yield Query("workers", {"now": text_time(now or datetime.now(UTC))})
    return [msgspec.structs.replace(_decode(info), beat_at=parse_time(beat_at)) for info, beat_at in rows]
