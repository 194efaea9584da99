"""Makes redis-py's connections as we want them: RESP3, our own timeouts, and nothing sent twice.

By itself redis-py sent one script that timed out eleven times (design.md 5.3).
"""

from __future__ import annotations

from typing import Any

import redis.asyncio.connection as aio
import redis.connection as blocking
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from ferryman.storage.asynq.urls import Address, Node

__all__ = ["CONNECT_SECONDS", "REPLY_SECONDS", "async_connection", "connection", "pool"]

CONNECT_SECONDS = 5.0
REPLY_SECONDS = 10.0


def pool(address: Address, node: Node) -> blocking.ConnectionPool:
    """Make a pool of connections to a node, for code that blocks."""
    kind: Any = _blocking_class(address)  # any, for redis-py says that a pool takes only one of the three
    return blocking.ConnectionPool(
        kind,
        max_connections=1_000,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        **_blocking_options(address, node),
    )


def connection(address: Address, node: Node) -> blocking.AbstractConnection:
    """Make one connection, not yet opened, for code that blocks."""
    return _blocking_class(address)(**_blocking_options(address, node))


def async_connection(address: Address, node: Node) -> aio.AbstractConnection:
    """Make one connection, not yet opened, for the event loop."""
    kind: type[aio.AbstractConnection] = aio.Connection if address.tls is None else aio.SSLConnection
    if address.kind == "socket":
        kind = aio.UnixDomainSocketConnection
    return kind(**_options(address, node), retry=AsyncRetry(NoBackoff(), 0))


def _blocking_class(address: Address) -> type[blocking.AbstractConnection]:
    if address.kind == "socket":
        return blocking.UnixDomainSocketConnection
    return blocking.Connection if address.tls is None else blocking.SSLConnection


def _blocking_options(address: Address, node: Node) -> dict[str, Any]:
    return {**_options(address, node), "retry": Retry(NoBackoff(), 0)}


def _options(address: Address, node: Node) -> dict[str, Any]:
    timeouts = {"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": REPLY_SECONDS}
    return {**address.options(node), **timeouts, "protocol": 3}
