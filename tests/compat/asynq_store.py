"""What is in Redis, recorded and ours, as values that can be compared.

What differs from run to run is taken out: times are equal when they are near, ids that
nobody chose are known by what they stand for, a day is any day.  All else must be the
same, to the byte or to the field of a message.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ferryman.storage.asynq.messages import ENQUEUE_EVENT, SCHEDULER_ENTRY, SERVER_INFO, TASK, WORKER_INFO, Timestamp

__all__ = ["Length", "Recorded", "Store", "differences", "ours", "theirs"]

Recorded = Mapping[str, Mapping[str, Any]]
"""Key → its type, value and time to live, as a recording has it."""

Store = dict[str, tuple[str, Any, Any]]
"""Key → its type, its value and its time to live."""

_TIMES = frozenset({"deadline", "last_failed_at", "completed_at"})
_NEVER = Timestamp.of(None).seconds
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d$")
_NEAR = 3
"""How many seconds two runs may differ."""


def differences(mine: Store, recorded: Store) -> str:
    """Say, a line for each, where a store differs from the recorded; nothing when it does not."""
    return "\n".join(
        f"{key} is {mine.get(key)}, recorded is {recorded.get(key)}"
        for key in sorted({*mine, *recorded})
        if mine.get(key) != recorded.get(key)
    )


def theirs(keys: Recorded, *, shift: timedelta, ids: Mapping[str, str]) -> Store:
    """Read a recording: its times shifted, and ids that Go chose replaced by those that we did."""
    reader = _Reader(ids, lambda second: _Near(second + shift.total_seconds()))
    return {
        reader.name(key): (
            stored["type"],
            reader.value(key, stored["type"], _plain(stored)),
            reader.time_to_live(stored["ttl_ms"]),
        )
        for key, stored in keys.items()
    }


def ours(redis: Any, ids: Mapping[str, str]) -> Store:
    """Read what is in Redis, but for what ferryman keeps beside asynq's data."""
    reader = _Reader({id: id for id in ids.values()}, float)
    names = sorted(key.decode() for key in redis.keys("*") if not key.startswith(b"ferryman:"))
    return {
        reader.name(key): (
            kind := redis.type(key).decode(),
            reader.value(key, kind, _READ[kind](redis, key)),
            reader.time_to_live(redis.pttl(key)),
        )
        for key in names
    }


_READ: Mapping[str, Callable[[Any, str], Any]] = {
    "string": lambda redis, key: redis.get(key),
    "set": lambda redis, key: redis.smembers(key),
    "list": lambda redis, key: redis.lrange(key, 0, -1),
    "zset": lambda redis, key: redis.zrange(key, 0, -1, withscores=True),
    "hash": lambda redis, key: {name.decode(): value for name, value in redis.hgetall(key).items()},
}


def _plain(stored: Mapping[str, Any]) -> Any:
    """Return a recorded value as redis-py would."""
    value = stored["value"]
    match stored["type"]:
        case "string":
            return b64decode(value["b64"])
        case "zset":
            return [(b64decode(each["member"]["b64"]), float(each["score"])) for each in value]
        case "hash":
            return {name: b64decode(each["b64"]) for name, each in value.items()}
    return [b64decode(each["b64"]) for each in value]


class _Near:
    """A recorded time in seconds, equal to any that is near."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, at: float) -> None:
        self.at = at

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(self.at - other) <= _NEAR

    def __repr__(self) -> str:
        return f"{self.at:.0f} ± {_NEAR}"


class _Reader:
    """Makes values comparable; `time` reads a Unix second."""

    def __init__(self, ids: Mapping[str, str], time: Callable[[float], Any]) -> None:
        self._ids = ids
        self._time = time

    def name(self, text: str) -> str:
        """Return a key, an id or another name with what is random made plain."""
        return _DAY.sub("<day>", _UUID.sub(lambda found: self._ids.get(found[0], "<uuid>"), text))

    def time_to_live(self, milliseconds: int) -> Any:
        # Not shifted: it is a length of time, and counts from when the store was looked at.
        return None if milliseconds < 0 else Length(milliseconds / 1000)

    def value(self, key: str, kind: str, value: Any) -> Any:
        match kind:
            case "string":
                return self._time(float(value)) if key.endswith(":paused") else self._bytes(key, value)
            case "set":
                return sorted(self._bytes(key, each) for each in value)
            case "list":
                return [self._bytes(key, each) for each in value]
            case "zset":
                # A recording does not say how Go's ids would have been ordered had they been ours.
                return _unordered((self._bytes(key, member), self._time(score)) for member, score in value)
        return {self.name(name): self._field(key, name, each) for name, each in value.items()}

    def _field(self, key: str, name: str, value: bytes) -> Any:
        if name == "pending_since":
            return self._time(int(value) / 1e9)
        return value if name == "result" else self._bytes(key, value, name)

    def _bytes(self, key: str, value: bytes, field: str = "") -> Any:
        codec = _codec(key, field)
        return self.name(value.decode()) if codec is None else self._message(codec.decode(value))

    def _message(self, message: Struct) -> dict[str, Any]:
        return {name: self._said(name, value) for name, value in asdict(message).items()}

    def _said(self, name: str, value: Any) -> Any:
        if isinstance(value, Timestamp):
            return "never" if value.seconds == _NEVER else self._time(float(value.seconds))
        if name in _TIMES and value:
            return self._time(float(value))
        return self.name(value) if isinstance(value, str) else value


class Length:
    """A time to live, in seconds, equal to any that is near."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __eq__(self, other: object) -> bool:
        # A player does not wait, so that its time is ahead of Redis' own by as much as a recording lasts.
        return isinstance(other, Length) and abs(self.seconds - other.seconds) <= max(_NEAR, self.seconds / 10_000)

    def __repr__(self) -> str:
        return f"expires in {self.seconds:.0f} s"


def _unordered(members: Iterator[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return sorted(members, key=lambda member: str(member[0]))


def _codec(key: str, field: str) -> Any:
    if ":t:" in key:
        return TASK if field == "msg" else None
    for prefix, codec in (
        ("asynq:servers:{", SERVER_INFO),
        ("asynq:workers:{", WORKER_INFO),
        ("asynq:schedulers:{", SCHEDULER_ENTRY),
        ("asynq:scheduler_history:", ENQUEUE_EVENT),
    ):
        if key.startswith(prefix):
            return codec
    return None
