"""Wherever the dashboard is mounted, every link and every form stays below that place, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from ferryman import Ferryman
from ferryman.web import Dashboard
from ferryman.web.wsgi import wsgi
from web.conftest import Shop, everything
from web.crawling import Ask, Crawl, crawl
from web.stocked import stock

HOST = "http://jobs.example"
OWN = {"Sec-Fetch-Site": "same-origin"}
DEEP = "/a/b%20c"


def of_starlette(mount: str) -> Callable[[Dashboard], Any]:
    def app(dashboard: Dashboard) -> Any:
        host = Starlette()
        host.mount(mount, dashboard)
        return host

    return app


def of_fastapi(dashboard: Dashboard) -> Any:
    from fastapi import FastAPI

    host = FastAPI()
    host.mount("/a", dashboard)
    return host


def of_django(dashboard: Dashboard) -> Any:
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler

    if not settings.configured:
        settings.configure(LOGGING_CONFIG=None)
    return dashboard.dispatch("/a/b c", ASGIHandler())


def taking_away(prefix: str, app: Any) -> Any:
    """Return a proxy that asks without the prefix, and says nothing of it."""

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "path": scope["path"].removeprefix(prefix)}, receive, send)

    return proxy


APPS = [
    ("/", lambda dashboard: dashboard),
    ("/a/", of_starlette("/a")),
    (f"{DEEP}/", of_starlette("/a/b c")),
    ("/a/", of_fastapi),
    (f"{DEEP}/", of_django),
    ("/api/jobs/", of_starlette("/api/jobs")),
    ("/tools/", lambda dashboard: dashboard.below("/tools/")),
    ("/tools/", lambda dashboard: taking_away("/tools", dashboard.below("/tools"))),
]
NAMES = ["alone", "starlette", "starlette deep", "fastapi", "django", "below api", "root path", "root path taken away"]


@asynccontextmanager
async def asking(transport: httpx.AsyncBaseTransport) -> AsyncIterator[Ask]:
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:

        async def ask(method: str, address: str) -> httpx.Response:
            return await client.request(method, address, headers=OWN)

        yield ask


def stays_and_answers(found: Crawl, mount: str) -> None:
    """Assert that all is below the mount, and that all is there."""
    for address, status in found.answers.items():
        assert address.startswith(HOST + mount), address
        assert status in (200, 303, 307), (address, status)
    for address, answer in found.posted.items():
        assert address.startswith(HOST + mount), address
        assert answer.status_code in (303, 400, 404), address  # it has arrived, and names nothing to act on
        assert "There is no page" not in answer.text, address
    assert len(found.answers) > 30
    assert len(found.posted) >= 4


@pytest.mark.parametrize(("mount", "app"), APPS, ids=NAMES)
async def test_every_link_stays_below_the_mount(corner: Shop, mount: str, app: Callable[[Dashboard], Any]) -> None:
    async with asking(httpx.ASGITransport(app(corner.there.dashboard))) as ask:
        stays_and_answers(await crawl(ask, HOST + mount), mount)


async def test_a_page_that_forgot_its_slash_leads_to_the_dashboard(corner: Shop) -> None:
    async with asking(httpx.ASGITransport(of_django(corner.there.dashboard))) as ask:
        answer = await ask("GET", f"{HOST}{DEEP}")

    assert answer.headers["Location"] == f"{DEEP}/s/main/"


@pytest.mark.parametrize("trusted", [["10.0.0.0/8"], []], ids=["trusted", "stranger"])
async def test_a_prefix_that_a_proxy_takes_away_is_believed_from_a_trusted_one(
    corner: Shop, trusted: list[str]
) -> None:
    dashboard = Dashboard(corner.jobs, auth=everything(corner.jobs).board.door.way, trusted_proxies=trusted)

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        headers = [*scope["headers"], (b"x-forwarded-prefix", b"/tools/jobs")]
        path = scope["path"].removeprefix("/tools/jobs") or "/"
        await dashboard({**scope, "path": path, "headers": headers}, receive, send)

    async with asking(httpx.ASGITransport(proxy, client=("10.1.2.3", 4711))) as ask:
        if trusted:
            stays_and_answers(await crawl(ask, f"{HOST}/tools/jobs/"), "/tools/jobs/")
        else:
            assert "/tools" not in (await ask("GET", f"{HOST}/tools/jobs/s/main/")).text
    await dashboard.close()


@pytest.fixture
async def stored(tmp_path: Path) -> str:
    """A file with jobs: under WSGI the dashboard lives in a loop of its own, and opens what it shows there."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    async with Ferryman(url, config=None) as jobs:
        await stock(jobs)
    return url


def of_flask(dashboard: Any) -> Any:
    from flask import Flask
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    return DispatcherMiddleware(Flask("host").wsgi_app, {"/a/b c": dashboard})


def of_django_wsgi(dashboard: Any) -> Any:
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    if not settings.configured:
        settings.configure(LOGGING_CONFIG=None)
    return DispatcherMiddleware(WSGIHandler(), {"/a/b c": dashboard})


@pytest.mark.parametrize("app", [of_flask, of_django_wsgi], ids=["flask", "django"])
async def test_every_link_stays_below_the_mount_under_wsgi(stored: str, app: Callable[[Any], Any]) -> None:
    jobs = Ferryman(stored, config=None)
    under = wsgi(everything(jobs))
    client = httpx.Client(transport=httpx.WSGITransport(app(under)), base_url=HOST, headers=OWN)

    async def ask(method: str, address: str) -> httpx.Response:
        return await asyncio.to_thread(client.request, method, address)

    found = await crawl(ask, f"{HOST}{DEEP}/")
    for closing in (under._dashboard, jobs):
        asyncio.run_coroutine_threadsafe(closing.close(), under._running.loop).result(30)

    stays_and_answers(found, f"{DEEP}/")
