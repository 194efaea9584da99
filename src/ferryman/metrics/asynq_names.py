"""The same numbers under the names of asynq's own exporter, so that dashboards which exist go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from ferryman.job import State
from ferryman.storage.infos import QueueDetails, QueueInfo

__all__ = ["under_asynq_names"]

_STATES = {
    "active": State.RUNNING,
    "pending": State.AVAILABLE,
    "scheduled": State.SCHEDULED,
    "retry": State.RETRYABLE,
    "archived": State.DISCARDED,
    "completed": State.COMPLETED,
}


def under_asynq_names(queues: Sequence[QueueInfo], details: Sequence[QueueDetails]) -> Iterator[Metric]:
    """Return what asynq's exporter says of queues, as far as every storage can tell it."""
    size = GaugeMetricFamily("asynq_queue_size", "Jobs in the queue.", labels=("queue",))
    latency = GaugeMetricFamily("asynq_queue_latency_seconds", "How long the next job has waited.", labels=("queue",))
    # asynq says "total" of a number that goes down too, and calls it a counter.
    tasks = CounterMetricFamily("asynq_tasks_enqueued_total", "Jobs by state.", labels=("queue", "state"))
    paused = CounterMetricFamily("asynq_queue_paused_total", "Whether the queue is paused.", labels=("queue",))
    now = datetime.now(UTC)
    for queue in queues:
        counts = {name: queue.counts.get(state, 0) for name, state in _STATES.items()}
        size.add_metric((queue.name,), sum(queue.counts.values()))
        latency.add_metric((queue.name,), max((now - queue.oldest).total_seconds(), 0.0) if queue.oldest else 0.0)
        paused.add_metric((queue.name,), int(queue.paused_at is not None))
        for name, number in counts.items():
            tasks.add_metric((queue.name, name), number)
    yield from (size, latency, tasks, paused, *_known(details))


def _known(details: Sequence[QueueDetails]) -> Iterator[Metric]:
    """Return what not every storage knows of its queues: no line is not the same as 0."""
    memory = GaugeMetricFamily("asynq_queue_memory_usage_approx_bytes", "About what it takes.", labels=("queue",))
    processed = CounterMetricFamily("asynq_tasks_processed_total", "Attempts that ended.", labels=("queue",))
    failed = CounterMetricFamily("asynq_tasks_failed_total", "Attempts that failed.", labels=("queue",))
    for queue in details:
        for metric, number in ((memory, queue.memory), (processed, queue.processed), (failed, queue.failed)):
            if number is not None:
                metric.add_metric((queue.name,), number)
    yield from (memory, processed, failed)
