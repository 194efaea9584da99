"""Sentry: what a job raises is reported, with its kind and id, and nothing of one job is seen in another's report.

sentry_sdk.init(dsn=…)
jobs = Ferryman(middleware=[sentry.report])
"""

from __future__ import annotations

from typing import Any

import sentry_sdk

from ferryman.job import Job
from ferryman.middleware import Call
from ferryman.outcome import Verdict

__all__ = ["report"]


async def report(call: Call, job: Job) -> Any:
    """Run a job in a scope of its own, and report what it raises; a verdict, such as Snooze, is no error."""
    with sentry_sdk.isolation_scope() as scope:
        scope.set_transaction_name(job.kind, source="task")
        for name, value in _tags(job).items():
            scope.set_tag(f"ferryman.{name}", value)
        try:
            return await call(job)
        except Verdict:
            raise
        except Exception as error:
            sentry_sdk.capture_exception(error)
            raise


def _tags(job: Job) -> dict[str, str]:
    attempt = f"{job.attempt} of {job.max_attempts}"
    return {"kind": job.kind, "id": str(job.ref), "queue": job.queue, "attempt": attempt, "last": str(job.last)}
