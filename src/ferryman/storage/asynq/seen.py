"""A task as a filter looks at it, before a job is made of it.

Of thousands that are looked at few are wanted.  Its message says at once what most
filters ask for; whatever else is asked for, the job says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from ferryman.job import AttemptError
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.tasks import StoredJob, errors_of, job_from

__all__ = ["Attempted", "SeenTask"]

Attempted = tuple[datetime | None, tuple[str, ...]]
"""Since when a task runs, and by whom."""


class SeenTask:
    """One entry of a collection; `row` is what `list_tasks` and `list_entries` give, and `word` the collection's.

    Raises WireError for a message that nobody can read.
    """

    def __init__(self, row: Sequence[Any], word: str, attempted: Attempted | None) -> None:
        self._row = row
        self._word = word
        self._attempted = attempted or (None, ())
        self._message = TASK.decode(row[2])

    @property
    def kind(self) -> str:
        return self._message.type

    @property
    def args(self) -> bytes:
        return self._message.payload

    @property
    def group(self) -> str:
        return self._message.group_key

    @property
    def error(self) -> AttemptError | None:
        return next(iter(errors_of(self._message, self._message.retried)), None)

    @property
    def tags(self) -> tuple[str, ...]:
        return self.job.tags

    @property
    def finalized_at(self) -> datetime | None:
        return self.job.finalized_at

    @property
    def attempted_by(self) -> tuple[str, ...]:
        return self._attempted[1]

    @cached_property
    def job(self) -> StoredJob:
        """The job itself."""
        _, score, data, result, pending_since, *lease = self._row
        attempted_at, attempted_by = self._attempted
        return job_from(
            self._message,
            self._word,
            data=data,
            score=None if score is None else float(score),
            pending_since=int(pending_since) if pending_since else None,
            result=result,
            attempted_at=attempted_at,
            attempted_by=attempted_by,
            orphaned=self._word == "active" and float(lease[0] or 0) <= datetime.now(UTC).timestamp(),
        )
