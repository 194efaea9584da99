"""Where Redis is: the URLs that name it, as everybody writes them and as asynq does (spec/asynq.md 9.1).

redis://[user[:password]@]host[:port][/database]        rediss:// is the same over TLS
unix://[user[:password]@]/path/to/socket[?db=0]         asynq's redis-socket:// is the same
redis+sentinel://[user[:password]@]host[:port],host[:port]/master[/database]
redis+cluster://[user[:password]@]host[:port],host[:port]
redis-sentinel://[:sentinel's password@]host[:port],host[:port][/database]?master=name    asynq's
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from ferryman.errors import ConfigError

__all__ = ["Address", "Node"]

_PORT, _SENTINEL_PORT = 6379, 26379
_TLS_OPTIONS = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs")
_OPTIONS = {
    "one": ("db",),
    "socket": ("db",),
    "sentinel": ("db", "master", "sentinel_username", "sentinel_password"),
    "cluster": (),
}
_HOST = re.compile(r"(\[[^\]]+\]|[^:,\[\]]*)(?::(\d+))?")


class Node(msgspec.Struct, frozen=True):
    """One server: a host and a port, or the path of a socket."""

    host: str
    port: int = 0
    is_sentinel: bool = False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else self.host


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach one database.  `kind` is one, socket, sentinel or cluster."""

    scheme: str
    kind: str
    nodes: tuple[Node, ...]
    db: int = 0
    username: str | None = None
    password: str | None = None
    master: str = ""
    sentinel_username: str | None = None
    sentinel_password: str | None = None
    tls: tuple[tuple[str, str], ...] | None = None
    """What was said about TLS; None is without."""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a URL.  Raises ConfigError, which says what is wrong but not the password."""
        parts = urlsplit(url)
        if "@" in parts.path + parts.fragment or ("@" in parts.query and "@" not in parts.netloc):
            raise ConfigError("Its password seems to contain a /, # or ?. Write them as %2F, %23 and %3F.")
        kind = _kind(parts.scheme)
        credentials, _, hosts = parts.netloc.rpartition("@")
        username, _, password = (unquote(part) or None for part in credentials.partition(":"))
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        tls = tuple((name, options.pop(name)) for name in _TLS_OPTIONS if name in options)
        if wrong := sorted(options.keys() - set(_OPTIONS[kind])):
            raise ConfigError(f"It has the unknown option {wrong[0]}. There is: {', '.join(_known(kind)) or 'none'}.")
        path = [unquote(part) for part in parts.path.split("/") if part] if kind != "socket" else []
        if kind == "sentinel" and parts.scheme != "redis-sentinel" and "master" not in options:
            options["master"] = path.pop(0) if path else ""
        address = cls(
            scheme=parts.scheme,
            kind=kind,
            nodes=(Node(_socket(unquote(parts.path))),) if kind == "socket" else _nodes(hosts, kind),
            db=_database(options.get("db") or (path[0] if path else "0")),
            username=username,
            password=password,
            master=options.get("master", ""),
            sentinel_username=options.get("sentinel_username"),
            sentinel_password=options.get("sentinel_password"),
            tls=tls if parts.scheme.startswith("rediss") else None,
        )
        return address._as_asynq_means_it()._checked()

    def _as_asynq_means_it(self) -> Address:
        if self.scheme != "redis-sentinel":
            return self
        return msgspec.structs.replace(
            self, username=None, password=None, sentinel_username=self.username, sentinel_password=self.password
        )

    def _checked(self) -> Address:
        if self.kind == "sentinel" and not self.master:
            raise ConfigError(f"It does not name the master. Write {self.scheme}://host:26379/mymaster.")
        if self.kind == "cluster" and self.db:
            raise ConfigError(f"It names database {self.db}, and a Cluster has only 0. Leave it out.")
        return self

    def options(self, node: Node) -> dict[str, Any]:
        """Return what redis-py's connections to a node take."""
        if self.kind == "socket":
            return {"path": node.host, "db": self.db, "username": self.username, "password": self.password}
        where = {"host": node.host, "port": node.port, **dict(self.tls or ())}
        if node.is_sentinel:
            return {**where, "username": self.sentinel_username, "password": self.sentinel_password}
        return {**where, "db": self.db, "username": self.username, "password": self.password}

    def __str__(self) -> str:
        """Return the URL without any password."""
        if self.kind == "socket":
            return f"unix://{self.nodes[0]}?db={self.db}"
        master = f"/{self.master}" if self.master else ""
        database = "" if self.kind == "cluster" else f"/{self.db}"
        scheme = self.scheme.replace("redis-sentinel", "redis+sentinel")
        return f"{scheme}://{','.join(map(str, self.nodes))}{master}{database}"


def _kind(scheme: str) -> str:
    if scheme in ("unix", "redis-socket"):
        return "socket"
    return next((kind for kind in ("sentinel", "cluster") if scheme.endswith(kind)), "one")


def _known(kind: str) -> tuple[str, ...]:
    return (*_OPTIONS[kind], *(_TLS_OPTIONS if kind != "socket" else ()))


def _socket(path: str) -> str:
    if not path:
        raise ConfigError("It names no socket. Write unix:///var/run/redis.sock.")
    return path


def _nodes(hosts: str, kind: str) -> tuple[Node, ...]:
    names = hosts.split(",") if kind in ("sentinel", "cluster") else [hosts]
    return tuple(_node(name.strip(), is_sentinel=kind == "sentinel") for name in names)


def _node(name: str, *, is_sentinel: bool) -> Node:
    usual = _SENTINEL_PORT if is_sentinel else _PORT
    found = _HOST.fullmatch(name)
    if found is None or int(found[2] or 0) > 65_535:
        raise ConfigError(f'"{name}" is no host and port. Write it as in redis://localhost:{usual}.')
    return Node(found[1].strip("[]") or "localhost", int(found[2] or usual), is_sentinel)


def _database(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f'"{text}" is no number of a database. Write it as in redis://localhost:6379/0.')
    return int(text)
