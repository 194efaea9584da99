"""What INFO says, by name: the facts that Redis tells of itself, also where a managed service forbids CONFIG.

A field that a version or a fork does not have is left out: absent is not nought.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import msgspec

from ferryman.errors import StorageError
from ferryman.facts import Fact, Unit, unknown

__all__ = ["facts_of", "read_info", "server_name"]


class _Field(msgspec.Struct, frozen=True):
    """Which field of INFO says a fact, and which says its limit."""

    topic: str
    name: str
    field: str
    unit: Unit = Unit.NONE
    limit: str = ""


_FIELDS = (
    _Field("server", "role", "role"),
    _Field("server", "uptime", "uptime_in_seconds", Unit.SECONDS),
    _Field("memory", "used memory", "used_memory", Unit.BYTES, "maxmemory"),
    _Field("memory", "peak memory", "used_memory_peak", Unit.BYTES),
    _Field("memory", "resident memory", "used_memory_rss", Unit.BYTES),
    _Field("memory", "fragmentation", "mem_fragmentation_ratio"),
    _Field("memory", "eviction policy", "maxmemory_policy"),
    _Field("memory", "evicted keys", "evicted_keys"),
    _Field("persistence", "AOF", "aof_enabled"),
    _Field("persistence", "AOF size", "aof_current_size", Unit.BYTES),
    _Field("persistence", "last write", "aof_last_write_status"),
    _Field("persistence", "last rewrite", "aof_last_bgrewrite_status"),
    _Field("persistence", "last snapshot", "rdb_last_bgsave_status"),
    _Field("connections", "clients", "connected_clients", limit="maxclients"),
    _Field("connections", "rejected", "rejected_connections"),
    _Field("connections", "replicas", "connected_slaves"),
)
_SWITCHES = {"aof_enabled": {"0": "off", "1": "on"}}


def read_info(reply: bytes) -> Mapping[str, str]:
    """Return what INFO says, by name."""
    lines = reply.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def server_name(info: Mapping[str, str]) -> str:
    """Return which server it is, and its version."""
    if fork := info.get("valkey_version"):
        return f"Valkey {fork}"
    return f"{info.get('server_name', 'redis').capitalize()} {info.get('redis_version', '')}"


def facts_of(reply: bytes | StorageError, topology: str) -> list[Fact]:
    """Return what INFO says as facts; a server that may not be asked is not known in any of them."""
    told = Fact("server", "topology", topology)
    if isinstance(reply, StorageError):
        return [unknown("server", "version"), told, *(unknown(each.topic, each.name) for each in _FIELDS)]
    info = read_info(reply)
    return [Fact("server", "version", server_name(info)), told, *(_fact(f, info) for f in _FIELDS if f.field in info)]


def _fact(field: _Field, info: Mapping[str, str]) -> Fact:
    text = info[field.field]
    value = _SWITCHES.get(field.field, {}).get(text) or _value(text)
    # A limit of 0 is none.
    return Fact(field.topic, field.name, value, field.unit, most=int(info.get(field.limit) or 0) or None)


def _value(text: str) -> str | int | float:
    for read in (int, float):
        with suppress(ValueError):
            return read(text)
    return text
