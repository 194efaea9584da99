"""The cookie of somebody who has logged in: a name, an end and a mark of its own, signed.

What they may do is looked up anew with each request, and the signature covers their
password's hash: who is removed, or gets another password, is logged out at once.
A cookie that was logged out with opens nothing more in this process, even to somebody who has copied it.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

from ferryman.web.entrance.users import User

__all__ = ["LIFETIME", "Sessions"]

LIFETIME = 12 * 3600


class Sessions:
    """Signs and reads cookies.  Without a `secret` of their own they end with the process."""

    def __init__(self, secret: str = "", clock: Callable[[], float] = time.time) -> None:
        self._key = sha256(secret.encode()).digest() if secret else secrets.token_bytes(32)
        self._clock = clock
        self._ended: dict[str, int] = {}

    def begin(self, user: User) -> str:
        """Return the cookie's value for somebody who has just logged in."""
        ends = int(self._clock()) + LIFETIME
        name = urlsafe_b64encode(user.name.encode()).decode()
        mark = secrets.token_urlsafe(9)
        return f"{name}.{ends}.{mark}.{self._signature(user, ends, mark)}"

    def end(self, cookie: str, find: Callable[[str], User | None]) -> None:
        """Let a cookie open nothing more."""
        if self.whose(cookie, find) is None:
            return
        _, ends, mark, _ = cookie.split(".")
        now = self._clock()
        self._ended = {each: until for each, until in self._ended.items() if until >= now} | {mark: int(ends)}

    def whose(self, cookie: str, find: Callable[[str], User | None]) -> User | None:
        """Return whose cookie that is, if it is still good."""
        try:
            name, ends, mark, signature = cookie.split(".")
            user = find(urlsafe_b64decode(name.encode()).decode())
            until = int(ends)
        except (ValueError, UnicodeDecodeError):
            return None
        if user is None or until < self._clock() or mark in self._ended:
            return None
        return user if hmac.compare_digest(self._signature(user, until, mark).encode(), signature.encode()) else None

    def _signature(self, user: User, ends: int, mark: str) -> str:
        text = f"{user.name}\n{ends}\n{mark}\n{user.secret}".encode()
        return hmac.new(self._key, text, sha256).hexdigest()
