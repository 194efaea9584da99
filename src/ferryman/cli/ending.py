"""Waits for the end of a job, and tells what became of it meanwhile.

A job is looked at again and again, since a command is short-lived and no storage tells of every change.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

from ferryman.cli.output import plain
from ferryman.cli.session import Session
from ferryman.errors import JobNotFound
from ferryman.job import FINAL, Job, JobRef, State

__all__ = ["Watch", "exit_code_of", "wait_for"]

_LOOK_EVERY = 0.2


class Watch:
    """Yields a job, and again whenever its state or attempt is another, until it has ended.

    `latest` is the job as it was seen last.  Raises JobNotFound when it is deleted meanwhile.
    """

    def __init__(self, session: Session, job: Job) -> None:
        self._session = session
        self.latest = job

    def __iter__(self) -> Iterator[Job]:
        yield self.latest
        while self.latest.state not in FINAL:
            time.sleep(_LOOK_EVERY)
            before, self.latest = self.latest, self._look()
            if (self.latest.state, self.latest.attempt) != (before.state, before.attempt):
                yield self.latest

    def _look(self) -> Job:
        now = _look(self._session, self.latest.ref)
        return now or msgspec.structs.replace(self.latest, state=State.COMPLETED)


def wait_for(session: Session, ref: JobRef) -> int:
    """Wait until a job has ended, say how, and return the exit code."""
    job = _look(session, ref)
    if job is None:
        session.note(f"{ref} {State.COMPLETED}")
        return 0
    *_, job = Watch(session, job)
    session.note(f"{ref} {job.state}{_why(session, job)}")
    return exit_code_of(job)


def _why(session: Session, job: Job) -> str:
    if job.error is None or job.state is State.COMPLETED:
        return ""
    text = job.error.error
    return f": {plain(session.redaction.text(text) if session.redaction else text)}"


def exit_code_of(job: Job) -> int:
    """Return the exit code for a job that has ended: 0 if it completed."""
    return 0 if job.state is State.COMPLETED else 1


def _look(session: Session, ref: JobRef) -> Job | None:
    """Return the job.  None is one that completed: on Redis it is deleted then, unless it says how long it is kept."""
    try:
        return session.admin.jobs.get(ref)
    except JobNotFound:
        if not ref.queue:
            raise  # River's formats keep what completed for a while
        return None
