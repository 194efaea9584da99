"""What can be looked at over the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from ferryman.admin.operations import BulkInfo
from ferryman.errors import StorageUnavailable
from ferryman.job import State
from ferryman.redaction import USUAL
from ferryman.views import job_view, queue_view, worker_view
from ferryman.web.api.answers import answer, number
from ferryman.web.collector import Sight, longest_wait
from ferryman.web.filters import in_words, read_chosen
from ferryman.web.reading import counted, jobs_page, one_job, together
from ferryman.web.sharing import Seen
from ferryman.web.visit import Visit

__all__ = [
    "bulk",
    "bulk_view",
    "bulks",
    "capabilities",
    "count",
    "events",
    "groups",
    "job",
    "jobs",
    "periodic",
    "queues",
    "scale",
    "snapshot",
    "storage",
    "workers",
]


async def capabilities(visit: Visit) -> Response:
    """Say what this storage can do and what it keeps."""
    return answer(await visit.place.admin.capabilities())


async def snapshot(visit: Visit) -> Response:
    """Return what was last seen of the storage."""
    sight = await visit.place.collector.sight()
    return answer(
        {
            "number": sight.number,
            "at": sight.at,
            "took_seconds": sight.took,
            "totals": {state.value: sight.total(state) for state in State},
            **_queues(sight),
            "workers": len(sight.workers.value),
            "findings": [msgspec.structs.asdict(each) for each in sight.findings.value],
            "unavailable": _unavailable(sight),
        }
    )


async def events(visit: Visit) -> Response:
    """Tell the number of each later snapshot as it is taken, as server-sent events; refused where there is no room."""
    sight = await visit.place.collector.sight()
    return visit.board.streams.begin(visit.place.collector, sight.number)


async def queues(visit: Visit) -> Response:
    """Return every queue with its counts."""
    return answer(_queues(await visit.place.collector.sight()))


async def jobs(visit: Visit) -> Response:
    """Return a page of jobs, the newest first."""
    chosen = read_chosen(visit.query, hides=visit.hides, now=visit.now)
    page = await jobs_page(visit, chosen.which, limit=number(visit, "limit", 50, 200))
    return answer({"jobs": [job_view(each) for each in page.items], "next": page.next})


async def count(visit: Visit) -> Response:
    """Return how many jobs a filter means, by state."""
    chosen = read_chosen(visit.query, hides=visit.hides, now=visit.now)
    preview = await counted(visit, chosen.which)
    return answer({"count": preview.count, "capped": preview.capped})


async def job(visit: Visit) -> Response:
    """Return one job."""
    return answer(job_view(await one_job(visit)))


async def groups(visit: Visit) -> Response:
    """Return what failed, gathered by what went wrong."""
    chosen = read_chosen(visit.query, hides=visit.hides, now=visit.now)
    found = await together(visit, "groups", lambda: visit.place.admin.failed.groups(chosen.which))
    rows = [
        {**msgspec.structs.asdict(each), "error": error, "latest": list(map(str, each.latest))}
        for each, error in ((each, visit.place.redaction.text(each.error)) for each in found.groups)
        if chosen.which.error.lower() in error.lower()
    ]
    return answer({"groups": rows, "scanned": found.scanned, "of": found.of, "truncated": found.truncated})


async def periodic(visit: Visit) -> Response:
    """Return what is enqueued by the clock."""
    sight = await visit.place.collector.sight()
    return _part("periodic", sight.schedules, [msgspec.structs.asdict(each) for each in sight.schedules.value])


async def workers(visit: Visit) -> Response:
    """Return the workers that are alive."""
    sight = await visit.place.collector.sight()
    return _part("workers", sight.workers, [worker_view(each) for each in sight.workers.value])


async def storage(visit: Visit) -> Response:
    """Return what the checks of the storage found, and what it says of itself."""
    sight = await visit.place.collector.sight()
    found = [msgspec.structs.asdict(each) for each in sight.findings.value]
    facts = None if sight.facts.why and not sight.facts.value else list(sight.facts.value)
    return _part("findings", sight.findings, found, facts=facts, location=visit.place.location)


async def scale(visit: Visit) -> Response:
    """Return how many slots the jobs of a queue, or of all, could use, for autoscalers (spec/ops.md 5.4).

    While the storage is away it is what was seen last, so that an outage scales nobody down.
    """
    sight = await visit.place.collector.sight()
    if sight.queues.why and not sight.queues.value:
        raise StorageUnavailable(sight.queues.why)
    name = visit.query.get("queue", "")
    chosen = [queue for queue in sight.queues.value if name in ("", queue.name)]
    going_on = [queue for queue in chosen if not queue.paused_at]
    ready = sum(queue.counts.get(State.AVAILABLE, 0) for queue in going_on)
    running = sum(queue.counts.get(State.RUNNING, 0) for queue in chosen)
    return answer(
        {
            "queue": name or None,
            "ready": ready,
            "running": running,
            "oldest_ready_age": longest_wait(going_on, sight.at),
            "slots_wanted": ready + running,
            "seen_at": sight.queues.at,
        }
    )


async def bulk(visit: Visit) -> Response:
    """Return how far a bulk operation has come."""
    return answer(bulk_view(await visit.place.admin.bulk.get(visit.query.get("id", ""))))


async def bulks(visit: Visit) -> Response:
    """Return the bulk operations of the last days, the latest first."""
    return answer({"bulks": list(map(bulk_view, await visit.place.admin.bulk.list()))})


def bulk_view(bulk: BulkInfo) -> dict[str, Any]:
    """Return a bulk operation as JSON."""
    return {
        "id": bulk.id,
        "action": bulk.action,
        "filter": in_words(bulk.which),
        "state": bulk.state,
        "expected": bulk.expected,
        "done": bulk.done,
        "skipped": bulk.skipped,
        "reasons": bulk.reasons,
        "actor": bulk.actor,
        "started_at": bulk.started_at,
        "ended_at": bulk.ended_at,
        "error": USUAL.text(bulk.error),
    }


def _queues(sight: Sight) -> dict[str, Any]:
    return {
        "queues": None if sight.queues.why and not sight.queues.value else list(map(queue_view, sight.queues.value))
    }


def _part(name: str, part: Seen[Any], rows: Sequence[Any], **more: Any) -> Response:
    """Answer with a part of what was seen; None is not the same as nothing."""
    return answer({name: None if part.why and not part.value else rows, "unavailable": part.why or None, **more})


def _unavailable(sight: Sight) -> dict[str, str]:
    parts: dict[str, Seen[Any]] = {
        "queues": sight.queues,
        "workers": sight.workers,
        "periodic": sight.schedules,
        "storage": sight.findings,
    }
    return {name: part.why for name, part in parts.items() if part.why}
