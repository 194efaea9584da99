"""What can be done from the screen: each act with its question and what to say after it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.admin.bulk import Progress
from ferryman.admin.failures import FailedGroup
from ferryman.cli.jobs_shown import CARD
from ferryman.cli.output import plain
from ferryman.cli.times import Times
from ferryman.cli.top.overview import QueueSeen
from ferryman.cli.top.screens import facts
from ferryman.cli.top.shown import PANELS
from ferryman.job import State
from ferryman.redaction import Redaction
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action

__all__ = ["Act", "card_of", "pausing", "retrying"]


@dataclass(frozen=True)
class Act:
    """Something to do when the question is answered with yes; `do` returns what became of it."""

    question: str
    do: Callable[[], Awaitable[str]]


def retrying(admin: AsyncAdmin, group: FailedGroup, actor: str) -> Act:
    """Run every failed job of a group again, as many as there are then."""
    which = JobFilter(states=(State.DISCARDED,), kinds=(group.kind,), fingerprint=group.fingerprint)

    async def do() -> str:
        progress = Progress()
        async for latest in admin.bulk.run(Action.RETRY, which, actor=actor):
            progress = latest
        return f"retried {progress.done:,}, skipped {progress.skipped:,}"

    return Act(f"Run {group.count:,} or more failed jobs of {plain(group.kind)} again?", do)


def pausing(admin: AsyncAdmin, queue: QueueSeen, actor: str) -> Act:
    """Pause a queue that runs, or let one that is paused go on."""
    name = queue.info.name

    async def pause() -> str:
        await admin.queues.pause(name, actor=actor)
        return f"paused {plain(name)}"

    async def resume() -> str:
        await admin.queues.resume(name, actor=actor)
        return f"{plain(name)} goes on"

    if queue.info.paused_at is None:
        return Act(f"Pause the queue {plain(name)}? Running jobs go on.", pause)
    return Act(f"Let the queue {plain(name)} go on?", resume)


async def card_of(admin: AsyncAdmin, panel: str, thing: Any, times: Times, *, hides: Redaction | None) -> str:
    """Return a thing in full: of a running job and of a group's latest one, all that is known of the job."""
    if panel not in ("running", "failed"):
        return "\n".join(facts(PANELS[panel].view(thing)))
    job = await admin.jobs.get(thing.latest[0] if panel == "failed" else thing.job.ref)
    assert CARD.lines is not None
    return "\n".join(CARD.lines(hides.job(job) if hides else job, times))
