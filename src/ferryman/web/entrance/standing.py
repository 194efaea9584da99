"""Where `ferryman dashboard` may listen, and who may come in: the table of spec/dashboard.md 3.5.

On this machine alone nobody has to log in; anywhere else it does not start unless somebody
has said who may see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from ferryman.errors import ConfigError
from ferryman.web.entrance.access import Level
from ferryman.web.entrance.logins import Anybody, ByLogin, ByProxy, Way
from ferryman.web.entrance.proxies import Proxies, is_path
from ferryman.web.entrance.sessions import Sessions
from ferryman.web.entrance.users import Tokens, Users

__all__ = ["NO_LOGIN", "OpenToEverybody", "Standing", "Wanted", "standing"]

NO_LOGIN = "none-i-have-a-proxy"
_AUTH = ("none", "basic", "token", "proxy", NO_LOGIN)
_WAYS = """Say who may see it, in one of three ways:
  --users FILE           people: a line each, name:hash:role; --hash-password makes the hash
  --tokens FILE          programs and people: a line each, name:token:role
  --auth proxy --trusted-proxy 10.0.0.0/8
                         a proxy in front logs people in, and says X-Forwarded-User
Or let it listen on this machine alone: --host 127.0.0.1"""


class OpenToEverybody(ConfigError):
    """The dashboard was not started, since everybody could have used it."""

    hint = _WAYS


@dataclass(frozen=True)
class Wanted:
    """What was said about where to listen and who may come in."""

    host: str = "127.0.0.1"
    port: int = 8081
    socket: str = ""
    auth: str = ""
    users: Sequence[str] = ()
    tokens: Sequence[str] = ()
    proxies: Sequence[str] = ()
    roles: Sequence[str] = ()
    hosts: Sequence[str] = ()
    secret: str = ""
    development: bool = False
    root_path: str = ""

    @property
    def private(self) -> bool:
        """Whether only this machine can reach it."""
        if self.socket or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True)
class Standing:
    """What follows from it: the way in, the hosts that are answered to, what every page says, what the log warns of."""

    way: Way
    hosts: Sequence[str] = ()
    notice: str = ""
    warning: str = ""


def standing(wanted: Wanted) -> Standing:
    """Return what follows from what is wanted.  Raises ConfigError, OpenToEverybody."""
    if wanted.root_path and not is_path(wanted.root_path):
        raise ConfigError(
            f'--root-path is "{wanted.root_path}". It takes a path that begins with a slash, such as /jobs.'
        )
    auth = wanted.auth or ("basic" if wanted.users else "token" if wanted.tokens else "none")
    if auth not in _AUTH:
        raise ConfigError(f'--auth is "{auth}". It takes one of {", ".join(_AUTH)}.')
    if auth == NO_LOGIN:
        text = "Nobody has to log in here: whoever reaches this address may change everything."
        return Standing(Anybody(NO_LOGIN), wanted.hosts, notice=text, warning=text)
    if auth == "none":
        return _without_login(wanted)
    plain = (
        "" if wanted.private or wanted.proxies else "Passwords travel readable to all: put a proxy with TLS in front."
    )
    return Standing(_way(auth, wanted), wanted.hosts, warning=plain)


def _without_login(wanted: Wanted) -> Standing:
    if not wanted.private:
        where = f"{wanted.host}:{wanted.port}"
        raise OpenToEverybody(
            f"The dashboard was not started: at {where} everybody could use it, for nobody has to log in."
        )
    names = ("localhost", "127.0.0.1", "[::1]")
    port = f":{wanted.port}" if wanted.port else ""  # which it will be is not known for 0
    hosts = () if wanted.socket else (*(f"{name}{port}" for name in names), *wanted.hosts)
    return Standing(Anybody("this machine"), hosts, notice="Open to everybody on this machine.")


def _way(auth: str, wanted: Wanted) -> Way:
    if auth == "proxy":
        if not wanted.proxies:
            raise ConfigError("--auth proxy needs --trusted-proxy: the networks whose X-Forwarded-User is believed.")
        return ByProxy(Proxies(wanted.proxies, origin="--trusted-proxy"), roles=dict(map(_role, wanted.roles)))
    plain = wanted.private or wanted.development
    users = Users.read(_lines(wanted.users), origin="--users", plain=plain) if wanted.users else None
    tokens = Tokens.read(_lines(wanted.tokens), origin="--tokens") if wanted.tokens else None
    if auth == "basic" and users is None:
        raise ConfigError("--auth basic needs --users: a file with a line for each, name:hash:role.")
    if auth == "token" and tokens is None:
        raise ConfigError("--auth token needs --tokens: a file with a line for each, name:token:role.")
    return ByLogin(users, tokens, Sessions(wanted.secret))


def _role(text: str) -> tuple[str, Level]:
    group, equals, role = text.rpartition("=")
    if not equals:
        raise ConfigError(f'--role is "{text}". It takes a group and a role, such as ops=operate.')
    return group, Level.read(role)


def _lines(given: Sequence[str]) -> list[str]:
    """Return lines as they were given, in files or by themselves."""
    lines: list[str] = []
    for text in given:
        if ":" in text:
            lines += text.replace(",", "\n").splitlines()
            continue
        try:
            lines += Path(text).read_text("utf-8").splitlines()
        except OSError as error:
            raise ConfigError(f"The file {text} cannot be read: {error.strerror}.") from None
    return lines
