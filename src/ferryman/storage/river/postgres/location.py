"""Where a Postgres database is, read from a URL.

The URL is libpq's, with two additions: SQLAlchemy's `+driver` is passed over, and
`?schema=x` says in which schema River's tables are (design.md 1.3).
"""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

import msgspec

from ferryman.errors import ConfigError
from ferryman.storage.river.rules import check_schema

__all__ = ["Location"]

_OTHERWISE = {
    "application_name": "ferryman",
    # Seconds.  Without them a network that swallows everything is waited for, for hours.
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
"""What libpq is told where the URL says nothing."""


class Location(msgspec.Struct, frozen=True):
    """A database, and the schema in it; without one, wherever its search_path leads."""

    url: str
    """As libpq reads it."""
    schema: str | None = None

    @classmethod
    def parse(cls, url: str) -> Location:
        """Read `postgres://user:password@host:5432/database?schema=x`.  Raises ConfigError."""
        parts = urlsplit(url)
        _refuse_slips(parts)
        options = parse_qsl(parts.query, keep_blank_values=True)
        schema = next((value for name, value in options if name == "schema"), None)
        if schema is not None:
            check_schema(schema, "schema in the URL")
        others = [(name, value) for name, value in options if name != "schema"]
        said = {name for name, _ in others}
        others += [(name, value) for name, value in _OTHERWISE.items() if name not in said]
        return cls(f"postgresql://{parts.netloc}{parts.path}?{urlencode(others, quote_via=quote)}", schema)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        user, _, host = parts.netloc.rpartition("@")
        name = user.partition(":")[0]
        shown = f"postgres://{name}{'@' if name else ''}{host}{parts.path}"
        return f"{shown}?schema={self.schema}" if self.schema else shown


def _refuse_slips(parts: SplitResult) -> None:
    if parts.netloc.count("@") > 1:
        raise ConfigError(
            f"The URL of host {parts.hostname} has an @ in its user or password. Write it as %40, / as %2F, # as %23."
        )
    for host in parts.netloc.rpartition("@")[2].split(","):
        port = host.rpartition("]")[2].rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""
        if port and not port.isdecimal() and "@" in f"{parts.path}{parts.query}{parts.fragment}":
            raise ConfigError("The URL has a /, a ? or a # in its password. Write / as %2F, ? as %3F and # as %23.")
        if port and not port.isdecimal():
            raise ConfigError(
                f'The URL of host {parts.hostname} has "{port}" as its port. '
                "It takes a number; in a password write : as %3A and / as %2F."
            )
