# Generated from src/ferryman/client/_async/client.py by tools/unasync.py: change that file and run `make sync`.
"""Puts jobs in, one or many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ferryman.client.postbox import Postbox
from ferryman.events import EventBus, JobEnqueued
from ferryman.job import Inserted, NewJob
from ferryman.middleware import EnqueueMiddleware, changed
from ferryman.opening import Apart, Open

__all__ = ["Client"]


class Client:
    """Stores jobs in the storage that `open` gives; those in a transaction that it cannot join by way of `apart`."""

    def __init__(
        self,
        open: Open,
        *,
        events: EventBus | None = None,
        middleware: Sequence[EnqueueMiddleware] = (),
        apart: Apart | None = None,
    ) -> None:
        self._open = open
        self.events = events or EventBus()
        self.middleware = middleware
        self._apart = apart
        self._postbox = Postbox(open)

    def enqueue(self, job: NewJob) -> Inserted:
        """Store one job.  Raises InvalidJob, Unsupported or StorageError; then nothing was stored."""
        job = changed(self.middleware, job)
        if self._apart is not None and job.tx is not None:
            return self._apart(job)
        stored = self._postbox.post(job)
        self._tell(job, stored)
        return stored

    def enqueue_many(self, jobs: Iterable[NewJob]) -> list[Inserted]:
        """Store all of these jobs or none, and answer in their order; raises as `enqueue` does."""
        prepared = [changed(self.middleware, job) for job in jobs]
        if not prepared:
            return []
        if self._apart is not None and prepared[0].tx is not None:
            return [self._apart(job) for job in prepared]
        stored = (self._open()).jobs.insert(prepared)
        if self.events.wants(JobEnqueued):
            for job, answer in zip(prepared, stored, strict=True):
                self._tell(job, answer)
        return stored

    def _tell(self, job: NewJob, stored: Inserted) -> None:
        if self.events.wants(JobEnqueued):
            self.events.publish(JobEnqueued(stored.ref, job.kind, job.queue, stored.duplicate))
