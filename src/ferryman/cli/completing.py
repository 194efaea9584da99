"""What the shell offers when Tab is pressed: names that the storage and the app know.

It is a courtesy: what takes longer than a moment, or fails, offers nothing and says nothing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import redirect_stderr, suppress
from pathlib import Path

import click

from ferryman.cli.session import Session
from ferryman.errors import ConfigError
from ferryman.named import Storages
from ferryman.settings_file import find

__all__ = ["complete_kinds", "complete_queues", "complete_schedules", "complete_states", "complete_storages"]

_PATIENCE = 0.3
"""Seconds for which an app and a storage are waited for, once our own modules are loaded."""


def complete_queues(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Offer the queues that there are."""
    return _offer(context, incomplete, _queues)


def complete_kinds(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Offer the kinds that the app has, and those of the workers that are alive."""
    return _offer(context, incomplete, _kinds)


def complete_schedules(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Offer what is enqueued by the clock."""
    return _offer(context, incomplete, _schedules)


def complete_states(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Offer the states."""
    from ferryman.job import State

    return [state.value for state in State if state.value.startswith(incomplete)]


def complete_storages(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Offer the storages that the settings file names; neither an app nor a storage is asked."""
    try:
        file = find(context.ensure_object(Session).config_file, os.environ)
        names = Storages.read(file, os.environ).urls
    except ConfigError:
        return []
    return [name for name in names if name.startswith(incomplete)]


def _queues(session: Session) -> Iterable[str]:
    return [queue.name for queue in session.admin.queues.list()] if _is_there(session) else []


def _schedules(session: Session) -> Iterable[str]:
    return [entry.id for entry in session.admin.periodic.list()] if _is_there(session) else []


def _kinds(session: Session) -> Iterable[str]:
    workers = session.admin.workers.list() if _is_there(session) else []
    return {*session.jobs.tasks, *(kind for worker in workers for kind in worker.kinds)}


def _is_there(session: Session) -> bool:
    """Whether there is something to ask: a database file must not come to be because of Tab."""
    url = session.jobs.settings.url
    if not url.startswith("sqlite:"):
        return True
    from ferryman.storage.river.sqlite.location import Location

    return Path(Location.parse(url).path).exists()


def _offer(context: click.Context, incomplete: str, find: Callable[[Session], Iterable[str]]) -> list[str]:
    session = context.ensure_object(Session)
    found: list[str] = []

    def look() -> None:
        with suppress(Exception):
            found.extend(sorted(name for name in find(session) if name.startswith(incomplete)))

    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):  # what an app says while it is imported
        with suppress(Exception):
            session.bare().sync.admin.storage.location()  # loads what any answer needs, and connects to nothing
        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        thread.join(_PATIENCE)
    return list(found)
