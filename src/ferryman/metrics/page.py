"""The page /metrics of a worker's health port."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ferryman.events import EventBus
from ferryman.health.pages import NOT_NOW, OK, Answer, Look
from ferryman.job import Job

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["LACKS_PACKAGE", "SHARED", "WorkerNumbers"]

_NOT_HERE = 501
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus-client keeps what several processes count together."""
LACKS_PACKAGE = Answer(_NOT_HERE, b'Metrics need a package. Run: pip install "ferryman[metrics]"\n', "text/plain")


class WorkerNumbers:
    """The numbers of a worker while it runs; without the extra `metrics`, what to install."""

    def __init__(self) -> None:
        self._registry: CollectorRegistry | None = None
        self._lacks_package = False

    def page(self) -> Answer:
        """Answer with the numbers."""
        if self._registry is not None:
            from ferryman.metrics.written import written

            return Answer(OK, *written(self._registry))
        if self._lacks_package:
            return LACKS_PACKAGE
        return Answer(NOT_NOW, b"The worker is starting.\n", "text/plain")

    @contextmanager
    def counting(
        self,
        events: EventBus,
        *,
        kinds: Mapping[str, str],
        queues: Iterable[str],
        rescued: str,
        running: Callable[[], Sequence[Job]],
        slots: int,
        look: Look,
        storage: str,
    ) -> Iterator[None]:
        """Count while the block runs."""
        try:
            from prometheus_client import CollectorRegistry
        except ModuleNotFoundError:
            self._lacks_package = True
            yield
            return
        from ferryman.metrics.counting import Counting
        from ferryman.metrics.gauges import WorkerGauges

        registry = CollectorRegistry()
        stop = Counting(registry, kinds=kinds, queues=queues, rescued=rescued).subscribe(events)
        registry.register(WorkerGauges(running, slots, look, storage))
        self._registry = registry
        try:
            yield
        finally:
            stop()
