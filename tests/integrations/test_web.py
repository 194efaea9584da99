"""Starlette, FastAPI and Flask: programs that answer requests and enqueue jobs, some with a worker inside."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from flask import Flask, current_app

from ferryman import Ferryman
from ferryman.asgi import lifespan
from ferryman.events import JobFinished
from ferryman.flask import init_app
from ferryman.testing import Recorder, run_until_empty
from pages import DOCS, blocks
from servers import postgres
from storage.places import OnPostgres, migrate


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


async def test_a_fastapi_dependencys_session_keeps_user_and_job_together(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = [block.text for block in blocks(DOCS / "integrations/web.md") if "tx=session" in block.text]
    with postgres().database() as url:
        migrate(OnPostgres(url))
        monkeypatch.setenv("DATABASE_URL", url)
        shop: dict[str, Any] = {}
        exec(compile(code, "shop.py", "exec"), shop)
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("create table users (name text unique deferrable initially deferred)")
            transport = httpx.ASGITransport(shop["app"], raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as browser, shop["jobs"]:
                codes = [(await browser.post("/users/Ada")).status_code for _ in range(2)]
            await shop["engine"].dispose()

            assert codes == [202, 500]
            assert db.execute("select count(*) from river_job").fetchone() == (1,)
