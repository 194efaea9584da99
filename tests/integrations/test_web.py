"""Starlette, FastAPI and Flask: programs that answer requests and enqueue jobs, some with a worker inside."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from flask import Flask, current_app

from ferryman import Ferryman
from ferryman.asgi import lifespan
from ferryman.events import JobFinished
from ferryman.flask import init_app
from ferryman.testing import Recorder, run_until_empty


async def test_a_fastapi_program_connects_at_its_start_and_works_jobs_beside_requests(tmp_path: Path) -> None:
    jobs = Ferryman(f"sqlite:///{tmp_path}/jobs.db")

    @jobs.task("greet")
    async def greet(name: str) -> str:
        return f"hello {name}"

    app = FastAPI(lifespan=lifespan(jobs, worker={"concurrency": 1}))
    with Recorder(jobs.events) as seen:
        async with app.router.lifespan_context(app):
            await greet.enqueue("Ada")
            ended = await seen.wait_for(JobFinished, within=30)

    assert ended.state == "completed"
    assert "connections" not in jobs.__dict__ or not jobs.connections._open


def test_in_flask_plain_and_async_tasks_have_the_applications_context(tmp_path: Path) -> None:
    app, told = Flask("shop"), []
    jobs = Ferryman(f"sqlite:///{tmp_path}/jobs.db")
    init_app(jobs, app)

    @jobs.task("plain")
    def plain() -> None:
        told.append(current_app.name)

    @jobs.task("waiting")
    async def waiting() -> None:
        told.append(current_app.name)

    @app.post("/orders")
    def order() -> Any:
        plain.enqueue_sync()
        waiting.enqueue_sync()
        return {}, 202

    assert app.test_client().post("/orders").status_code == 202

    async def work() -> None:
        async with jobs:
            await run_until_empty(jobs)

    asyncio.run(work())
    assert told == ["shop", "shop"]
    assert app.extensions["ferryman"] is jobs
