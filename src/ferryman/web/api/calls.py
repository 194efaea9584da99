"""Every call of the API: where, what it needs, what it takes, who answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ferryman.web.answering import Endpoint
from ferryman.web.api import changing, looking
from ferryman.web.api.answers import ActWanted, BulkWanted, EnqueueWanted, QueuesWanted, ScheduleWanted
from ferryman.web.entrance.access import Level
from ferryman.web.entrance.door import Needs
from ferryman.web.filters import FIELDS

__all__ = ["CALLS", "PREFIX", "Call"]

PREFIX = "/api/v1/s/{storage}"

_LOOK = Needs(Level.VIEW)
_OPERATE = Needs(Level.OPERATE, changes=True)
_ADMIN = Needs(Level.ADMIN, changes=True)
_PAGED = (*FIELDS, "limit", "cursor")


@dataclass(frozen=True)
class Call:
    """One call.  `words` are what its query may say, `body` what its body has to."""

    method: str
    path: str
    endpoint: Endpoint
    needs: Needs = _LOOK
    words: Sequence[str] = ()
    required: Sequence[str] = ()
    body: type[msgspec.Struct] | None = None
    statuses: Sequence[int] = (200,)

    @property
    def name(self) -> str:
        """What it is called in the documentation."""
        return self.endpoint.__name__


CALLS: Sequence[Call] = (
    Call("GET", "/capabilities", looking.capabilities),
    Call("GET", "/snapshot", looking.snapshot),
    Call("GET", "/queues", looking.queues),
    Call("POST", "/queues/pause", changing.pause, _OPERATE, body=QueuesWanted),
    Call("POST", "/queues/resume", changing.resume, _OPERATE, body=QueuesWanted),
    Call("DELETE", "/queues", changing.delete_queues, _ADMIN, body=QueuesWanted),
    Call("GET", "/jobs", looking.jobs, words=_PAGED),
    Call("GET", "/jobs/count", looking.count, words=FIELDS),
    Call("GET", "/job", looking.job, words=("id", "queue", "ref")),
    Call("POST", "/jobs/act", changing.act, _OPERATE, body=ActWanted, statuses=(200, 207)),
    Call("GET", "/failed/groups", looking.groups, words=FIELDS),
    Call("GET", "/bulks", looking.bulks),
    Call("GET", "/bulk", looking.bulk, words=("id",), required=("id",)),
    Call("POST", "/bulk/preview", changing.preview, _OPERATE, body=BulkWanted),
    Call("POST", "/bulk", changing.start_bulk, _OPERATE, body=BulkWanted, statuses=(202,)),
    Call("POST", "/bulk/stop", changing.stop_bulk, _OPERATE, words=("id",), required=("id",)),
    Call("GET", "/periodic", looking.periodic),
    Call("POST", "/periodic/run", changing.run, _OPERATE, body=ScheduleWanted),
    Call("POST", "/periodic/pause", changing.pause_periodic, _OPERATE, body=ScheduleWanted),
    Call("POST", "/periodic/resume", changing.resume_periodic, _OPERATE, body=ScheduleWanted),
    Call("GET", "/workers", looking.workers),
    Call("GET", "/storage", looking.storage),
    Call("GET", "/scale", looking.scale, words=("queue",)),
    Call("POST", "/enqueue", changing.enqueue, _ADMIN, body=EnqueueWanted, statuses=(201,)),
)
