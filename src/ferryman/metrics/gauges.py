"""What a worker does at this moment, looked up when somebody asks."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

import ferryman
from ferryman.health.pages import Look
from ferryman.job import Job

__all__ = ["WorkerGauges", "build_info"]


def build_info(*storages: str) -> Metric:
    """Return which ferryman this is, on what."""
    info = GaugeMetricFamily("ferryman_build_info", "Which ferryman this is.", labels=("version", "python", "storage"))
    for storage in storages:
        info.add_metric((ferryman.__version__, platform.python_version(), storage), 1)
    return info


class WorkerGauges(Collector):
    """The gauges of one worker."""

    def __init__(self, running: Callable[[], Sequence[Job]], slots: int, look: Look, storage: str) -> None:
        self.running = running
        self.slots = slots
        self.look = look
        self.storage = storage

    def collect(self) -> Iterator[Metric]:
        """Look now."""
        jobs, health = self.running(), self.look()
        running = GaugeMetricFamily("ferryman_jobs_running", "Jobs that run here.", labels=("queue", "kind"))
        counts = Counter((job.queue, job.kind) for job in jobs)
        for labels, number in counts.items():
            running.add_metric(labels, number)
        yield running
        yield GaugeMetricFamily("ferryman_worker_slots", "How many jobs can run at a time.", self.slots)
        yield GaugeMetricFamily("ferryman_worker_slots_busy", "Slots that are taken.", len(jobs))
        yield GaugeMetricFamily(
            "ferryman_worker_last_loop_timestamp_seconds",
            "When the loop that takes jobs last turned.",
            time.time() - max(health.loop_age, health.fetch_age or 0.0),
        )
        yield build_info(self.storage)
