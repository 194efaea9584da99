"""Counts what a worker does: a subscriber of its events, like the log.

Every counter of a task that the worker has is there at 0 from the start: `increase()`
sees a counter go from 0 to 1, and does not see one appear with 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram

from ferryman import events as e
from ferryman.job import Job
from ferryman.outcome import Cancelled, Completed, Discarded, Outcome, Retry, Snoozed, Uncounted

__all__ = ["OTHER", "Counting"]

OTHER = "other"
"""Stands for kinds and queues that this worker does not know: labels come from closed sets."""

_ATTEMPTS = ("ok", "error", "timeout", "cancelled", "snoozed", "lost")
_ENDS = {"completed": "completed", "discarded": "failed", "cancelled": "cancelled"}
_CHORES = ("scheduler", "rescuer", "cleaner", "requests", "aggregator")
_SERVICES = ("storage", "listener", "heartbeater", "outbox", *_CHORES)
_OPS = ("fetch", "finish", "beat")
_MINUTE, _HOUR = 60.0, 3600.0
_BUCKETS = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 30)),
    *(hours * _HOUR for hours in (1, 4, 24)),
)
_TIMED_OUT = "TimeoutError: the attempt took longer than its "


class Counting:
    """The numbers of one worker, from its events on.

    `kinds` are those of its tasks, each with the queue that the task names, or "" where it names none;
    `rescued` is how its storage marks a lost attempt.
    """

    def __init__(
        self, registry: CollectorRegistry, *, kinds: Mapping[str, str], queues: Iterable[str], rescued: str = ""
    ) -> None:
        self._kinds, self._queues, self._rescued = kinds, frozenset(queues), rescued
        job = ("queue", "kind")

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"ferryman_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, *labels: str) -> Histogram:
            return Histogram(f"ferryman_{name}", text, labels, registry=registry, buckets=_BUCKETS)

        self.attempts = counter("attempts", "Attempts that ended, by how.", *job, "outcome")
        self.finished = counter("jobs_finished", "Jobs that ended for good, by how.", *job, "outcome")
        self.enqueued = counter("enqueued", "Jobs that this process stored.", *job)
        self.errors = counter("storage_errors", "Times that the storage failed, by what it was asked for.", "op")
        self.sent = counter("outbox_sent", "Jobs that this process sent from the outbox.")
        self.refused = counter("outbox_refused", "Times that a job could not leave the outbox.")
        self.ran = histogram("job_run_seconds", "How long attempts took.", *job)
        self.waited = histogram("job_wait_seconds", "How long due jobs waited for their first attempt.", *job)
        self.answered = histogram("storage_op_seconds", "How long the storage took to do what it was asked.", "op")
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        for queue, kind in self._expected():
            self.enqueued.labels(queue, kind)
            for outcome in _ATTEMPTS:
                self.attempts.labels(queue, kind, outcome)
            for end in _ENDS.values():
                self.finished.labels(queue, kind, end)
        for service in _SERVICES:
            self.errors.labels(service)
        for op in _OPS:
            self.answered.labels(op)

    def _expected(self) -> Iterator[tuple[str, str]]:
        """Return where jobs of each kind are: in the queue that its task names, or else in any of ours."""
        for kind, named in self._kinds.items():
            for queue in [named] if named else self._queues:
                yield self._queue(queue), kind

    def subscribe(self, bus: e.EventBus) -> Callable[[], None]:
        """Count what happens on a bus from now on; returns the way to stop it."""
        stops = [
            bus.subscribe(e.JobStarted, self._started),
            bus.subscribe(e.JobFinished, self._finished),
            bus.subscribe(e.JobEnqueued, self._enqueued),
            bus.subscribe(e.OutboxSent, lambda event: self.sent.inc(event.count)),
            bus.subscribe(e.OutboxRefused, lambda event: self.refused.inc()),
            bus.subscribe(e.StorageLost, lambda event: self.errors.labels("storage").inc()),
            bus.subscribe(e.StorageAnswered, lambda event: self.answered.labels(event.op).observe(event.seconds)),
            bus.subscribe(e.ServiceFailed, lambda event: self.errors.labels(event.service).inc()),
        ]

        def stop() -> None:
            for each in stops:
                each()

        return stop

    def _started(self, event: e.JobStarted) -> None:
        job = event.job
        if job.attempt == 1 and job.attempted_at is not None:
            waited = (job.attempted_at - job.scheduled_at).total_seconds()
            self.waited.labels(*self._labels(job)).observe(max(waited, 0.0))

    def _finished(self, event: e.JobFinished) -> None:
        labels = self._labels(event.job)
        if (how := self._how(event.outcome)) is None:
            return
        self.attempts.labels(*labels, how).inc()
        self.ran.labels(*labels).observe(event.seconds)
        if event.state in _ENDS:
            self.finished.labels(*labels, _ENDS[event.state]).inc()

    def _enqueued(self, event: e.JobEnqueued) -> None:
        if not event.duplicate:
            self.enqueued.labels(self._queue(event.queue), self._kind(event.kind)).inc()

    def _how(self, outcome: Outcome) -> str | None:
        """Say how an attempt ended; None when it does not count as one."""
        match outcome:
            case Completed():
                return "ok"
            case Snoozed() | Uncounted():
                return "snoozed"
            case Cancelled():
                return "cancelled"
            case Retry(error=error) | Discarded(error=error):
                if error.error.startswith(_TIMED_OUT):
                    return "timeout"
                return "lost" if error.error == self._rescued else "error"
        return None

    def _labels(self, job: Job) -> tuple[str, str]:
        return self._queue(job.queue), self._kind(job.kind)

    def _kind(self, kind: str) -> str:
        return kind if kind in self._kinds else OTHER

    def _queue(self, queue: str) -> str:
        return queue if queue in self._queues else OTHER
