"""What the one program can be: the web, a worker, and the small things beside them."""

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

from briefings import settings, webhook
from briefings.app import make_app
from briefings.settings import Address
from briefings.tasks import database, jobs
from ferryman import ConfigError, logs
from ferryman.cli.root import cli
from ferryman.connect import without_password

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


def write_log() -> None:
    """Write what ferryman, the server and we have to say, all in one form."""
    logs.configure(jobs.settings.log_level, jobs.settings.log_format, development=settings.development)
    for name in ("briefings", "uvicorn"):
        logging.getLogger(name).parent = logging.getLogger("ferryman")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def web(*, with_worker: bool) -> None:
    """Answer requests; in development run the mock of the briefing service too."""
    _refuse_mock_in_production()
    asyncio.run(_prepare(connect=with_worker or jobs.outbox is None))
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


def work() -> None:
    """Run jobs until told to stop."""
    _refuse_mock_in_production()
    asyncio.run(_prepare(connect=False))
    ferryman("worker", *["--migrate"] * settings.development)


def ferryman(command: str, *arguments: str) -> None:
    """Run a command of `ferryman` for our jobs."""
    cli.main([command, "--app", "briefings.tasks:jobs", *arguments])


async def migrate(*, check: bool) -> int:
    """Bring ferryman's tables and ours up to date, or only say what is missing."""
    storage = jobs.admin.storage
    lines = await storage.status()
    if check:
        names = [f"{line.line} {version}" for line in lines for version in line.pending] + database.pending()
    else:
        names = await storage.migrate_all() + await database.migrate()
    await jobs.close()
    print("\n".join(names) or "Nothing to apply.")
    return 1 if check and names else 0


def mock_webhook() -> None:
    """Run the mock of the briefing service alone."""
    if not settings.development:
        raise ConfigError("The mock service is for development. Set APP_ENV=development.")
    Server("the mock service", webhook.app, settings.mock).run()


async def _prepare(*, connect: bool) -> None:
    """See that all tables are there; in development, make them.  `connect` is for who cannot do without the queue."""
    if settings.development:
        await database.migrate()
        if connect:
            await jobs.admin.storage.migrate_all()
    elif pending := database.pending():
        where = without_password(settings.database)
        raise ConfigError(f"{where} lacks {', '.join(pending)}. Run: python -m briefings migrate")
    if connect:
        async with jobs:
            pass


def _refuse_mock_in_production() -> None:
    if not settings.development and (settings.calls_mock or not settings.webhook_url):
        raise ConfigError(
            f'WEBHOOK_URL is "{settings.webhook_url}". In production it is the address of the real briefing service. '
            "On a developer's machine set APP_ENV=development instead."
        )
