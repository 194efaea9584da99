"""Storages as they were at a moment, in Prometheus's words (spec/ops.md 5.8).

What could not be read is left out: a gauge that is not there is not one at 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ferryman.facts import Fact, Unit
from ferryman.findings import Level
from ferryman.job import State
from ferryman.metrics.gauges import build_info
from ferryman.metrics.moment import Moment

__all__ = ["Families", "actions", "families"]

_ARCHIVE_HOLDS = 10_000
"""How many failed jobs asynq keeps in a queue; River's storages have no such end (spec/asynq.md)."""


class Families(Collector):
    """Numbers that are known already."""

    def __init__(self, told: Iterable[Metric]) -> None:
        self._told = list(told)

    def collect(self) -> Iterator[Metric]:
        """Return them."""
        return iter(self._told)


def families(moments: Sequence[Moment]) -> Iterator[Metric]:
    """Return every number of these storages; each name stands once, however many they are."""
    told = (*_queues(moments), *_workers(moments), *_periodic(moments), *_about_itself(moments), *_asking(moments))
    yield from (family for family in told if family.samples)
    yield build_info(*(moment.name for moment in moments))


def actions(counts: Mapping[tuple[str, str], int]) -> Metric:
    """Return how often each action of the dashboard ended in each way."""
    text = "What was done from the dashboard, by how it ended."
    told = CounterMetricFamily("ferryman_dashboard_actions", text, labels=("action", "outcome"))
    for labels, number in counts.items():
        told.add_metric(labels, number)
    return told


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ferryman_{name}", text, labels=("storage", *labels))


def _queues(moments: Sequence[Moment]) -> Iterator[Metric]:
    jobs = _gauge("jobs", "Jobs by queue and state.", "queue", "state")
    oldest = _gauge("queue_oldest_ready_age_seconds", "How long the next job has waited.", "queue")
    paused = _gauge("queue_paused", "Whether the queue is paused.", "queue")
    cap = _gauge("archive_cap", "How many discarded jobs are kept before the oldest go.", "queue")
    now = datetime.now(UTC)
    for moment in moments:
        for queue in moment.queues or ():
            labels = (moment.name, queue.name)
            for state in State:
                jobs.add_metric((*labels, state.value), queue.counts.get(state, 0))
            age = (now - queue.oldest).total_seconds() if queue.oldest else 0.0
            oldest.add_metric(labels, max(age, 0.0))
            paused.add_metric(labels, int(queue.paused_at is not None))
            if moment.is_asynq:
                cap.add_metric(labels, _ARCHIVE_HOLDS)
    yield from (jobs, oldest, paused, cap)


def _workers(moments: Sequence[Moment]) -> Iterator[Metric]:
    there = _gauge("queue_workers", "Workers that take jobs from the queue.", "queue")
    slots = _gauge("queue_slots", "How many jobs these can run at a time.", "queue")
    leads = _gauge("leader", "Which worker does the chores for all.", "instance")
    for moment in moments:
        if moment.leader is not None:
            leads.add_metric((moment.name, moment.leader), 1)
        if moment.workers is None:
            continue
        for queue in moment.queues or ():
            of = [worker for worker in moment.workers if worker.takes_from(queue.name)]
            there.add_metric((moment.name, queue.name), len(of))
            slots.add_metric((moment.name, queue.name), sum(worker.concurrency for worker in of))
    yield from (there, slots, leads)


def _periodic(moments: Sequence[Moment]) -> Iterator[Metric]:
    next_run = _gauge("periodic_next_run_timestamp_seconds", "When the entry is next due.", "entry")
    last_run = _gauge("periodic_last_run_timestamp_seconds", "When it last ran.", "entry")
    twice = _gauge("periodic_duplicates", "How many more enqueue the same by the same clock.", "entry")
    for moment in moments:
        entries = moment.periodic or ()
        same = Counter((entry.kind, entry.queue, entry.spec) for entry in entries)
        for id, entry in {entry.id: entry for entry in entries}.items():
            if entry.next_at is not None:
                next_run.add_metric((moment.name, id), entry.next_at.timestamp())
            if entry.last_at is not None:
                last_run.add_metric((moment.name, id), entry.last_at.timestamp())
            twice.add_metric((moment.name, id), same[entry.kind, entry.queue, entry.spec] - 1)
    yield from (next_run, last_run, twice)


def _about_itself(moments: Sequence[Moment]) -> Iterator[Metric]:
    checks = _gauge("storage_check_ok", "Whether a check of ferryman doctor passed.", "check", "severity")
    size = _gauge("storage_bytes", "How many bytes the storage takes, by what.", "what")
    limit = _gauge("storage_limit_bytes", "How many bytes it may take, where there is a limit.", "what")
    for moment in moments:
        for finding in moment.findings or ():
            ok = int(finding.level is Level.OK)
            checks.add_metric((moment.name, finding.id, finding.level.value), ok)
        for fact in moment.facts or ():
            if fact.unit is Unit.BYTES and isinstance(fact.value, int):
                size.add_metric((moment.name, _what(fact)), fact.value)
                if fact.most is not None:
                    limit.add_metric((moment.name, _what(fact)), fact.most)
    yield from (checks, size, limit)


def _what(fact: Fact) -> str:
    """Say what takes so many bytes, as labels are written: used_memory, river_job_size."""
    return f"{fact.of} {fact.name}".strip().replace(" ", "_").lower()


def _asking(moments: Sequence[Moment]) -> Iterator[Metric]:
    success = _gauge("collector_last_success_timestamp_seconds", "When the storage last answered.")
    seconds = _gauge("collector_seconds", "How long it took to ask.")
    for moment in moments:
        success.add_metric((moment.name,), moment.answered_at)
        seconds.add_metric((moment.name,), moment.took)
    yield from (success, seconds)
