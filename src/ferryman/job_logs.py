"""Keeps what a task logs with its job, where River UI and Go's tools show it (spec/river.md 7.7).

    jobs = Ferryman(middleware=[keep_logs()])

One entry for each attempt that logged anything.  The program's own handlers go on as they
are: this is one more, and it hears only what is logged while a task runs, by the task's
own code, in its threads too.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import msgspec

from ferryman import gojson
from ferryman.context import recording
from ferryman.errors import ConfigError, Unsupported
from ferryman.job import Job
from ferryman.middleware import Call, Middleware

__all__ = ["keep_logs"]

_KEY = "river:log"
_MOST_OF_AN_ATTEMPT = 2 * 1024 * 1024
_MOST_OF_A_JOB = 8 * 1024 * 1024
_LARGEST = 64 * 1024 * 1024
_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Log(msgspec.Struct):
    lines: list[bytes] = []
    room: int = _MOST_OF_AN_ATTEMPT

    def add(self, text: str) -> None:
        line = (text + "\n").encode("utf-8", "replace")[: self.room]
        if line:
            self.room -= len(line)
            self.lines.append(line)


class _Kept(msgspec.Struct):
    log: list[msgspec.Raw] = msgspec.field(name=_KEY, default_factory=list)


_decode = msgspec.json.Decoder(_Kept).decode


class _Handler(logging.Handler):
    """Writes to the log of the attempt in whose context it is called."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.current: ContextVar[_Log] = ContextVar("ferryman_job_log")
        self.setFormatter(logging.Formatter(form))

    def emit(self, record: logging.LogRecord) -> None:
        log = self.current.get(None)
        if log is not None:
            log.add(self.format(record))


def keep_logs(logger: str = "", *, form: str = _FORM, most: int = _MOST_OF_A_JOB) -> Middleware:
    """Return a middleware that keeps what reaches a logger, "" being the one that all others pass on to.

    `form` is a format as `logging.Formatter` takes it.  At most 2 MiB of an attempt are kept, and `most` bytes of a
    job: then the oldest attempts go first, and the newest stays whole.  Raises ConfigError for more than 64 MiB.
    Where jobs have no metadata, as on Redis, every job fails with Unsupported.
    """
    if not 0 < most <= _LARGEST:
        raise ConfigError(f"keep_logs(most={most}) is out of range. It takes 1 to {_LARGEST:,} bytes.")
    handler = _Handler(form)

    async def keep(call: Call, job: Job) -> Any:
        recorder, log = recording.get(), _Log()
        if recorder.before is None:
            raise Unsupported("keep_logs() has no place here: jobs have metadata on Postgres and SQLite only.")
        if handler not in (target := logging.getLogger(logger)).handlers:
            target.addHandler(handler)  # not before a task runs: making the program must change nothing
        before = handler.current.set(log)
        try:
            return await call(job)
        finally:
            handler.current.reset(before)
            if log.lines:
                recorder.metadata[_KEY] = _joined(job, log, most)

    return keep


def _joined(job: Job, log: _Log, most: int) -> bytes:
    """Return the entries of this attempt and of those before, as many as there is room for."""
    text = b"".join(log.lines).decode("utf-8", "replace")
    entries = [*_before(job), gojson.encode({"attempt": job.attempt, "log": text})]
    while len(entries) > 1 and sum(map(len, entries)) > most:
        del entries[0]
    return b"[" + b",".join(entries) + b"]"


def _before(job: Job) -> list[bytes]:
    with suppress(msgspec.DecodeError, msgspec.ValidationError):  # what nobody can read is begun anew
        return [bytes(entry) for entry in _decode(job.raw_metadata).log]
    return []
