"""What `ferryman doctor` looks at, from the URL to the jobs, as far as it gets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ferryman import logs
from ferryman.cli.loading import load_app
from ferryman.cli.session import Session
from ferryman.duration import format_duration, parse_duration
from ferryman.errors import ConfigError, FerrymanError, MissingExtra, SchemaOutOfDate, StorageError
from ferryman.findings import Finding, Level, failed, passed, warned
from ferryman.storage.values import Retention
from ferryman.terms import retention

if TYPE_CHECKING:
    from ferryman.admin._sync.admin import Admin
    from ferryman.app import Ferryman

__all__ = ["application", "examine"]


def examine(session: Session) -> Iterator[Finding]:
    """Look at the program, the way to the storage, the storage, and the jobs in it."""
    yield from _program(session)
    try:
        admin, location = session.admin, session.admin.storage.location()
    except (ConfigError, MissingExtra) as error:
        yield failed("U-URL", str(error))
        return
    yield passed("U-URL", location)
    storage = list(_storage(admin, retention(session.jobs.tasks, session.jobs.settings)))
    yield from storage
    if not any(found.level is Level.ERROR and found.id.startswith(("U-", "S-MIGR", "P-MIGR")) for found in storage):
        yield from _jobs(admin, session)


def application(found: Finding) -> bool:
    """Whether a finding is about the program and its workers, and not about the storage."""
    return found.id.startswith("A-")


def _program(session: Session) -> Iterator[Finding]:
    if session.app_name is None:
        return
    try:
        tasks = load_app(session.app_name).tasks
        for task in tasks.values():
            _ = task.arguments
    except ConfigError as error:
        session.jobs = session.bare()
        yield failed("A-IMPORT", str(error))
        return
    yield passed("A-IMPORT", f"{session.app_name} has {len(tasks)} tasks")


def _storage(admin: Admin, keep: Retention) -> Iterator[Finding]:
    began = time.monotonic()
    try:
        findings = admin.storage.check(production=not logs.in_development(), keep=keep)
    except StorageError as error:
        yield failed("U-CONN", str(error))
        return
    yield passed("U-CONN", f"answers; it took {(time.monotonic() - began) * 1000:.0f} ms to look at it")
    yield from findings


def _jobs(admin: Admin, session: Session) -> Iterator[Finding]:
    try:
        yield from admin.check(session.jobs.tasks, redaction=session.jobs.redaction)
    except SchemaOutOfDate:
        return  # said already, by the storage
    except FerrymanError as error:
        yield warned("A-QUEUE", f"cannot be looked at: {error}")
    yield from _shutdown(session.jobs)


def _shutdown(jobs: Ferryman) -> Iterator[Finding]:
    """Compare how long a worker waits when it is told to stop with how long its tasks may take."""
    timeouts = {
        task.kind: _length(task.options["timeout"]) for task in jobs.tasks.values() if "timeout" in task.options
    }
    if not timeouts:
        return
    kind, longest = max(timeouts.items(), key=lambda each: each[1])
    waits = timedelta(seconds=jobs.settings.shutdown_timeout)
    text = f"a worker that stops waits {format_duration(waits)}"
    if longest > waits:
        yield warned(
            "A-SHUT", f'{text}, and "{kind}" may take {format_duration(longest)}: then it is cut off and runs again'
        )
    else:
        yield passed("A-SHUT", f"{text}, and no task takes longer")


def _length(given: Any) -> timedelta:
    return parse_duration(given)
