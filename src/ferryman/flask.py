"""Flask: tasks run in the application's context.

jobs = Ferryman()
init_app(jobs, app)                                 # current_app, g and extensions work in tasks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ferryman.app import Ferryman
from ferryman.job import Job
from ferryman.middleware import Call

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["init_app"]


def init_app(jobs: Ferryman, app: Flask) -> None:
    """Have each job run in an application context of its own; `app.extensions["ferryman"]` is the Ferryman.

    A plain function has it in its own thread, so that what is torn down with it is closed there.
    """

    async def in_context(call: Call, job: Job) -> Any:
        task = jobs.tasks.get(job.kind)
        if task is None or task.run != "async":
            return await call(job)
        with app.app_context():
            return await call(job)

    jobs.in_thread = app.app_context
    jobs.middleware = (*jobs.middleware, in_context)
    app.extensions["ferryman"] = jobs
