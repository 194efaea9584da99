"""What `ferryman enqueue` does beside storing one job: one for each line of a file, and waiting for the end of one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from ferryman.cli.payload import read_payload
from ferryman.cli.session import Session
from ferryman.errors import InvalidJob, JobNotFound
from ferryman.job import FINAL, Inserted, Job, JobRef, NewJob, State

__all__ = ["store_lines", "wait_for"]

_AT_ONCE = 1_000
_LOOK_EVERY = 0.2


def store_lines(session: Session, file: str, make: Callable[[bytes], NewJob]) -> Iterator[Inserted]:
    """Store a job for each line, a thousand at a time: of each thousand all or none."""
    jobs = (_made(number, line, make) for number, line in enumerate(_lines(file), start=1) if line.strip())
    while some := list(islice(jobs, _AT_ONCE)):
        yield from session.jobs.sync.enqueue_many(some)


def _lines(file: str) -> Iterator[str]:
    if file == "-":
        yield from sys.stdin
        return
    try:
        with Path(file).open(encoding="utf-8") as lines:
            yield from lines
    except OSError as error:
        raise InvalidJob(f"--jsonl names the file {file}, which cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidJob(f"--jsonl names the file {file}, which is no text: {error}.") from error


def _made(number: int, line: str, make: Callable[[bytes], NewJob]) -> NewJob:
    try:
        return make(read_payload(line, None, None))
    except InvalidJob as error:
        kept = f"The {(number - 1) // _AT_ONCE * _AT_ONCE:,} lines before may be stored" if number > _AT_ONCE else ""
        raise InvalidJob(f"Line {number} of --jsonl: {error} {kept or 'Nothing was stored'}.") from error


def wait_for(session: Session, ref: JobRef) -> int:
    """Wait until a job has ended, and return the exit code: 0 if it completed."""
    while (job := _look(session, ref)) is not None and job.state not in FINAL:
        time.sleep(_LOOK_EVERY)
    state = job.state if job else State.COMPLETED
    session.note(f"{ref} {state}{f': {job.error.error}' if job and job.error and state in _BAD else ''}")
    return 0 if state is State.COMPLETED else 1


_BAD = FINAL - {State.COMPLETED}


def _look(session: Session, ref: JobRef) -> Job | None:
    """Return the job.  None is one that completed: on Redis it is deleted then, unless it says how long it is kept."""
    try:
        return session.admin.jobs.get(ref)
    except JobNotFound:
        return None
