"""The way to Redis: to a server or a socket, or by a Sentinel or a Cluster's node to the one that keeps the queues."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from redis.exceptions import ConnectionError as HungUp
from redis.exceptions import RedisError

from ferryman.errors import StorageError
from ferryman.storage.asynq.calls import Command
from ferryman.storage.asynq.connections import connection
from ferryman.storage.asynq.failures import translate
from ferryman.storage.asynq.keys import QUEUES
from ferryman.storage.asynq.server import Server
from ferryman.storage.asynq.urls import Address, Node
from ferryman.storage.way import Blocked, Line, Move, Step, first_through, walk

__all__ = ["way"]

_SPEAKS_TLS = " If it speaks TLS, the URL begins with rediss://."
_SENDS_ELSEWHERE = {"sentinel": "master", "cluster": "node"}


def way(address: Address) -> list[Step]:
    """Take the way to the server, as far as it goes."""
    steps = first_through(_to(address, node) for node in address.nodes)
    if steps[-1].failed:
        return steps
    with closing(Server(address)) as server:
        if address.kind in _SENDS_ELSEWHERE:
            steps += _onwards(address, server)
        return steps if steps[-1].failed else [*steps, *walk([("first command", lambda: _first(server))])]


def _to(address: Address, node: Node) -> Iterator[Move]:
    with closing(Line(node.host, node.port)) as line:
        yield from line.moves()
        if address.tls is not None:
            options = dict(address.tls)
            yield "TLS", lambda: line.secure(_context(options), "Without TLS the URL begins with redis://")
    yield "login", lambda: _log_in(address, node)


def _context(options: dict[str, str]) -> ssl.SSLContext:
    """Return what redis-py makes of the URL's options."""
    context = ssl.create_default_context()
    required = options.get("ssl_cert_reqs", "required")
    context.check_hostname = required == "required"
    context.verify_mode = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL}.get(required, ssl.CERT_REQUIRED)
    try:
        if "ssl_certfile" in options:
            context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
        if "ssl_ca_certs" in options:
            context.load_verify_locations(options["ssl_ca_certs"])
    except OSError as error:
        raise Blocked(f"a certificate that the URL names cannot be read: {error}") from error
    return context


def _log_in(address: Address, node: Node) -> str:
    opened: Any = connection(address, node)  # any, for redis-py leaves these untyped
    try:
        opened.connect()
    except (RedisError, OSError) as error:
        hint = _SPEAKS_TLS if type(error) is HungUp and node.port and address.tls is None else ""
        raise Blocked(f"{translate(error, str(node))}{hint}", _by_hand(address, node)) from error
    finally:
        opened.disconnect()
    user = (address.sentinel_username if node.is_sentinel else address.username) or "default"
    return f"as {user}" if node.is_sentinel else f"as {user}, database {address.db}"


def _by_hand(address: Address, node: Node) -> str:
    """Return the line that tries the same without ferryman; it asks for the password."""
    where = f"-h {node.host} -p {node.port}" if node.port else f"-s {node.host}"
    user = f" --user {address.username}" if address.username and not node.is_sentinel else ""
    asks = " --askpass" if address.password and not node.is_sentinel else ""
    tls = " --tls" if address.tls is not None else ""
    return f"redis-cli {where}{user}{asks}{tls} ping"


def _onwards(address: Address, server: Server) -> list[Step]:
    """Ask where the queues are kept, and go there."""
    found: list[Node] = []

    def ask() -> str:
        try:
            (keeper, _), *_ = server.connections([QUEUES])
        except StorageError as error:
            raise Blocked(str(error)) from error
        told: Any = keeper  # any, for redis-py does not say that connections have hosts
        found.append(Node(told.host, told.port))
        return f"the queues are kept at {found[0]}"

    asked = walk([(_SENDS_ELSEWHERE[address.kind], ask)])
    return [*asked, *(step for node in found for step in walk(_to(address, node)))]


def _first(server: Server) -> str:
    try:
        (count,) = server.send([Command(("SCARD", QUEUES))])
    except StorageError as error:
        raise Blocked(str(error)) from error
    return f"{count} queues" if count != 1 else "1 queue"
