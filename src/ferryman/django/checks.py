"""What `manage.py check` says of ferryman's settings and of its tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from ferryman.errors import FerrymanError, MissingExtra, StorageError

__all__ = ["settings_work", "tables_are_there"]


@register()
def settings_work(app_configs: object = None, **kwargs: Any) -> Iterable[CheckMessage]:
    """Read the settings, and find the storage that they name, without connecting."""
    from ferryman.connect import connect
    from ferryman.django.app import DjangoFerryman, given
    from ferryman.django.databases import is_database, two_libraries

    try:
        jobs = DjangoFerryman(**given())
        connect(jobs.settings.url, jobs.loaded.origin("url"))
    except MissingExtra as error:
        return [Error(str(error), id="ferryman.E002")]
    except (FerrymanError, TypeError) as error:
        return [Error(str(error), hint="Look at FERRYMAN in your settings.", id="ferryman.E001")]
    url, mine = jobs.settings.url, connections[jobs.database].settings_dict
    if url.startswith("sqlite:") and is_database(url, mine) and two_libraries():
        return [
            Error(
                f"Jobs are in the SQLite file of the database {jobs.database}, which Python's own sqlite3 opens too: "
                "two SQLite libraries in one process drop each other's locks.",
                hint="Give jobs a file of their own, or use a Python whose SQLite is 3.45 or newer, or Postgres.",
                id="ferryman.E003",
            )
        ]
    return []


@register(Tags.database)
def tables_are_there(
    app_configs: object = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[Warning]:
    """Ask the storage whether its tables are up to date, when databases are checked at all."""
    import asyncio

    from ferryman.django.app import DjangoFerryman, given

    try:
        jobs = DjangoFerryman(**given())
    except (FerrymanError, TypeError):
        return []  # said by the other check
    if jobs.database not in (databases or ()):
        return []
    try:
        pending = [str(version) for line in jobs.sync.admin.storage.status() for version in line.pending]
    except StorageError as error:
        return [Warning(f"The storage of the jobs cannot be looked at: {error}", id="ferryman.W002")]
    finally:
        asyncio.run(jobs.close())
    if not pending:
        return []
    what = f"The jobs' database lacks {len(pending)} of ferryman's migrations."
    return [Warning(what, hint="Run: manage.py ferryman migrate up", id="ferryman.W001")]
