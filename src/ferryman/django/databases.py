"""Whether Django's database and the jobs' are one, and the URL of the first."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from ferryman.storage.river.sqlite.library import library

__all__ = ["is_database", "two_libraries", "url_of"]

_LIBPQ = ("sslmode", "sslrootcert", "sslcert", "sslkey", "options", "service", "passfile", "target_session_attrs")


def url_of(database: Mapping[str, Any]) -> str | None:
    """Return the URL of a database of Django's settings; None where jobs cannot be in it."""
    engine, name = str(database["ENGINE"]), str(database["NAME"])
    if "postg" in engine:
        return _postgres_url(database)
    if "sqlite" in engine and not two_libraries() and not _in_memory(name):
        return f"sqlite:///{quote(name)}"
    return None


def is_database(url: str, database: Mapping[str, Any]) -> bool:
    """Whether a URL leads to a database of Django's settings, so that one transaction reaches both."""
    engine = str(database["ENGINE"])
    if url.startswith("sqlite:"):
        path = unquote(urlsplit(url).path.removeprefix("/"))
        same = bool(path) and os.path.realpath(path) == os.path.realpath(database["NAME"])
        return "sqlite" in engine and same
    if url.startswith("postgres"):
        return "postg" in engine and _postgres(url) == _postgres(_postgres_url(database))
    return False


def two_libraries() -> bool:
    """Whether Django reaches SQLite through another library than ferryman, which one file does not survive."""
    return bool(library().sqlite_version != sqlite3.sqlite_version)


def _postgres_url(database: Mapping[str, Any]) -> str:
    user = quote(str(database.get("USER") or ""), safe="")
    password = quote(str(database.get("PASSWORD") or ""), safe="")
    host, port = str(database.get("HOST") or ""), str(database.get("PORT") or "")
    options = {k: str(v) for k, v in (database.get("OPTIONS") or {}).items() if k in _LIBPQ}
    if host.startswith("/"):
        options["host"], host = host, ""
        if port:
            options["port"], port = port, ""
    where = f"{user}{f':{password}' if password else ''}{'@' if user else ''}{host}{f':{port}' if port else ''}"
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"postgres://{where}/{quote(str(database['NAME']), safe='')}{query}"


def _postgres(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.hostname or "", str(parts.port or 5432), unquote(parts.path.removeprefix("/"))


def _in_memory(name: str) -> bool:
    return name == ":memory:" or "mode=memory" in name
