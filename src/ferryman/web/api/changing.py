"""What can be changed over the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import QueryParams
from starlette.responses import Response

from ferryman.job import JobRef
from ferryman.views import job_view
from ferryman.web.api.answers import ActWanted, BulkWanted, EnqueueWanted, QueuesWanted, ScheduleWanted, answer, body
from ferryman.web.api.looking import bulk_view
from ferryman.web.filters import Chosen, read_chosen
from ferryman.web.reading import counted
from ferryman.web.refusals import Refusal
from ferryman.web.visit import Visit

__all__ = [
    "act",
    "delete_queues",
    "enqueue",
    "pause",
    "pause_periodic",
    "preview",
    "resume",
    "resume_periodic",
    "run",
    "start_bulk",
    "stop_bulk",
]


async def act(visit: Visit) -> Response:
    """Do the same with some jobs, and say for each what became of it."""
    wanted = await body(visit, ActWanted)
    outcomes = await visit.changes.act(wanted.action, [JobRef.parse(ref) for ref in wanted.refs], wanted.reason)
    rows = [{"ref": str(each.ref), "outcome": each.what, "state": each.state, "detail": each.why} for each in outcomes]
    await visit.place.changed()
    return answer({"outcomes": rows}, 207 if any(each.what != "done" for each in outcomes) else 200)


async def pause(visit: Visit) -> Response:
    """Let nobody take jobs from these queues."""
    return await _each_queue(visit, visit.changes.pause, "paused")


async def resume(visit: Visit) -> Response:
    """Let workers take jobs from these queues again."""
    return await _each_queue(visit, visit.changes.resume, "resumed")


async def delete_queues(visit: Visit) -> Response:
    """Forget queues that hold no job."""
    return await _each_queue(visit, visit.changes.delete_queue, "deleted")


async def _each_queue(visit: Visit, change: Callable[[str, str], Awaitable[None]], done: str) -> Response:
    wanted = await body(visit, QueuesWanted)
    for name in wanted.names:
        await change(name, wanted.reason)
    await visit.place.changed()
    return answer({done: wanted.names})


async def preview(visit: Visit) -> Response:
    """Say how many jobs a bulk operation would act on, with a few of them."""
    wanted = await body(visit, BulkWanted)
    found = await counted(visit, _chosen(visit, wanted).which)
    samples = [job_view(each) for each in found.samples]
    return answer({"action": wanted.action, "count": found.count, "capped": found.capped, "samples": samples})


async def start_bulk(visit: Visit) -> Response:
    """Begin to act on every job that a filter means."""
    wanted = await body(visit, BulkWanted)
    chosen = _chosen(visit, wanted)
    return answer(bulk_view(await visit.changes.start_bulk(wanted.action, chosen.which, wanted.expected)), 202)


async def stop_bulk(visit: Visit) -> Response:
    """Stop a bulk operation after its present step."""
    return answer(bulk_view(await visit.changes.stop_bulk(visit.query.get("id", ""))))


async def run(visit: Visit) -> Response:
    """Enqueue the job of a schedule now."""
    wanted = await body(visit, ScheduleWanted)
    stored = await visit.changes.run_periodic(wanted.key, wanted.reason)
    return answer({"ref": str(stored.ref), "state": stored.state})


async def pause_periodic(visit: Visit) -> Response:
    """Let nobody enqueue by a schedule."""
    wanted = await body(visit, ScheduleWanted)
    await visit.changes.pause_periodic(wanted.key, wanted.reason)
    return answer({"paused": wanted.key})


async def resume_periodic(visit: Visit) -> Response:
    """Let jobs be enqueued by a schedule again."""
    wanted = await body(visit, ScheduleWanted)
    await visit.changes.resume_periodic(wanted.key, wanted.reason)
    return answer({"resumed": wanted.key})


async def enqueue(visit: Visit) -> Response:
    """Store a job."""
    wanted = await body(visit, EnqueueWanted)
    said = {"queue": wanted.queue, "delay": wanted.delay, "unique": wanted.unique}
    given = {name: value for name, value in said.items() if value is not None}
    stored = await visit.changes.enqueue(wanted.kind, bytes(wanted.args) or b"{}", **given)
    return answer({"ref": str(stored.ref), "state": stored.state, "duplicate": stored.duplicate}, 201)


def _chosen(visit: Visit, wanted: BulkWanted) -> Chosen:
    words = [
        (name, each)
        for name, value in wanted.filter.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    chosen = read_chosen(QueryParams(words), hides=visit.hides, now=visit.now)
    if not chosen.words:
        raise Refusal(400, "bad_filter", "A bulk operation needs a filter: without one it would mean every job.")
    return chosen
