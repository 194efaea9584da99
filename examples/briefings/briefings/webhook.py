"""A mock of the briefing service, for development and tests.

It takes its time, and fails when the topic asks for it: `fail-500`, `fail-400`,
`timeout`, `bad-json`, `busy-once` (come back in a second), `flaky-2` (fails twice, then works).
"""

from __future__ import annotations

import asyncio
import random

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from briefings import settings

calls: list[str] = []
"""The Idempotency-Key of each call."""
mode = {"healthy": False}
SECTIONS = [
    {"heading": "In short", "text": "Three sources say something new about it, and two of them agree."},
    {"heading": "What changed", "text": "Since last week: two decisions, one delay, and a date for the next."},
    {"heading": "What to do", "text": "Read the decision of Tuesday before the call; the rest can wait."},
]


async def make(request: Request) -> Response:
    """Make a briefing, sooner or later, or not."""
    topic, key = (await request.json())["topic"], request.headers.get("idempotency-key", "")
    calls.append(key)
    await asyncio.sleep(random.uniform(*settings.mock_latency))
    failure = None if mode["healthy"] else await _failure(topic, calls.count(key))
    return failure or JSONResponse({"title": topic, "sections": SECTIONS})


async def _failure(topic: str, call: int) -> Response | None:
    if "timeout" in topic:
        await asyncio.sleep(10 * settings.webhook_timeout.total_seconds())
    if "fail-400" in topic:
        return PlainTextResponse("I will not write about that.", 400)
    if "fail-500" in topic or ("flaky-2" in topic and call <= 2):
        return PlainTextResponse("Internal Server Error", 500)
    if "busy-once" in topic and call == 1:
        return PlainTextResponse("Later, please.", 503, headers={"Retry-After": "1"})
    return PlainTextResponse("<html>It works!</html>") if "bad-json" in topic else None


async def change_mode(request: Request) -> Response:
    """`healthy`: every topic works from now on.  Anything else: topics are obeyed again."""
    mode["healthy"] = (await request.body()).strip() == b"healthy"
    return PlainTextResponse("healthy\n" if mode["healthy"] else "as the topics ask\n")


async def list_calls(request: Request) -> Response:
    """Say who called, the oldest first."""
    return JSONResponse(calls)


app = Starlette(
    routes=[
        Route("/briefings", make, methods=["POST"]),
        Route("/mode", change_mode, methods=["POST"]),
        Route("/calls", list_calls),
    ]
)
