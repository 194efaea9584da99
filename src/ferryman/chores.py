"""What a worker does beside its jobs: which services, how often, and which of them only the leader does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from ferryman import logs
from ferryman.clock import Clock
from ferryman.cron import Cron
from ferryman.engine.aggregator import Aggregator
from ferryman.engine.checkup import Checkup
from ferryman.engine.cleaner import Cleaner
from ferryman.engine.executor import Executor
from ferryman.engine.fetcher import Fetcher
from ferryman.engine.leader import Leader
from ferryman.engine.listener import Listener
from ferryman.engine.outage import Outage, Report
from ferryman.engine.periodic import Periodic
from ferryman.engine.reindexer import LOOK_EVERY, Reindexer
from ferryman.engine.requests import Requests
from ferryman.engine.rescuer import Rescuer
from ferryman.engine.scheduler import Scheduler
from ferryman.engine.service import Service, Tick, every
from ferryman.engine.sources import Resync
from ferryman.engine.strangers import Strangers
from ferryman.engine.tally import EVERY as COUNTED
from ferryman.engine.tally import Tally
from ferryman.events import EventBus
from ferryman.middleware import EnqueueMiddleware
from ferryman.settings import RIVERS_INDEXES, Settings
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature
from ferryman.task import Tasks
from ferryman.terms import rescue_after, retention

__all__ = ["Chores"]

_RARELY = 600.0
_STRANGERS_EVERY = 60.0
_EXPIRE_EVERY = 0.05
_REQUESTS_EVERY = 2.0
# Where fetching makes due jobs available, only workers that are full or paused leave some for the scheduler.
_SELDOM = 5


@dataclass(eq=False)
class Chores:
    """The services of one worker; each is made when it is asked for."""

    storage: AsyncStorage
    worker: str
    tasks: Tasks
    settings: Settings
    queues: Mapping[str, int]
    outage: Outage
    clock: Clock
    events: EventBus

    @cached_property
    def leader(self) -> Leader:
        """Who seeks the leadership, and holds it."""
        interval, enabled = self.settings.elect_interval, self.settings.lead
        return Leader(
            self.storage, self.worker, interval=interval, enabled=enabled, clock=self.clock, events=self.events
        )

    def of_each_worker(self, executor: Executor, requests: Requests, tally: Tally | None) -> list[Service]:
        """What every worker does."""
        strangers = Strangers(self.storage, self.queues, self.tasks, self.events)
        return [
            self.leader.run,
            Checkup(self.storage, not logs.in_development(), retention(self.tasks, self.settings), self.events).run,
            self._always(_EXPIRE_EVERY, executor.expire, "timeouts"),
            self._always(_REQUESTS_EVERY, requests.tick, "requests"),
            self._always(_STRANGERS_EVERY, strangers.tick, "strangers"),
            *([self._always(COUNTED, tally.tick, "numbers")] if tally else []),
            *self._asking(),
            *self._aggregating(),
        ]

    def of_the_leader(self) -> list[Service]:
        """What only the leader does, where there is one."""
        s = self.settings
        scheduler = Scheduler(self.storage, self.clock, self.events)
        cleaner = Cleaner(self.storage, retention(self.tasks, s), self.clock, self.events)
        seldom = _SELDOM if self.storage.fetch_promotes else 1
        return [
            self._leading(s.schedule_interval * seldom, scheduler.tick, "scheduler"),
            self._leading(s.rescue_interval, self._rescuer().tick, "rescuer"),
            self._leading(s.clean_interval, cleaner.tick, "cleaner"),
            self._leading(_RARELY, cleaner.rare_tick, "cleaner"),
            *self._reindexing(),
        ]

    def hearing(self, fetcher: Fetcher, requests: Requests, heard: asyncio.Event) -> list[Service]:
        """What hears notices.  `heard` is set once they are, or when nobody is to listen: polling does the work."""
        if not self.settings.listen:
            heard.set()
            return []
        listener = Listener(
            self.storage,
            self.queues,
            fetcher.nudge,
            fetcher.cancel,
            requests.hear,
            self.leader.seek,
            self.leader.resign,
            self.clock,
            self.events,
            Report("listener", self.outage),
            heard,
        )
        return [listener.run]

    def periodic(self, on_enqueue: Sequence[EnqueueMiddleware]) -> Periodic | None:
        """Return what enqueues by the clock, unless this worker is told not to; schedules may still come."""
        entries, s = self.tasks.periodic, self.settings
        if not s.periodic:
            return None
        return Periodic(
            self.storage,
            self.leader,
            entries,
            on_enqueue=on_enqueue,
            durable=s.durable_schedules,
            clock=self.clock,
            outage=self.outage,
        )

    def _asking(self) -> list[Service]:
        """Who leads may change at any time, so every worker knows what is to be enqueued."""
        sources = self.tasks.sources if self.settings.periodic else ()
        return [self._always(each.every, Resync(each, self.tasks).tick, "schedules") for each in sources]

    def _aggregating(self) -> list[Service]:
        if self.tasks.aggregation is None or self.storage.groups is None:
            return []
        aggregator = Aggregator(self.storage.groups, self.queues, self.tasks.aggregation, self.clock, self.events)
        return [self._always(aggregator.interval, aggregator.tick, "aggregator")]

    def _rescuer(self) -> Rescuer:
        s = self.settings
        return Rescuer(
            self.storage,
            self.tasks,
            rescue_after(self.tasks, s),
            None if s.rescue_silent is None else timedelta(seconds=s.rescue_silent),
            s.timeout or None,
            s.rescue_unknown,
            self.clock,
            self.events,
        )

    def _reindexing(self) -> list[Service]:
        s = self.settings
        if not s.reindex or Feature.SCHEMA not in self.storage.features:
            return []
        reindexer = Reindexer(
            self.storage,
            self.leader,
            s.reindex,
            expected=s.reindex != RIVERS_INDEXES,
            schedule=Cron.parse(s.reindex_schedule),
            timeout=s.reindex_timeout,
            clock=self.clock,
            events=self.events,
        )
        return [self._leading(LOOK_EVERY, reindexer.tick, "reindexer")]

    def _always(self, seconds: float, tick: Tick, name: str) -> Service:
        return every(seconds, tick, clock=self.clock, report=Report(name, self.outage))

    def _leading(self, seconds: float, tick: Tick, name: str) -> Service:
        return self.leader.only(seconds, tick, report=Report(name, self.outage))
