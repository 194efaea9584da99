"""What waits in a storage, for Prometheus: asked for with every scrape, by one process for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.registry import Collector

from ferryman.admin._sync.admin import Admin
from ferryman.errors import FerrymanError
from ferryman.metrics.asynq_names import under_asynq_names
from ferryman.metrics.families import families
from ferryman.metrics.moment import Moment

__all__ = ["StorageGauges"]


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
            found = self._found(began)
            also = self._under_asynq_names(found) if self.asynq_names else []
            self._answered_at, self.failure = found.answered_at, None
        except FerrymanError as error:
            also, self.failure = [], error
            found = Moment(name=self.name, answered_at=self._answered_at, took=time.monotonic() - began)
        yield from families([found])
        yield from also

    def _found(self, began: float) -> Moment:
        admin = self.admin
        return Moment(
            name=self.name,
            is_asynq=admin.capabilities().format.startswith("asynq"),
            queues=admin.queues.list(),
            workers=admin.workers.list(),
            periodic=admin.periodic.list(),
            leader=admin.workers.leader(),
            findings=admin.storage.check(production=self.production),
            facts=admin.storage.facts(),
            answered_at=time.time(),
            took=time.monotonic() - began,
        )

    def _under_asynq_names(self, found: Moment) -> list[Metric]:
        queues = found.queues or ()
        return list(under_asynq_names(queues, [self.admin.queues.details(queue.name) for queue in queues]))
