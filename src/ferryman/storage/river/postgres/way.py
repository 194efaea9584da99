"""The way to a Postgres server: by its host or its socket, TLS as libpq asks for it, login, a first statement."""

from __future__ import annotations

import os
import ssl
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import zip_longest
from pathlib import Path

import msgspec
import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from ferryman.storage.river.postgres.failures import meaning
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.way import Blocked, Line, Move, Step, first_through, walk

__all__ = ["way"]

_TLS_REQUEST = struct.pack("!ii", 8, 80877103)
"""What a client says first, to hear whether the server speaks TLS."""
_WITHOUT = ("disable", "allow")
_INSISTS = ("require", "verify-ca", "verify-full")
_PLAIN = "Without TLS the URL ends with ?sslmode=disable"


def way(location: Location) -> list[Step]:
    """Take the way to the server, as far as it goes."""
    options = _options(location)
    steps = first_through(_to(options, host, port) for host, port in _hosts(options))
    if steps and steps[-1].failed:
        return steps
    with closing(_Login(location)) as login:
        return [*steps, *walk([("login", login.log_in), ("first command", login.ask)])]


def _options(location: Location) -> dict[str, str]:
    """Return what libpq goes by: the URL, and what the environment and its own defaults add."""
    usual = {each.keyword.decode(): each.val.decode() for each in pq.Conninfo.get_defaults() if each.val is not None}
    return usual | {name: str(value) for name, value in conninfo_to_dict(location.url).items()}


def _hosts(options: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Return each host with its port.  Where none is named, only libpq knows its socket."""
    hosts = options.get("hostaddr") or options.get("host") or ""
    ports = options["port"].split(",")
    for host, port in zip_longest(hosts.split(","), ports, fillvalue=ports[-1]):
        if host.startswith("/"):
            yield f"{host}/.s.PGSQL.{port}", 0
        elif host:
            yield host, int(port)


def _to(options: Mapping[str, str], host: str, port: int) -> Iterator[Move]:
    with closing(Line(host, port)) as line:
        yield from line.moves()
        if port and options["sslmode"] not in _WITHOUT:
            yield "TLS", lambda: _secure(line, options)


def _secure(line: Line, options: Mapping[str, str]) -> str:
    if options.get("sslnegotiation") == "direct":
        return line.secure(_context(options), "Without sslnegotiation=direct the server is asked first")
    try:
        line.socket.sendall(_TLS_REQUEST)
        answer = line.socket.recv(1)
    except OSError as error:
        raise Blocked(f"no answer to the question for TLS ({error}). Is that Postgres?") from error
    if answer == b"S":
        return line.secure(_context(options), _PLAIN)
    if answer != b"N":
        raise Blocked(f"{answer!r} is no answer to the question for TLS. Is that Postgres?")
    if options["sslmode"] in _INSISTS:
        raise Blocked(f"the server speaks none, and the URL has sslmode={options['sslmode']}. {_PLAIN}")
    return "the server speaks none, and nobody insists on it"


def _context(options: Mapping[str, str]) -> ssl.SSLContext:
    """Look at the certificate as far as libpq does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = options["sslmode"] == "verify-full"
    if not options["sslmode"].startswith("verify-"):
        context.verify_mode = ssl.CERT_NONE
        return context
    root = options.get("sslrootcert") or str(Path(os.path.expanduser("~"), ".postgresql", "root.crt"))
    try:
        if root == "system":
            context.load_default_certs()
        else:
            context.load_verify_locations(root)
    except OSError as error:
        instead = "Name another in the URL: ?sslrootcert=…"
        raise Blocked(f"the root certificate {root} cannot be read: {error}. {instead}") from error
    return context


class _Login:
    """A connection of psycopg's own."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._connection: psycopg.Connection | None = None

    def log_in(self) -> str:
        try:
            self._connection = psycopg.connect(self._location.url, autocommit=True)
        except psycopg.Error as error:
            by_hand = f"psql {msgspec.structs.replace(self._location, schema=None)}"
            raise Blocked(str(meaning(error, self._location)), by_hand) from error
        info = self._connection.info
        return f"as {info.user}, database {info.dbname}"

    def ask(self) -> str:
        assert self._connection is not None
        try:
            row = self._connection.execute("show server_version").fetchone()
        except psycopg.Error as error:
            raise Blocked(str(meaning(error, self._location))) from error
        return f"PostgreSQL {row[0] if row else ''}".rstrip()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
