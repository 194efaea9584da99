"""Tells browsers that there is something new, so that they ask for it at once (spec/dashboard.md 3.4).

What is told is the number of a snapshot and nothing that is in it: who hears it asks as ever, and who cannot
hear it asks every few seconds.  A stream keeps a connection open as long as the browser likes, and a server that
ends waits for its connections; so there are only so many, and whoever stops the server hangs up first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from ferryman.web.collector import Collector
from ferryman.web.refusals import Refusal

__all__ = ["Streams"]

_QUIET = 15.0
"""After so many seconds without news something is sent, so that nothing on the way takes the stream for dead."""

_LONGEST = 600.0
"""After so many seconds a stream ends, so that its browser passes the door anew: it may have been logged out."""

_AGAIN = 5_000
"""After so many milliseconds a browser whose stream broke comes again."""


class Streams:
    """The streams of one dashboard, at most so many at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = 0
        self._end = asyncio.Event()

    def begin(self, collector: Collector, number: int) -> Response:
        """Return a stream of the snapshots after this one.  Raises Refusal when there is no room for it."""
        if self.open >= self.most:
            raise Refusal(503, "no_stream", f"There is room for {self.most} streams here. Ask for /snapshot instead.")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return _Stream(self, self._lines(collector, number), media_type="text/event-stream", headers=headers)

    def hang_up(self) -> None:
        """End every stream."""
        self._end.set()
        self._end = asyncio.Event()

    async def _lines(self, collector: Collector, number: int) -> AsyncIterator[str]:
        end, until = self._end, time.monotonic() + _LONGEST
        yield f"retry: {_AGAIN}\n\n"
        while not end.is_set() and time.monotonic() < until:
            later = await _later(collector, number, end)
            number = later or number
            if not end.is_set():
                yield f"event: snapshot\ndata: {number}\n\n" if later else ":\n\n"


class _Stream(StreamingResponse):
    """A stream that takes its place before anybody else is let in, and gives it back however it ends."""

    def __init__(self, streams: Streams, lines: AsyncIterator[str], **more: Any) -> None:
        super().__init__(lines, **more)
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._streams.open += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.open -= 1


async def _later(collector: Collector, number: int, end: asyncio.Event) -> int | None:
    """Return the number of a later snapshot, or None where there is none for a while, or none to wait for."""
    news, ends = asyncio.ensure_future(collector.after(number)), asyncio.ensure_future(end.wait())
    try:
        await asyncio.wait((news, ends), timeout=_QUIET, return_when=asyncio.FIRST_COMPLETED)
        return news.result() if news.done() else None
    finally:
        news.cancel()
        ends.cancel()
