"""How a verb talks to Redis: it yields lists of calls and receives lists of replies.

A verb such as fetch or finish is a generator.  Each list that it yields goes to the
server in one round trip, and the replies come back in its order, as the server sent
them: bytes, int, float, None, list or dict (RESP3; within a script Lua has turned them
into RESP2's).  A list is no transaction: what must happen together is one script.
On Cluster a list is split by node, so its calls must not depend on each other, and all
keys of one call must carry the same tag.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from ferryman.errors import StorageError

__all__ = ["Call", "Command", "Each", "Refused", "Script", "Stream", "Streaming", "Value", "Verb"]

T = TypeVar("T")

Value = str | bytes | int | float
"""What can be sent."""


class Command(msgspec.Struct, frozen=True):
    """One command of Redis, in its words: Command(("ZADD", key, score, member)).

    The word after the name is the key; where there is none, as in PUBLISH, any node will do.
    """

    words: Sequence[Value]


class Script(msgspec.Struct, frozen=True):
    """One of our scripts, called by the names that it gives its keys and arguments.

    `rest` follows the named arguments, for scripts that take a list of any length.
    """

    name: str
    keys: Mapping[str, str]
    args: Mapping[str, Value] = {}
    rest: Sequence[Value] = ()


Call = Command | Script


class Each(list[Call]):
    """Calls whose replies are wanted even when some fail: the reply of such a one is its StorageError."""


class Stream(msgspec.Struct, frozen=True):
    """Lists of calls, each made while the one before is under way; the answer is the replies to all of them."""

    lists: Iterator[Sequence[Call]]


Verb = Generator[Sequence[Call], list[Any], T]
"""What a verb is: yields lists of calls, receives their replies, returns its answer.

What goes wrong is raised inside it, at its `yield`.
"""


Streaming = Generator[Sequence[Call] | Stream, list[Any], T]
"""A verb that may also yield a stream."""


class Refused(StorageError):
    """The server answered a call with an error.  `reply` is its text, such as "WRONGTYPE Operation against …"."""

    def __init__(self, message: str, *, reply: str) -> None:
        super().__init__(message)
        self.reply = reply
