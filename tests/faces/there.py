"""Jobs that are there before a command is typed, in any state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from ferryman.connect import connect
from ferryman.job import AttemptError, Job, JobRef, NewJob, State
from ferryman.outcome import Completed, Discarded, Finished, Outcome, Retry
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.infos import WorkerInfo

__all__ = ["There"]

TRACE = 'Traceback (most recent call last):\n  File "shop.py", line 9, in send\nValueError: no such person\n'


class There:
    """Puts jobs into a storage; each method returns the text of the job's address."""

    def __init__(self, url: str) -> None:
        self.storage: Storage = connect(url).twin()

    def __enter__(self) -> Self:
        self.storage.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.storage.__exit__(None, None, None)

    def available(self, kind: str = "mail:send", **said: Any) -> str:
        (stored,) = self.storage.jobs.insert([NewJob(**{"kind": kind, "args": b'{"to":"ada"}', **said})])
        return str(stored.ref)

    def scheduled(self, **said: Any) -> str:
        return self.available(state=State.SCHEDULED, scheduled_at=_from_now(hours=1), **said)

    def running(self, **said: Any) -> str:
        return str(self._run(**said).ref)

    def completed(self, **said: Any) -> str:
        return self._ended(Completed(), **said)

    def failed(self, error: str = "ValueError: no such person", **said: Any) -> str:
        return self._ended(Discarded(AttemptError(datetime.now(UTC), 1, error, TRACE)), **said)

    def retrying(self, **said: Any) -> str:
        return self._ended(Retry(_from_now(hours=1), AttemptError(datetime.now(UTC), 1, "busy")), **said)

    def worker(self, **said: Any) -> None:
        now = datetime.now(UTC)
        usual = {"id": "w1", "host": "box", "pid": 71, "started_at": now, "queues": {"default": 1}, "concurrency": 5}
        info = WorkerInfo(**{**usual, **said})
        self.storage.workers.beat(info, expires_in=timedelta(minutes=1))

    def state(self, ref: str) -> str:
        """Return the state that a job is in now."""
        return self.job(ref).state

    def job(self, ref: str) -> Job:
        """Return a job as it is now."""
        return self.storage.jobs.get(JobRef.parse(ref))

    def _run(self, **said: Any) -> Job:
        ref = self.available(**said)
        queue = said.get("queue", "default")
        taken = self.storage.jobs.fetch([(queue, 1)], limit=1, kinds=None, worker="w1")
        assert [str(job.ref) for job in taken] == [ref], "another job was waiting before this one"
        return taken[0]

    def _ended(self, outcome: Outcome, **said: Any) -> str:
        job = self._run(**said)
        self.storage.jobs.finish([Finished(job, outcome)])
        return str(job.ref)


def _from_now(**passed: float) -> datetime:
    return datetime.now(UTC) + timedelta(**passed)
