"""What the one program can be without a web: a worker, and the small things beside it."""

from __future__ import annotations

import asyncio
import logging
from typing import NoReturn

from briefings import settings
from briefings.tasks import database, jobs
from ferryman import ConfigError, logs
from ferryman.cli.root import cli
from ferryman.connect import without_password


def write_log() -> None:
    """Write what ferryman, the server and we have to say, all in one form."""
    logs.configure(jobs.settings.log_level, jobs.settings.log_format, development=settings.development)
    for name in ("briefings", "uvicorn"):
        logging.getLogger(name).parent = logging.getLogger("ferryman")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def work() -> NoReturn:
    """Run jobs until told to stop, and end the process."""
    refuse_mock_in_production()
    asyncio.run(prepare(connect=False))
    ferryman("worker", *["--migrate"] * settings.development)


def ferryman(command: str, *arguments: str) -> NoReturn:
    """Run a command of `ferryman` for our jobs, and end the process with its exit code."""
    cli.main([command, "--app", "briefings.tasks:jobs", *arguments])


def check() -> NoReturn:
    """Look at the settings, at our own tables, and at all that `ferryman doctor` looks at; end with its exit code."""
    refuse_mock_in_production()
    _refuse_missing_tables()
    ferryman("doctor")


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


async def prepare(*, connect: bool) -> None:
    """See that all tables are there; in development, make them.  `connect` is for who cannot do without the queue."""
    if settings.development:
        await database.migrate()
        if connect:
            await jobs.admin.storage.migrate_all()
    else:
        _refuse_missing_tables()
    if connect:
        async with jobs:
            pass


def _refuse_missing_tables() -> None:
    if pending := database.pending():
        where = without_password(settings.database)
        raise ConfigError(f"{where} lacks {', '.join(pending)}. Run: python -m briefings migrate")


def refuse_mock_in_production() -> None:
    """Raise ConfigError where the briefing service would be the mock, and it is not a developer's machine."""
    if not settings.development and (settings.calls_mock or not settings.webhook_url):
        raise ConfigError(
            f'WEBHOOK_URL is "{settings.webhook_url}". In production it is the address of the real briefing service. '
            "On a developer's machine set APP_ENV=development instead."
        )
