"""Every call of the API: where, what it needs, what it takes, who answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ferryman.admin.capabilities import Capabilities
from ferryman.shapes import Job
from ferryman.web.answering import Endpoint
from ferryman.web.api import changing, looking, shapes
from ferryman.web.api.answers import ActWanted, BulkWanted, EnqueueWanted, QueuesWanted, ScheduleWanted
from ferryman.web.entrance.access import Level
from ferryman.web.entrance.door import Needs
from ferryman.web.filters import FIELDS

__all__ = ["CALLS", "PREFIX", "Call"]

PREFIX = "/api/v1/s/{storage}"

_LOOK = Needs(Level.VIEW)
_OPERATE = Needs(Level.OPERATE, changes=True)
_ADMIN = Needs(Level.ADMIN, changes=True)
_PAGED = (*FIELDS, "order", "limit", "cursor")


@dataclass(frozen=True)
class Call:
    """One call.  `answer` is what it answers, `words` what its query may say, `body` what its body has to."""

    method: str
    path: str
    endpoint: Endpoint
    answer: type[msgspec.Struct | str]
    needs: Needs = _LOOK
    words: Sequence[str] = ()
    required: Sequence[str] = ()
    body: type[msgspec.Struct] | None = None
    statuses: Sequence[int] = (200,)
    media: str = "application/json"

    @property
    def name(self) -> str:
        """What it is called in the documentation."""
        return self.endpoint.__name__


CALLS: Sequence[Call] = (
    Call("GET", "/capabilities", looking.capabilities, Capabilities),
    Call("GET", "/snapshot", looking.snapshot, shapes.Snapshot),
    Call("GET", "/events", looking.events, str, media="text/event-stream"),
    Call("GET", "/queues", looking.queues, shapes.Queues),
    Call("POST", "/queues/pause", changing.pause, shapes.Paused, _OPERATE, body=QueuesWanted),
    Call("POST", "/queues/resume", changing.resume, shapes.Resumed, _OPERATE, body=QueuesWanted),
    Call("DELETE", "/queues", changing.delete_queues, shapes.Deleted, _ADMIN, body=QueuesWanted),
    Call("GET", "/jobs", looking.jobs, shapes.Jobs, words=_PAGED),
    Call("GET", "/jobs/count", looking.count, shapes.Count, words=FIELDS),
    Call("GET", "/job", looking.job, Job, words=("id", "queue", "ref")),
    Call("POST", "/jobs/act", changing.act, shapes.Acted, _OPERATE, body=ActWanted, statuses=(200, 207)),
    Call("GET", "/failed/groups", looking.groups, shapes.Groups, words=FIELDS),
    Call("GET", "/bulks", looking.bulks, shapes.Bulks),
    Call("GET", "/bulk", looking.bulk, shapes.Bulk, words=("id",), required=("id",)),
    Call("POST", "/bulk/preview", changing.preview, shapes.Previewed, _OPERATE, body=BulkWanted),
    Call("POST", "/bulk", changing.start_bulk, shapes.Bulk, _OPERATE, body=BulkWanted, statuses=(202,)),
    Call("POST", "/bulk/stop", changing.stop_bulk, shapes.Bulk, _OPERATE, words=("id",), required=("id",)),
    Call("GET", "/periodic", looking.periodic, shapes.Schedules),
    Call("POST", "/periodic/run", changing.run, shapes.Ran, _OPERATE, body=ScheduleWanted),
    Call("POST", "/periodic/pause", changing.pause_periodic, shapes.PausedSchedule, _OPERATE, body=ScheduleWanted),
    Call("POST", "/periodic/resume", changing.resume_periodic, shapes.ResumedSchedule, _OPERATE, body=ScheduleWanted),
    Call("GET", "/workers", looking.workers, shapes.Workers),
    Call("GET", "/storage", looking.storage, shapes.Checks),
    Call("GET", "/scale", looking.scale, shapes.Scale, words=("queue",)),
    Call("POST", "/enqueue", changing.enqueue, shapes.Stored, _ADMIN, body=EnqueueWanted, statuses=(201,)),
)
