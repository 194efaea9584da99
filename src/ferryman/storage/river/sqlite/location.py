"""A URL → a SQLite file, and a connection to it that reads and writes as jobs need it."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from ferryman.errors import ConfigError
from ferryman.storage.river.sqlite.failures import translated
from ferryman.storage.river.sqlite.library import BUSY_SECONDS, Connection, library

__all__ = ["Location"]

_SYNCHRONOUS = ("full", "normal")


class Location(msgspec.Struct, frozen=True):
    """Where the database is; an empty path is in memory."""

    path: str
    synchronous: str = "full"

    @classmethod
    def parse(cls, url: str) -> Location:
        """Read `sqlite:///relative.db`, `sqlite:////absolute.db` or `sqlite://`.  Raises ConfigError."""
        parts = urlsplit(url)
        if parts.netloc:
            raise ConfigError(
                f'"{url}" has two slashes before the file. SQLite\'s URLs have three: sqlite:///{parts.netloc}{parts.path}'
            )
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        synchronous = options.pop("synchronous", "full").lower()
        if synchronous not in _SYNCHRONOUS:
            raise ConfigError(f'"{url}" has synchronous={synchronous}. It takes full (the default) or normal.')
        if options:
            raise ConfigError(f'"{url}" has the unknown option {", ".join(options)}. There is: synchronous.')
        return cls(unquote(parts.path.removeprefix("/")), synchronous)

    def __str__(self) -> str:
        return f"sqlite:///{self.path}" if self.path else "sqlite:// (in memory)"

    def open(self) -> Connection:
        """Open a connection.  Raises MissingExtra without a library, StorageUnavailable when the file cannot be had."""
        sqlite = library()
        with translated(self):
            connection = sqlite.connect(
                self.path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                if self.path:
                    _write_ahead(connection)
                connection.execute(f"pragma synchronous = {self.synchronous}")
            except BaseException:
                connection.close()
                raise
        return connection


def _write_ahead(connection: Connection) -> None:
    """Switch the file to WAL.  While another does just that SQLite gives up at once, so the waiting is ours."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("pragma journal_mode = wal").fetchone()
        except library().OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return
