"""Finds the storage that a URL names, and imports it only then."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ferryman.errors import ConfigError

if TYPE_CHECKING:
    from ferryman.storage._async.protocol import AsyncStorage

__all__ = ["connect", "without_password"]

_COMING = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster", "redis-socket", "redis-sentinel")
_COMING_SQL = ("postgres", "postgresql")


def connect(url: str, origin: str = "the URL") -> AsyncStorage:
    """Return the storage at a URL, not yet opened.

    `origin` is where the URL was written, for the message.  Raises ConfigError when it
    cannot be understood, and MissingExtra when the storage needs a package.
    """
    scheme, separator, _ = url.partition("://")
    if not separator:
        raise ConfigError(
            f'{origin} is "{url}", which has no scheme. For a file write sqlite:///{url or "ferryman.db"}.'
        )
    if scheme in _OPENERS:
        return _OPENERS[scheme](url)
    shown = without_password(url)
    if scheme.partition("+")[0] in (*_COMING, *_COMING_SQL) or scheme in _COMING:
        raise ConfigError(
            f'{origin} is "{shown}". This version of ferryman keeps jobs in SQLite only. '
            "Set FERRYMAN_URL=sqlite:///ferryman.db to go on."
        )
    raise ConfigError(f'{origin} is "{shown}", and there is no storage for {scheme}://. Write sqlite:///ferryman.db.')


def _sqlite(url: str) -> AsyncStorage:
    from ferryman.storage.river._async.storage import AsyncSqliteStorage
    from ferryman.storage.river.sqlite import Location

    return AsyncSqliteStorage(Location.parse(url))


_OPENERS: dict[str, Callable[[str], AsyncStorage]] = {"sqlite": _sqlite}


def without_password(url: str) -> str:
    """Return a URL as it may be printed."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    credentials, _, host = parts.netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    hidden = f"{user}{':***' if colon else ''}@{host}"
    return urlunsplit(parts._replace(netloc=hidden))
