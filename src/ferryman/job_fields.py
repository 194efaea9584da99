"""Which job runs here, for the program's own log: as fields of its records, and in structlog's context.

    jobs = Ferryman(middleware=[bind_job])
    handler.addFilter(JobFields())                      # %(job_id)s %(kind)s %(attempt)s in the handler's format

With structlog nothing more is needed but its `merge_contextvars`.
"""

from __future__ import annotations

import logging
import sys
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any

from ferryman.job import Job
from ferryman.middleware import Call

__all__ = ["JobFields", "bind_job"]

_running: ContextVar[Job | None] = ContextVar("ferryman_running", default=None)


async def bind_job(call: Call, job: Job) -> Any:
    """Have everything that is logged while a job runs, in its threads too, say which job it is."""
    token = _running.set(job)
    try:
        with _bound(job):
            return await call(job)
    finally:
        _running.reset(token)


class JobFields(logging.Filter):
    """Gives each record the fields `job_id`, `kind`, `queue` and `attempt`; empty where no job runs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields, and let the record pass."""
        for name, value in _fields(_running.get()).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


def _fields(job: Job | None) -> dict[str, Any]:
    if job is None:
        return dict.fromkeys(("job_id", "kind", "queue", "attempt"), "")
    return {"job_id": str(job.ref), "kind": job.kind, "queue": job.queue, "attempt": job.attempt}


def _bound(job: Job) -> AbstractContextManager[None]:
    # Who uses structlog has imported it by now.
    if "structlog" not in sys.modules:
        return nullcontext()
    from structlog.contextvars import bound_contextvars

    return bound_contextvars(**_fields(job))
