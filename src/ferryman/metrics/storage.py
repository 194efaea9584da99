"""What waits in a storage, for Prometheus: asked for with every scrape, by one process for all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ferryman.admin._sync.admin import Admin
from ferryman.errors import FerrymanError
from ferryman.findings import Finding, Level
from ferryman.job import State
from ferryman.metrics.asynq_names import under_asynq_names
from ferryman.metrics.gauges import build_info
from ferryman.storage.values import PeriodicInfo, QueueInfo, WorkerInfo

__all__ = ["StorageGauges"]

_ARCHIVE_HOLDS = 10_000
"""How many failed jobs asynq keeps in a queue; River's storages have no such end (spec/asynq.md)."""


class StorageGauges(Collector):
    """The gauges of one storage.  While it does not answer, only how old the last answer is."""

    def __init__(self, admin: Admin, name: str, *, production: bool = True, asynq_names: bool = False) -> None:
        self.admin = admin
        self.name = name
        self.production = production
        self.asynq_names = asynq_names
        self.failure: FerrymanError | None = None
        """Why the storage was of no use the last time."""
        self._answered_at = 0.0
        self._one_at_a_time = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        """Ask the storage."""
        with self._one_at_a_time:
            yield from self._asked()

    def describe(self) -> list[Metric]:
        """Name nothing beforehand: registering must not ask the storage."""
        return []

    def _asked(self) -> Iterator[Metric]:
        began = time.monotonic()
        try:
            found = self._found()
            self._answered_at, self.failure = time.time(), None
        except FerrymanError as error:
            found, self.failure = [], error
        yield from found
        success = self._gauge("collector_last_success_timestamp_seconds", "When the storage last answered.")
        success.add_metric((self.name,), self._answered_at)
        seconds = self._gauge("collector_seconds", "How long it took to ask.")
        seconds.add_metric((self.name,), time.monotonic() - began)
        yield from (success, seconds, build_info(self.name))

    def _found(self) -> list[Metric]:
        queues, workers = self.admin.queues.list(), self.admin.workers.list()
        found = [*self._queues(queues), *self._workers(queues, workers), *self._periodic(self.admin.periodic.list())]
        found.append(self._leader(self.admin.workers.leader()))
        found.append(self._checks(self.admin.storage.check(production=self.production)))
        if self.asynq_names:
            found += under_asynq_names(queues, [self.admin.queues.details(queue.name) for queue in queues])
        return found

    def _gauge(self, name: str, text: str, *labels: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"ferryman_{name}", text, labels=("storage", *labels))

    def _queues(self, queues: Sequence[QueueInfo]) -> Iterator[Metric]:
        jobs = self._gauge("jobs", "Jobs by queue and state.", "queue", "state")
        oldest = self._gauge("queue_oldest_ready_age_seconds", "How long the next job has waited.", "queue")
        paused = self._gauge("queue_paused", "Whether the queue is paused.", "queue")
        now = datetime.now(UTC)
        for queue in queues:
            for state in State:
                jobs.add_metric((self.name, queue.name, state.value), queue.counts.get(state, 0))
            age = (now - queue.oldest).total_seconds() if queue.oldest else 0.0
            oldest.add_metric((self.name, queue.name), max(age, 0.0))
            paused.add_metric((self.name, queue.name), int(queue.paused_at is not None))
        yield from (jobs, oldest, paused)
        if self.name.startswith(("redis", "unix")):
            cap = self._gauge("archive_cap", "How many discarded jobs are kept before the oldest go.", "queue")
            for queue in queues:
                cap.add_metric((self.name, queue.name), _ARCHIVE_HOLDS)
            yield cap

    def _workers(self, queues: Sequence[QueueInfo], workers: Sequence[WorkerInfo]) -> Iterator[Metric]:
        there = self._gauge("queue_workers", "Workers that take jobs from the queue.", "queue")
        slots = self._gauge("queue_slots", "How many jobs these can run at a time.", "queue")
        for queue in queues:
            of = [worker for worker in workers if queue.name in worker.queues]
            there.add_metric((self.name, queue.name), len(of))
            slots.add_metric((self.name, queue.name), sum(worker.concurrency for worker in of))
        yield from (there, slots)

    def _periodic(self, entries: Sequence[PeriodicInfo]) -> Iterator[Metric]:
        next_run = self._gauge("periodic_next_run_timestamp_seconds", "When the entry is next due.", "entry")
        last_run = self._gauge("periodic_last_run_timestamp_seconds", "When it last ran.", "entry")
        twice = self._gauge("periodic_duplicates", "How many more enqueue the same by the same clock.", "entry")
        same = Counter((entry.kind, entry.queue, entry.spec) for entry in entries)
        for id, entry in {entry.id: entry for entry in entries}.items():
            if entry.next_at is not None:
                next_run.add_metric((self.name, id), entry.next_at.timestamp())
            if entry.last_at is not None:
                last_run.add_metric((self.name, id), entry.last_at.timestamp())
            twice.add_metric((self.name, id), same[entry.kind, entry.queue, entry.spec] - 1)
        yield from (next_run, last_run, twice)

    def _leader(self, leader: str | None) -> Metric:
        leads = self._gauge("leader", "Which worker does the chores for all.", "instance")
        if leader is not None:
            leads.add_metric((self.name, leader), 1)
        return leads

    def _checks(self, findings: Sequence[Finding]) -> Metric:
        checks = self._gauge("storage_check_ok", "Whether a check of ferryman doctor passed.", "check", "severity")
        for finding in findings:
            checks.add_metric((self.name, finding.id, finding.level.value), int(finding.level is Level.OK))
        return checks
