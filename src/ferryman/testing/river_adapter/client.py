"""The worker client that `start` starts, with the settings that the harness gives in River's terms."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from ferryman import gojson
from ferryman.events import EventBus
from ferryman.job import Job, NewJob, Unique
from ferryman.logs import subscribe
from ferryman.retry import fixed
from ferryman.scheduled import PeriodicEntry, Scheduled
from ferryman.settings import Settings
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.task import Tasks
from ferryman.testing.river_adapter.barriers import Barriers, Claims
from ferryman.testing.river_adapter.behaviors import behave
from ferryman.testing.river_adapter.requests import InvalidParams, Rejected, StartParams, Tuning
from ferryman.testing.river_adapter.stats import Stats
from ferryman.worker import Worker

__all__ = ["KIND", "Client", "encoded_args"]

KIND = "conformance_echo"
_ALIASES = {KIND: (), "conformance_echo_peer": (), "conformance_echo_renamed": (KIND,)}
_WORKERS = 4
_TIMEOUT_MS = 60_000
_NO_END = 86_400.0


def encoded_args(behavior: str, duration_ms: int, message: str) -> bytes:
    """Return the arguments of every job here, each of them always there."""
    return gojson.encode({"behavior": behavior, "duration_ms": duration_ms, "message": message})


class Client:
    """One running worker, and what it saw."""

    def __init__(self, params: StartParams, storage: AsyncStorage, barriers: Barriers) -> None:
        """Put a worker together.  Raises InvalidParams and Rejected for what River's client refuses."""
        if params.periodic_unique and not params.periodic_run_on_start:
            raise InvalidParams("periodic_unique needs periodic_run_on_start.")
        if params.periodic_run_on_start and params.leader_election_disabled:
            raise Rejected("A client that never leads has no use for periodic jobs.")
        self._storage = storage
        self._barriers = barriers
        self._claim_barrier = params.claim_barrier or ""
        events = EventBus()
        subscribe(events)
        self.stats = Stats(events, storage)
        self._worker = Worker(
            self._tasks(params),
            _settings(params),
            events,
            open=self._open,
            on_error=self.stats.count_error if params.error_handler_cancel else None,
        )
        if params.client_id:
            self._worker.name = params.client_id

    async def start(self) -> None:
        """Return when the worker takes jobs.  Raises what keeps it from that."""
        await self._worker.__aenter__()

    async def stop(self, *, cancel: bool, within: float) -> None:
        """Stop the worker, and cancel its jobs if that is asked for.  Raises Rejected if it takes too long."""
        if self._claim_barrier:
            self._barriers.release(self._claim_barrier)
        if cancel:
            self._worker.stop_now()
        try:
            await asyncio.wait_for(
                asyncio.shield(asyncio.ensure_future(self._worker.__aexit__(None, None, None))), within
            )
        except TimeoutError:
            raise Rejected(f"The client did not stop within {within:g} s.") from None
        await self.close()

    async def close(self) -> None:
        """Close what a worker that is no more has used."""
        self.stats.close()
        await self._storage.__aexit__(None, None, None)

    async def _open(self) -> Any:
        return Claims(self._storage, self._barriers, self._claim_barrier)

    def _tasks(self, params: StartParams) -> Tasks:
        tasks = Tasks()
        if params.retry_delay_ms:
            tasks.curve = fixed(timedelta(milliseconds=params.retry_delay_ms))
        for kind in params.worker_kinds or [KIND]:
            if kind not in _ALIASES:
                raise InvalidParams(f'There is no worker for the kind "{kind}".')
            tasks.task(kind, errors="bare", aliases=_ALIASES[kind])(self._work)
        if params.periodic_run_on_start:
            unique = Unique(by_args=True, by_queue=True) if params.periodic_unique else None
            tasks.periodic.append(_hourly("conformance-periodic", "periodic run on start", unique))
            if params.periodic_unique:
                tasks.periodic.append(_hourly("conformance-periodic-marker", "periodic marker", None))
        return tasks

    async def _work(self, job: Job, behavior: str = "", duration_ms: int = 0, message: str = "") -> None:
        self.stats.began(job)
        await behave(self._barriers, job, behavior, duration_ms, message)


def _settings(params: StartParams) -> Settings:
    queues = params.queues or ["default"]
    tuning = params.tuning or Tuning()
    return Settings(
        queues=dict.fromkeys(queues, 1),
        concurrency=(params.max_workers or _WORKERS) * len(queues),
        timeout=(params.job_timeout_ms or _TIMEOUT_MS) / 1000,
        shutdown_timeout=_NO_END,
        take_unknown_kinds=not params.fetch_only_known_kinds,
        rescue_after=params.rescue_after_ms / 1000 if params.rescue_after_ms else None,
        rescue_unknown="discard",
        lead=not params.leader_election_disabled,
        listen=not params.poll_only,
        poll_interval=(params.fetch_poll_interval_ms or 1_000) / 1000,
        elect_interval=(tuning.elect_interval_ms or 5_000) / 1000,
        schedule_interval=(tuning.scheduler_interval_ms or 5_000) / 1000,
        rescue_interval=(tuning.rescuer_interval_ms or 30_000) / 1000,
    )


def _hourly(id: str, message: str, unique: Unique | None) -> PeriodicEntry:
    job = NewJob(kind=KIND, args=encoded_args("", 0, message), metadata={"periodic": True}, unique=unique)
    return Scheduled(job, every="1h", on_start=True, id=id).entry()
