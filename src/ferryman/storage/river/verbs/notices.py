"""River's notification table: what other processes have to say (spec/river.md 8.2, 9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ferryman.job import JobRef
from ferryman.storage.river.steps import Query, Row, Verb
from ferryman.storage.values import (
    CancelRequested,
    JobsAvailable,
    LeaderResigned,
    Notice,
    QueueChanged,
    ResignRequested,
)

__all__ = ["KEPT", "TOPICS", "last_notice", "listened_to", "new_notices", "notices_in", "prune_notices"]

KEPT = timedelta(minutes=5)
TOPICS = ("river_insert", "river_control", "river_leadership")


def last_notice() -> Verb[int]:
    """Return where the table ends now: what is older is nobody's business."""
    rows = yield Query("last_notice")
    return int(rows[0][0])


def new_notices(after: int) -> Verb[tuple[int, list[Notice]]]:
    """Return what came since, and where the table ends now."""
    found: list[Notice] = []
    rows: list[Row]
    while rows := (yield Query("notices", {"after": after})):
        after = rows[-1][0]
        found += [notice for _, topic, payload in rows for notice in notices_in(topic, payload)]
    return after, found


def prune_notices(*, now: datetime | None) -> Verb[int]:
    """Delete notices that everybody has had time to read."""
    horizon = (now or datetime.now(UTC)) - KEPT
    rows = yield Query("prune_notices", {"horizon": horizon})
    return len(rows)


def listened_to() -> Verb[str]:
    """Return the schema whose channels are ours (spec/river.md 8.1)."""
    rows = yield Query("schema_listened_to")
    return str(rows[0][0])


def notices_in(topic: str, payload: str) -> Iterator[Notice]:
    """Read one notification.  What is unknown or not JSON is passed over, as every client of River does."""
    try:
        said = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        return
    match topic, said:
        case "river_insert", {"queue": str(queue)}:
            yield JobsAvailable(queue)
        case "river_control", {"action": "cancel", "job_id": int(id)}:
            yield CancelRequested(JobRef(str(id)))
        case "river_control", {"action": "pause" | "resume" as action, "queue": str(queue)}:
            yield QueueChanged(queue, action == "pause")
        case "river_control", {"action": "metadata_changed", "queue": str(queue)}:
            yield QueueChanged(queue)
        case "river_leadership", {"action": "resigned", **rest}:
            yield LeaderResigned(str(rest.get("leader_id", "")))
        case "river_leadership", {"action": "request_resign"}:
            yield ResignRequested()
