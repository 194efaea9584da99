"""What `ferryman doctor` looks at, from the URL to the jobs, as far as it gets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ferryman import logs
from ferryman.cli.commands.dashboard import VARIABLE, wanted_in_environment
from ferryman.cli.loading import load_app
from ferryman.cli.session import Session
from ferryman.duration import format_duration, parse_duration
from ferryman.errors import ConfigError, FerrymanError, MissingExtra, SchemaOutOfDate, StorageError
from ferryman.findings import Finding, Level, failed, passed, warned
from ferryman.storage.values import Retention
from ferryman.storage.way import Step
from ferryman.terms import retention

if TYPE_CHECKING:
    from ferryman.admin._sync.admin import Admin
    from ferryman.app import Ferryman

__all__ = ["application", "examine"]

_HANDING_BACK = timedelta(seconds=10)
"""How much longer stopping takes than the jobs may: handing back what runs on, and closing (spec/ops.md 5.4)."""


def examine(session: Session) -> Iterator[Finding]:
    """Look at the program, the way to the storage, the storage, and the jobs in it."""
    yield from _program(session)
    yield from _dashboard()
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
    """Whether a finding is about the program, its workers and its dashboard, and not about the storage."""
    return found.id.startswith(("A-", "D-"))


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


def _dashboard() -> Iterator[Finding]:
    """Look at what the environment says of a dashboard, which is who would be let in."""
    if not any(name.startswith(VARIABLE) for name in os.environ):
        return
    try:
        from ferryman.web.entrance.standing import OpenToEverybody, standing
    except ModuleNotFoundError:
        yield warned("D-AUTH", "cannot be looked at: the dashboard is not installed", 'pip install "ferryman[web]"')
        return
    try:
        found = standing(wanted_in_environment())
    except OpenToEverybody as error:
        yield failed("D-AUTH", str(error), f"export {VARIABLE}USERS=users.txt")
    except (ConfigError, click.UsageError) as error:
        yield failed("D-AUTH", error.format_message() if isinstance(error, click.UsageError) else str(error))
    else:
        yield warned("D-AUTH", found.warning) if found.warning else passed("D-AUTH", "the dashboard has a login")


def _storage(admin: Admin, keep: Retention) -> Iterator[Finding]:
    way = list(map(_step, admin.storage.way()))
    yield from way
    if any(found.level is Level.ERROR for found in way):
        return
    try:
        yield from admin.storage.check(production=not logs.in_development(), keep=keep)
    except StorageError as error:
        yield failed("U-CONN", str(error))


def _step(step: Step) -> Finding:
    text = f"{step.name}, {step.seconds * 1000:.0f} ms: {step.text}"
    return failed("U-CONN", text, step.fix) if step.failed else passed("U-CONN", text)


def _jobs(admin: Admin, session: Session) -> Iterator[Finding]:
    try:
        jobs = session.jobs
        yield from admin.check(jobs.tasks, takes_from=jobs.settings.queues, redaction=jobs.redaction)
    except SchemaOutOfDate:
        return  # said already, by the storage
    except FerrymanError as error:
        yield warned("A-QUEUE", f"cannot be looked at: {error}")
    yield from _shutdown(session.jobs)


def _shutdown(jobs: Ferryman) -> Iterator[Finding]:
    """Compare how long a worker waits when it is told to stop with how long it is given and its tasks may take."""
    waits = timedelta(seconds=jobs.settings.shutdown_timeout)
    text = f"a worker that stops waits {format_duration(waits)}"
    given = os.environ.get("FERRYMAN_GRACE_PERIOD")
    if given and (needs := waits + _HANDING_BACK) > parse_duration(given):
        yield warned("A-SHUT", f"{text} and takes up to {format_duration(needs)} in all, and is killed after {given}")
    timeouts = {
        task.kind: _length(task.options["timeout"]) for task in jobs.tasks.values() if "timeout" in task.options
    }
    if not timeouts:
        return
    kind, longest = max(timeouts.items(), key=lambda each: each[1])
    if longest > waits:
        yield warned(
            "A-SHUT", f'{text}, and "{kind}" may take {format_duration(longest)}: then it is cut off and runs again'
        )
    else:
        yield passed("A-SHUT", f"{text}, and no task takes longer")


def _length(given: Any) -> timedelta:
    return parse_duration(given)
