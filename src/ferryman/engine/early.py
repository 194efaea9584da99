"""Writes to jobs in transactions of their tasks' own, while their functions still run (spec/river.md 5.6 and 7.8).

What the task did and that its job is done are committed together or not at all.  When the
function returns its outcome is written as always: if the transaction was rolled back the
job is as it was, and if it was committed nothing but metadata changes any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ferryman.clock import Clock
from ferryman.context import Recorder
from ferryman.engine.attempt import Attempt
from ferryman.errors import WrongState
from ferryman.job import Job, State
from ferryman.outcome import Completed, Finished
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage._sync.protocol import Storage

__all__ = ["EarlyEnds"]


class EarlyEnds:
    """Completes the jobs of `running` attempts, or notes how far they have come."""

    def __init__(self, storage: AsyncStorage, running: Callable[[], Sequence[Attempt]], clock: Clock) -> None:
        self.storage = storage
        self.running = running
        self.clock = clock
        self._lock = threading.Lock()
        self._blocking: Storage | None = None

    async def complete(self, recorder: Recorder, tx: Any) -> None:
        """Complete a job in this transaction.  Raises WrongState when it is not ours any more."""
        attempt, inside = self._attempt(recorder), self.storage.within(tx)
        (state,) = await inside.jobs.finish([_completed(attempt)], now=self.clock.stamp())
        _take_note(attempt, state)

    def complete_sync(self, recorder: Recorder, tx: Any) -> None:
        """Do the same from a thread."""
        attempt, inside = self._attempt(recorder), self._twin().within(tx)
        (state,) = inside.jobs.finish([_completed(attempt)], now=self.clock.stamp())
        _take_note(attempt, state)

    async def note(self, recorder: Recorder, tx: Any, metadata: Mapping[str, bytes]) -> None:
        """Set members of a job's metadata in this transaction.  Raises WrongState when it is not ours any more."""
        attempt = self._attempt(recorder)
        stored = await self.storage.within(tx).jobs.update(attempt.job.ref, metadata)
        _refuse_what_is_lost(attempt, stored)

    def note_sync(self, recorder: Recorder, tx: Any, metadata: Mapping[str, bytes]) -> None:
        """Do the same from a thread."""
        attempt = self._attempt(recorder)
        _refuse_what_is_lost(attempt, self._twin().within(tx).jobs.update(attempt.job.ref, metadata))

    def close(self) -> None:
        """Close what threads needed."""
        with self._lock:
            if self._blocking is not None:
                self._blocking.__exit__(None, None, None)

    def _attempt(self, recorder: Recorder) -> Attempt:
        for attempt in self.running():
            if attempt.recorder is recorder:
                return attempt
        raise _lost("This attempt ran out of its time")

    def _twin(self) -> Storage:
        with self._lock:
            if self._blocking is None:
                self._blocking = self.storage.twin()
            return self._blocking


def _completed(attempt: Attempt) -> Finished:
    recorder = attempt.recorder
    return Finished(attempt.job, Completed(None), recorder.output, recorder.noted(failed=False))


def _take_note(attempt: Attempt, state: State | None) -> None:
    if state is State.RUNNING:
        raise WrongState(
            f"Somebody else's transaction holds job {attempt.job.ref}. Roll this one back, and try again.",
            state="running",
        )
    if state is not State.COMPLETED:
        raise _taken_back(attempt)
    attempt.ended_early = True


def _refuse_what_is_lost(attempt: Attempt, stored: Job) -> None:
    if (stored.state, stored.attempt) != (State.RUNNING, attempt.job.attempt):
        raise _taken_back(attempt)


def _taken_back(attempt: Attempt) -> WrongState:
    return _lost(f"Job {attempt.job.ref} is no longer this attempt's: it was taken back, or deleted")


def _lost(what: str) -> WrongState:
    return WrongState(f"{what}. Roll the transaction back: whoever has the job now does its work.", state="lost")
