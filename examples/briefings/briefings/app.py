"""The web program: what answers where, and how it refuses."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from obstore.exceptions import BaseError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from briefings import api, settings
from briefings.database import DatabaseAway
from briefings.files import Gone
from briefings.guard import Guard, is_operator
from briefings.pages import HERE, page
from briefings.tasks import generate_briefing, jobs
from ferryman import Job, JobNotFound, StorageError, WrongState
from ferryman.web import Access, Dashboard, Level

logger = logging.getLogger("briefings")

EMBEDDED_SLOTS = 2
AWAY: dict[type[Exception], str] = {DatabaseAway: "database", StorageError: "queue", BaseError: "object store"}


def make_app(*, with_worker: bool) -> Starlette:
    """Make the web program, on request with a worker in the same process, as is handy in development."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(jobs.close)
            if jobs.outbox is None:  # with one, it answers without the queue
                await jobs.connections.storage()
            if with_worker:
                await stack.enter_async_context(jobs.worker(concurrency=EMBEDDED_SLOTS))
            yield

    return Starlette(
        routes=[
            Route("/", api.index),
            Route("/briefings", api.create, methods=["POST"]),
            Route("/briefings/{id:uuid}", api.show),
            Route("/briefings/{id:uuid}", api.delete, methods=["DELETE"]),
            Route("/briefings/{id:uuid}/delete", api.delete, methods=["POST"]),
            Route("/briefings/{id:uuid}/events", api.events),
            Route("/briefings/{id:uuid}/retry", api.again, methods=["POST"]),
            Route("/briefings/{id:uuid}/files", api.upload, methods=["POST"]),
            Route("/failed", api.failed),
            Route("/failed/{ref:path}/retry", api.revive, methods=["POST"]),
            Route("/healthz", api.healthz),
            Route("/readyz", api.readyz),
            Mount("/static", StaticFiles(directory=HERE / "static")),
            *([Mount("/admin/jobs", dashboard())] if settings.development else []),
        ],
        middleware=[Middleware(Guard)],
        exception_handlers=dict.fromkeys((HTTPException, *AWAY, Gone, JobNotFound, WrongState), refused),
        lifespan=lifespan,
    )


def dashboard() -> Dashboard:
    """Make the dashboard for developers; in production it runs apart, behind a login of its own."""

    def who(request: Request) -> Access | None:
        return Access(Level.ADMIN, "operator", "ADMIN_TOKEN, or development") if is_operator(request) else None

    def links(job: Job) -> list[tuple[str, str]]:
        made = job.kind == generate_briefing.kind
        return [("Briefing", f"/briefings/{msgspec.json.decode(job.args)['briefing_id']}")] if made else []

    return Dashboard(jobs, auth=who, title="Briefings", environment="development", links=links)


async def refused(request: Request, error: Exception) -> Response:
    """Say what cannot be done and why, as a page or as JSON."""
    code, sentence, headers = 404, "There is nothing here. It may have been deleted.", {}
    if isinstance(error, HTTPException):
        code, sentence, headers = error.status_code, error.detail, dict(error.headers or {})
    elif isinstance(error, tuple(AWAY)):
        away = next(name for kind, name in AWAY.items() if isinstance(error, kind))
        logger.error("the %s is away: %s", away, error)
        code, sentence = 503, f"The {away} does not answer just now. Nothing was stored. Please try again."
        headers = {"Retry-After": "5"}
    elif isinstance(error, WrongState):
        code, sentence = 409, str(error)
    if "text/html" in request.headers.get("accept", ""):
        return page(request, "error.html", code, headers, sentence=sentence)
    return JSONResponse({"error": sentence}, code, headers)
