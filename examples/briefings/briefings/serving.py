"""The web as a process, with the mock of the briefing service beside it or alone."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Thread
from typing import Any

import uvicorn

from briefings import modes, settings, webhook
from briefings.settings import Address
from briefings.tasks import jobs
from ferryman import ConfigError, logs

logger = logging.getLogger("briefings")

MOCK_ENDS = 5.0
STOP = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """A server that says where it is once it can be reached."""

    def __init__(self, name: str, app: Any, address: Address) -> None:
        host, port = address
        self.where = f"{name} on http://{host}:{port}"
        # An event stream may be open for long; three seconds after the signal it ends.
        super().__init__(
            uvicorn.Config(app, host, port, log_config=None, access_log=False, timeout_graceful_shutdown=3)
        )

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            logger.info(self.where)


def web(*, with_worker: bool) -> None:
    """Answer requests; in development run the mock of the briefing service too."""
    from briefings.app import make_app  # not above: the mock alone has no pages

    modes.refuse_mock_in_production()
    asyncio.run(modes.prepare(connect=with_worker or jobs.outbox is None))
    logs.subscribe(jobs.events, jobs.redaction)
    for each in STOP:
        signal.signal(each, lambda *_: sys.exit(0))  # uvicorn hands a signal on once it has stopped in order
    with own_mock() if settings.own_mock else nullcontext():
        Server("Briefings", make_app(with_worker=with_worker), settings.http).run()


@contextmanager
def own_mock() -> Iterator[None]:
    """Run the mock in a thread while the block runs, and end it: a loop must not run on while Python is taken down."""
    mock = Server("the mock service", webhook.app, settings.mock)
    thread = Thread(target=mock.run, name="mock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        mock.should_exit = True
        thread.join(MOCK_ENDS)


def mock_webhook() -> None:
    """Run the mock of the briefing service alone."""
    if not settings.development:
        raise ConfigError("The mock service is for development. Set APP_ENV=development.")
    Server("the mock service", webhook.app, settings.mock).run()
