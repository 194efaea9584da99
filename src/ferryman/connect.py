"""Finds the storage that a URL names, and imports it only then."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ferryman.errors import ConfigError, MissingExtra
from ferryman.redaction import without_password
from ferryman.utf8 import is_text

if TYPE_CHECKING:
    from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["connect", "schemes"]

_HOW = (
    "For Postgres write postgres://user@localhost/app, for Redis redis://localhost:6379, "
    "for a file sqlite:///ferryman.db."
)


def connect(url: str, origin: str = "the URL", *, side_data: bool = True) -> AsyncStorage:
    """Return the storage at a URL, not yet opened.

    `origin` is where the URL was written, for the message; without `side_data` Redis keeps of failed attempts
    what asynq does.  Raises ConfigError when it
    cannot be understood, and MissingExtra when the storage needs a package.
    """
    scheme, separator, _ = url.partition("://")
    shown = without_password(url)
    if not separator:
        raise ConfigError(f'{origin} is "{shown}", which has no scheme. {_how(url)}')
    if scheme != "sqlite" and not is_text(url):  # a file may be called anything
        raise ConfigError(f"{origin} is {shown!a}, which is not text in UTF-8.")
    if scheme in _OPENERS:
        return _OPENERS[scheme](url, origin, side_data)
    if scheme.partition("+")[0] in _POSTGRES:  # SQLAlchemy's URLs name a driver too
        return _postgres(url, origin, side_data)
    raise ConfigError(f'{origin} is "{shown}", and there is no storage for {scheme}://. {_HOW}')


def _how(text: str) -> str:
    host = re.fullmatch(r"[\w.-]+:\d+(/\d+)?", text)
    return f"For Redis write redis://{text}." if host else _HOW


def schemes() -> list[str]:
    """Return the schemes of the URLs that `connect` takes."""
    return sorted(_OPENERS)


def _sqlite(url: str, origin: str, side_data: bool) -> AsyncStorage:
    from ferryman.storage.river.sqlite._async.storage import AsyncSqliteStorage
    from ferryman.storage.river.sqlite.location import Location

    return AsyncSqliteStorage(Location.parse(url))


def _redis(url: str, origin: str, side_data: bool) -> AsyncStorage:
    from ferryman.storage.asynq.urls import Address

    try:
        address = Address.parse(url)
    except ConfigError as error:
        raise ConfigError(f'{origin} is "{without_password(url)}". {error}') from None
    try:
        from ferryman.storage.asynq._async.storage import AsyncRedisStorage
    except ModuleNotFoundError as error:
        if error.name not in ("redis", "hiredis"):
            raise
        raise MissingExtra(
            f"Jobs on Redis need the package {error.name}, which is not installed.", extra="redis"
        ) from error
    return AsyncRedisStorage(address, remember=side_data)


def _postgres(url: str, origin: str, side_data: bool) -> AsyncStorage:
    from ferryman.storage.river.postgres.location import Location

    location = Location.parse(url)
    try:
        from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
    except ModuleNotFoundError as error:
        if error.name not in ("psycopg", "psycopg_pool"):
            raise
        raise MissingExtra(
            f"Jobs on Postgres need the package {error.name}, which is not installed.", extra="postgres"
        ) from error
    return AsyncPostgresStorage(location)


_POSTGRES = ("postgres", "postgresql")
_REDIS = (
    "redis",
    "rediss",
    "unix",
    "redis-socket",
    "redis+sentinel",
    "rediss+sentinel",
    "redis-sentinel",
    "redis+cluster",
    "rediss+cluster",
)
_OPENERS: dict[str, Callable[[str, str, bool], AsyncStorage]] = {
    "sqlite": _sqlite,
    **dict.fromkeys(_POSTGRES, _postgres),
    **dict.fromkeys(_REDIS, _redis),
}
