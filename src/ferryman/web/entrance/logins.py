"""The ways in: with a password, with a token, through a proxy that knows who it is, or as the application says.

A way is a function from a request to an `Access`, or to None when it does not know
who this is.  Passwords and tokens are typed into one form and become a session; programs
send them with each request.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Protocol

from starlette.requests import Request

from ferryman.web.entrance.access import Access, Level
from ferryman.web.entrance.proxies import Proxies, on_this_machine
from ferryman.web.entrance.sessions import Sessions
from ferryman.web.entrance.users import Tokens, User, Users

__all__ = ["COOKIE", "Anybody", "ByApplication", "ByLogin", "ByProxy", "Decide", "Nobody", "Way", "name_with_password"]

COOKIE = "ferryman_session"

Decide = Callable[[Request], "Access | Awaitable[Access | None] | None"]


class Way(Protocol):
    """A way in.  `form` says whether there is a page to log in at; `closed` what strangers are told."""

    form: bool
    closed: str

    async def access(self, request: Request) -> Access | None:
        """Return who this is, or None."""
        ...

    async def enter(self, name: str, secret: str) -> tuple[Access, str] | None:
        """Log somebody in, and return who it is and the value of their cookie."""
        ...

    def leave(self, cookie: str) -> None:
        """Log out whose cookie this is."""
        ...


class _NoForm:
    form = False
    closed = "Whoever decides about it here does not let you in."

    async def enter(self, name: str, secret: str) -> tuple[Access, str] | None:
        return None

    def leave(self, cookie: str) -> None:
        pass


class Anybody(_NoForm):
    """Lets everybody in: only where nobody else can come."""

    def __init__(self, how: str) -> None:
        self.how = how

    async def access(self, request: Request) -> Access | None:
        return Access(Level.ADMIN, "", self.how, reveal=True)


class Nobody(_NoForm):
    """Lets nobody in, but on a developer's own machine: an application that mounts a dashboard has to decide."""

    closed = (
        "Nobody has decided who may see this dashboard, so nobody may. "
        "Say it with Dashboard(..., auth=function), which takes a request and returns an Access or None."
    )

    def __init__(self, *, debug: bool) -> None:
        self._debug = debug

    async def access(self, request: Request) -> Access | None:
        local = self._debug and on_this_machine(request)
        return Access(Level.ADMIN, "", "debug=True, on this machine", reveal=True) if local else None


class ByApplication(_NoForm):
    """Asks a function of the application in which the dashboard is mounted."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide

    async def access(self, request: Request) -> Access | None:
        decided = self._decide(request)
        return await decided if inspect.isawaitable(decided) else decided


class ByProxy(_NoForm):
    """Believes what a proxy says about who it is, if it is the proxy that says it."""

    closed = "The proxy in front of the dashboard does not say who you are."

    def __init__(
        self, proxies: Proxies, *, user: str = "X-Forwarded-User", groups: str = "X-Forwarded-Groups",
        roles: Mapping[str, Level] | None = None,
    ) -> None:  # fmt: skip
        self._proxies = proxies
        self._user, self._groups = user, groups
        self._roles = roles or {}

    async def access(self, request: Request) -> Access | None:
        name = request.headers.get(self._user, "")
        if not name or not self._proxies.trusted(request):
            return None
        groups = [group.strip() for group in request.headers.get(self._groups, "").split(",")]
        # Without a table of roles whoever the proxy lets through may look, and no more.
        level = max((self._roles[group] for group in groups if group in self._roles), default=Level.NONE)
        level = level if self._roles else Level.VIEW
        return Access(level, name, f"proxy header {self._user}")


class ByLogin:
    """Passwords and tokens, by header or by session."""

    form = True
    closed = ""

    def __init__(self, users: Users | None, tokens: Tokens | None, sessions: Sessions) -> None:
        self._users, self._tokens = users, tokens
        self._sessions = sessions
        self._known = _Known()

    async def access(self, request: Request) -> Access | None:
        """Return who sent a password, a token or a session."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return _as(self._token(given.strip()), "token")
        if scheme.lower() == "basic":
            return _as(await self._password(*_basic(given)), "password")
        if cookie := request.cookies.get(COOKIE):
            return _as(self._sessions.whose(cookie, self._find), "session")
        return None

    async def enter(self, name: str, secret: str) -> tuple[Access, str] | None:
        """Take a password, or a token when no name is given."""
        user = await self._password(name, secret) if name else self._token(secret)
        return (Access(user.level, user.name, "session", user.reveal), self._sessions.begin(user)) if user else None

    def leave(self, cookie: str) -> None:
        """End the session of this cookie."""
        self._sessions.end(cookie, self._find)

    def _find(self, name: str) -> User | None:
        of_users = self._users.find(name) if self._users else None
        return of_users or (self._tokens.find(name) if self._tokens else None)

    def _token(self, token: str) -> User | None:
        return self._tokens.check(token) if self._tokens else None

    async def _password(self, name: str, password: str) -> User | None:
        if self._users is None:
            return None
        user = self._users.find(name)
        if user is not None and self._known.has(user, password):
            return user
        checked = await asyncio.to_thread(self._users.check, name, password)
        if checked is not None:
            self._known.add(checked, password)
        return checked


class _Known:
    """Remembers for a few minutes that a password was right: each request brings it, and checking takes 50 ms."""

    _SECONDS = 300.0

    def __init__(self) -> None:
        self._until: dict[bytes, float] = {}

    def has(self, user: User, password: str) -> bool:
        return self._until.get(self._mark(user, password), 0.0) > time.monotonic()

    def add(self, user: User, password: str) -> None:
        now = time.monotonic()
        self._until = {mark: until for mark, until in self._until.items() if until > now}
        self._until[self._mark(user, password)] = now + self._SECONDS

    def _mark(self, user: User, password: str) -> bytes:
        return sha256(f"{user.name}\n{user.secret}\n{password}".encode()).digest()


def name_with_password(request: Request) -> str | None:
    """Return the name that a password is sent with, as programs do with each request; None where none is."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return _basic(given)[0] if scheme.lower() == "basic" else None


def _basic(given: str) -> tuple[str, str]:
    """Return a name and a password; what cannot be read is nobody's."""
    try:
        name, _, password = b64decode(given.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password


def _as(user: User | None, how: str) -> Access | None:
    return Access(user.level, user.name, how, user.reveal) if user else None
