# Generated from src/ferryman/admin/_async/jobs.py by tools/unasync.py: change that file and run `make sync`.
"""Jobs: looking at them and acting on them, one or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ferryman import gojson
from ferryman.admin._sync.counting import counted
from ferryman.admin.counts import Counts
from ferryman.admin.outcomes import ActionOutcome, outcome_of
from ferryman.events import Acted, EventBus
from ferryman.job import Job, JobRef, State
from ferryman.opening import Open
from ferryman.storage.filters import NEWEST_FIRST, JobFilter, JobOrder, Page
from ferryman.storage.values import Action

__all__ = ["JobAdmin"]


class JobAdmin:
    """Jobs."""

    def __init__(self, open: Open, events: EventBus) -> None:
        self._open = open
        self._events = events

    def get(self, ref: JobRef | str) -> Job:
        """Return one job.  Raises JobNotFound."""
        return (self._open()).jobs.get(_ref(ref))

    def list(
        self,
        which: JobFilter | None = None,
        *,
        order: JobOrder = NEWEST_FIRST,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Job]:
        """Return a page of jobs.  Raises Unsupported for an order that the format has not."""
        return (self._open()).jobs.list(which or JobFilter(), order=order, limit=limit, cursor=cursor)

    def count(self, which: JobFilter | None = None, *, cap: int = 100_000, seconds: float = 3.0) -> Counts:
        """Return how many jobs there are, by state.

        Where each has to be looked at, as by kind on Redis, up to `cap` are counted, for `seconds` at most.
        """
        counts, _ = counted(self._open(), which or JobFilter(), cap=cap, seconds=seconds)
        return counts

    def failed(self, *, retrying: bool = False, limit: int = 100, cursor: str | None = None) -> Page[Job]:
        """Return jobs that gave up, with `retrying` also those that will be tried again."""
        states = (State.DISCARDED, State.RETRYABLE) if retrying else (State.DISCARDED,)
        return (self._open()).jobs.list(JobFilter(states=states), limit=limit, cursor=cursor)

    def retry(self, ref: JobRef | str, *, actor: str = "", reason: str = "") -> Job:
        """Make a job available now.  Raises JobNotFound, WrongState, DuplicateJob."""
        job = (self._open()).jobs.retry(_ref(ref))
        return self._done("retried", job, actor, reason)

    def reschedule(self, ref: JobRef | str, at: datetime, *, actor: str = "", reason: str = "") -> Job:
        """Let a job that waits wait until another time.  Raises JobNotFound, WrongState, DuplicateJob."""
        job = (self._open()).jobs.reschedule(_ref(ref), at)
        return self._done("rescheduled", job, actor, reason)

    def cancel(self, ref: JobRef | str, *, actor: str = "", reason: str = "") -> Job:
        """Cancel a job, or ask its worker to stop it.  Raises JobNotFound."""
        job = (self._open()).jobs.cancel(_ref(ref))
        return self._done("cancelled", job, actor, reason)

    def discard(self, ref: JobRef | str, *, actor: str = "", reason: str = "") -> Job:
        """Give up on a job that waits.  Raises JobNotFound, WrongState."""
        job = (self._open()).jobs.discard(_ref(ref))
        return self._done("discarded", job, actor, reason)

    def delete(self, ref: JobRef | str, *, actor: str = "", reason: str = "") -> Job:
        """Delete a job that is not running.  Raises JobNotFound, WrongState."""
        job = (self._open()).jobs.delete(_ref(ref))
        return self._done("deleted", job, actor, reason)

    def act(
        self, action: Action, refs: Sequence[JobRef | str], *, actor: str = "", reason: str = ""
    ) -> Sequence[ActionOutcome]:
        """Do the same with each of these jobs, and say in their order what became of it; a few hundred at a time.

        Raises StorageUnavailable: then nobody knows of how many it was done.
        """
        named = [_ref(ref) for ref in refs]
        answers = (self._open()).jobs.act(action, named)
        outcomes = list(map(outcome_of, named, answers))
        done = sum(each.what == "done" for each in outcomes)
        self._events.publish(Acted(action.done, f"{done} of {len(named)} chosen jobs", actor, reason))
        return outcomes

    def update(
        self,
        ref: JobRef | str,
        *,
        metadata: Mapping[str, Any] | None = None,
        output: Any = None,
        actor: str = "",
        reason: str = "",
    ) -> Job:
        """Set members of a job's metadata, and its output, whatever its state; what is not named stays as it is.

        Raises JobNotFound, InvalidJob when JSON cannot carry a value, Unsupported where jobs have no metadata.
        """
        given = {**(metadata or {}), **({} if output is None else {"output": output})}
        texts = {name: gojson.encode(value) for name, value in given.items()}
        job = (self._open()).jobs.update(_ref(ref), texts)
        return self._done("updated", job, actor, reason)

    def give_arguments(self, ref: JobRef | str, args: Any, *, actor: str = "", reason: str = "") -> Job:
        """Give a job that waits for its time other arguments: bytes as they are, anything else as JSON.

        On Redis, where its unique lock stays that of the former ones.  Raises JobNotFound, WrongState in any
        other state, InvalidJob when JSON cannot carry them, Unsupported on Postgres and SQLite.
        """
        payload = args if isinstance(args, bytes) else gojson.encode(args)
        job = (self._open()).jobs.give_arguments(_ref(ref), payload)
        return self._done("changed the arguments of", job, actor, reason)

    def _done(self, what: str, job: Job, actor: str, reason: str) -> Job:
        self._events.publish(Acted(what, f"job {job.ref}", actor, reason))
        return job


def _ref(ref: JobRef | str) -> JobRef:
    return JobRef.parse(ref) if isinstance(ref, str) else ref
