"""Where a list of jobs goes on, in the text that all of River's clients write and read.

It is JSON in URL-safe Base64, byte for byte as Go has it, so that a page begun in one
language goes on in another (spec/river-conformance.md 2.5).
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, datetime

import msgspec

from ferryman import gojson
from ferryman.errors import ConfigError
from ferryman.job import FINAL, Job, State
from ferryman.storage.filters import JobFilter, JobOrder
from ferryman.storage.river.times import json_time

__all__ = ["Place", "behind", "column", "read"]

_NO_TIME = "0001-01-01T00:00:00Z"
"""Go's zero time: the order is by id, or the job has not the time that it goes by."""


class Place(msgspec.Struct, frozen=True):
    """The last job that was listed: its id, and its time if the order goes by one."""

    id: int
    time: datetime = datetime.min.replace(tzinfo=UTC)

    @property
    def at(self) -> datetime | None:
        """The time, if there is one."""
        return None if self.time.year == 1 else self.time


def column(which: JobFilter, order: JobOrder) -> tuple[str | None, JobFilter]:
    """Return the column of times that an order goes by, None for the id; and what is listed then.

    Raises ConfigError for jobs that have not ended, when they are ordered by when they did.
    """
    if order.by == "id":
        return None, which
    if order.by == "time":
        return _time_of(which.states[0]) if which.states else "scheduled_at", which
    if order.by == "finalized_at":
        if unfinished := [state for state in which.states if state not in FINAL]:
            raise ConfigError(
                f"Jobs that are {', '.join(unfinished)} cannot be ordered by finalized_at: they have not ended. "
                'Order by "time" or leave those states out.'
            )
        if not which.states:
            which = msgspec.structs.replace(which, states=tuple(sorted(FINAL)))
    return order.by, which


def _time_of(state: State) -> str:
    if state in FINAL:
        return "finalized_at"
    return "attempted_at" if state is State.RUNNING else "scheduled_at"


def behind(job: Job, which: JobFilter, order: JobOrder) -> str:
    """Return the cursor with which a list goes on behind a job."""
    name, _ = column(which, order)
    at = getattr(job, name) if name else None
    fields = {
        "id": int(job.id),
        "kind": job.kind,
        "queue": job.queue,
        "sort_field": order.by,
        "time": json_time(at) if at else _NO_TIME,
    }
    return urlsafe_b64encode(gojson.encode(fields)).decode()


def read(cursor: str) -> Place:
    """Return where a cursor points.  Raises ConfigError for what is none."""
    try:
        # Go's older clients know the other alphabet only.
        text = b64decode(cursor.replace("+", "-").replace("/", "_"), b"-_", validate=True)
        return msgspec.json.decode(text, type=Place)
    except (ValueError, msgspec.MsgspecError):
        raise ConfigError(f'"{cursor}" is not a cursor. Give the one that the page before ended with.') from None
