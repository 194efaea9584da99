"""People and programs that may log in: passwords as scrypt hashes, tokens, and the roles of both.

A line for each: `ann:scrypt$…:admin` with a password, `ci:token…:operate` with a token.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import scrypt, sha256
from typing import Self

from ferryman.errors import ConfigError
from ferryman.web.entrance.access import Level

__all__ = ["Tokens", "User", "Users", "password_hash"]

_COST = {"n": 1 << 14, "r": 8, "p": 1, "maxmem": 64 << 20}
_MARK = "scrypt"
_HASH = re.compile(r"scrypt\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{86}==")
_ROLE_MISSING = "It takes name:{}:role, where role is view, operate or admin."


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can log in.  `secret` is a password's hash, or a token."""

    name: str
    secret: str
    level: Level
    reveal: bool = False


@dataclass(frozen=True)
class Users:
    """Those who log in with a password."""

    by_name: Mapping[str, User]

    @classmethod
    def read(cls, lines: Iterable[str], *, origin: str, plain: bool = False) -> Self:
        """Read a user per line; `plain` passwords are accepted where only this machine listens.  Raises ConfigError."""
        users = {user.name: user for user in _read(lines, origin)}
        for user in users.values():
            if not plain and not user.secret.startswith(f"{_MARK}$"):
                raise ConfigError(
                    f"{origin} gives {user.name} a password that is not hashed. Write a hash in its place: "
                    "ferryman dashboard --hash-password"
                )
        if not users:
            raise ConfigError(f"{origin} names nobody. {_ROLE_MISSING.format('hash')}")
        return cls(users)

    def find(self, name: str) -> User | None:
        """Return the user of this name."""
        return self.by_name.get(name)

    def check(self, name: str, password: str) -> User | None:
        """Return the user if that is the password.  Takes some 50 ms, whether there is one or not."""
        user = self.by_name.get(name)
        right = _is(password, user.secret if user else _NOBODYS)
        return user if user is not None and right else None


@dataclass(frozen=True)
class Tokens:
    """Programs that send a token."""

    users: tuple[User, ...]

    @classmethod
    def read(cls, lines: Iterable[str], *, origin: str) -> Self:
        """Read a name, a token and a role per line.  Raises ConfigError."""
        users = tuple(_read(lines, origin))
        for user in users:
            if len(user.secret) < 16:
                raise ConfigError(f"{origin} gives {user.name} a token of under 16 characters, which can be guessed.")
        if not users:
            raise ConfigError(f"{origin} names nobody. {_ROLE_MISSING.format('token')}")
        return cls(users)

    def find(self, name: str) -> User | None:
        """Return the user of this name."""
        return next((user for user in self.users if user.name == name), None)

    def check(self, token: str) -> User | None:
        """Return whose token that is."""
        given = sha256(token.encode()).digest()
        found = [user for user in self.users if hmac.compare_digest(sha256(user.secret.encode()).digest(), given)]
        return found[0] if found else None


def password_hash(password: str, salt: bytes | None = None) -> str:
    """Return what is written into the users' file for a password."""
    salt = salt or secrets.token_bytes(16)
    key = scrypt(password.encode(), salt=salt, **_COST)
    return "$".join((_MARK, b64encode(salt).decode(), b64encode(key).decode()))


_NOBODYS = password_hash("", b"nobody's password")


def _is(password: str, kept: str) -> bool:
    if not kept.startswith(f"{_MARK}$"):
        return hmac.compare_digest(password.encode(), kept.encode())
    salt = b64decode(kept.split("$")[1])
    return hmac.compare_digest(password_hash(password, salt).encode(), kept.encode())


def _read(lines: Iterable[str], origin: str) -> list[User]:
    stripped = map(str.strip, lines)
    return [_user(line, origin) for line in stripped if line and not line.startswith("#")]


def _user(line: str, origin: str) -> User:
    name, colon, rest = line.partition(":")
    secret, second, roles = rest.rpartition(":")
    if not (name and colon and secret and second):
        raise ConfigError(f"{origin} has a line for {name or 'nobody'} that is not whole. {_ROLE_MISSING.format('…')}")
    if secret.startswith(f"{_MARK}$") and not _HASH.fullmatch(secret):
        raise ConfigError(f"{origin} gives {name} a hash that is not whole. Copy all of what --hash-password wrote.")
    role, plus, extra = roles.partition("+")
    if plus and extra.strip() != "reveal":
        raise ConfigError(f'{origin} gives {name} "+{extra}". After the role only +reveal can stand.')
    return User(name, secret, Level.read(role), reveal=bool(plus))
