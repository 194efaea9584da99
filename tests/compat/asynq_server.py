"""asynq's server of the recordings, as a worker of ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from asynq_calls import Player
from msgspec.structs import replace

from ferryman.job import Job
from ferryman.outcome import Finished, Outcome
from ferryman.storage.infos import WorkerInfo

__all__ = ["Server"]

_EXPIRES_IN = timedelta(seconds=10)


class Server:
    """Takes jobs, says that it is alive, and writes what became of them, at the player's time."""

    def __init__(self, player: Player, concurrency: int = 2, queues: Mapping[str, int] | None = None) -> None:
        self.player = player
        self.storage = player.storage
        self.worker = WorkerInfo(
            id="vm_2026",
            host="vm",
            pid=16482,
            started_at=player.now,
            queues=queues or {"default": 1},
            concurrency=concurrency,
            status="active",
        )
        self.running: dict[str, Job] = {}

    async def beat(self, **said: Any) -> None:
        worker = replace(self.worker, **said)
        await self.storage.workers.beat(worker, expires_in=_EXPIRES_IN, now=self.player.now)

    async def take(self) -> None:
        wanted = [(queue, 10) for queue in ("default", "critical")]
        jobs = await self.storage.jobs.fetch(wanted, limit=20, kinds=None, worker="vm", now=self.player.now)
        self.running |= {job.id: job for job in jobs}

    async def end(self, *, output: bytes | None = None, **outcomes: Outcome) -> None:
        """Write what became of jobs, named by their ids with _ for -."""
        finished = [Finished(self.running.pop(id.replace("_", "-")), each, output) for id, each in outcomes.items()]
        assert None not in await self.storage.jobs.finish(finished, now=self.player.now)

    async def leave(self) -> None:
        await self.storage.workers.leave(self.worker.id)
