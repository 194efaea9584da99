"""asynq's messages, to and from bytes (spec/asynq.md 2).

Names are asynq's own.  A time is a `Timestamp`; none at all reads as None, but asynq
writes the first of January of year 1 for "never".  Fields that are unknown here are
kept in `unknown`: Go loses them when it writes a message again, and we do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from ferryman.storage.asynq.times import moment_ns, nanoseconds
from ferryman.storage.asynq.varint import read_varint
from ferryman.storage.asynq.wire import Blob, Codec, Flag, Nested, Number, Pairs, Text, Texts

__all__ = [
    "ENQUEUE_EVENT",
    "SCHEDULER_ENTRY",
    "SERVER_INFO",
    "TASK",
    "WORKER_INFO",
    "SchedulerEnqueueEvent",
    "SchedulerEntry",
    "ServerInfo",
    "TaskMessage",
    "Timestamp",
    "WorkerInfo",
]


_NEVER = datetime(1, 1, 1, tzinfo=UTC)


class Timestamp(Struct, frozen=True):
    """google.protobuf.Timestamp: Unix seconds, rounded down, and nanoseconds upwards from there."""

    seconds: int = 0
    nanos: int = 0
    unknown: bytes = b""

    @classmethod
    def of(cls, at: datetime | None) -> Timestamp:
        """Write a time; None is never."""
        return cls(*divmod(nanoseconds(at or _NEVER), 1_000_000_000))

    def moment(self) -> datetime | None:
        """Return the time, cut to microseconds, or None for never."""
        at = moment_ns(self.seconds * 1_000_000_000 + self.nanos)
        return None if at == _NEVER else at


class TaskMessage(Struct, frozen=True, gc=False):
    """One task.  Times are Unix seconds, lengths of time seconds; 0 is none (spec/asynq.md 2.1)."""

    type: str = ""
    payload: bytes = b""
    id: str = ""
    queue: str = ""
    retry: int = 0
    retried: int = 0
    error_msg: str = ""
    timeout: int = 0
    deadline: int = 0
    unique_key: str = ""
    last_failed_at: int = 0
    retention: int = 0
    completed_at: int = 0
    group_key: str = ""
    headers: Mapping[str, str] = {}
    unknown: bytes = b""


class ServerInfo(Struct, frozen=True):
    """A worker process, as it says of itself with every heartbeat (spec/asynq.md 2.2)."""

    host: str = ""
    pid: int = 0
    server_id: str = ""
    concurrency: int = 0
    queues: Mapping[str, int] = {}
    strict_priority: bool = False
    status: str = ""
    start_time: Timestamp | None = None
    active_worker_count: int = 0
    unknown: bytes = b""


class WorkerInfo(Struct, frozen=True):
    """A task that a process works on now (spec/asynq.md 2.3)."""

    host: str = ""
    pid: int = 0
    server_id: str = ""
    task_id: str = ""
    task_type: str = ""
    task_payload: bytes = b""
    queue: str = ""
    start_time: Timestamp | None = None
    deadline: Timestamp | None = None
    unknown: bytes = b""


class SchedulerEntry(Struct, frozen=True):
    """A periodic task of one scheduler; options as optiontext.py writes them (spec/asynq.md 2.4)."""

    id: str = ""
    spec: str = ""
    task_type: str = ""
    task_payload: bytes = b""
    enqueue_options: tuple[str, ...] = ()
    next_enqueue_time: Timestamp | None = None
    prev_enqueue_time: Timestamp | None = None
    unknown: bytes = b""


class SchedulerEnqueueEvent(Struct, frozen=True):
    """A task that a scheduler enqueued (spec/asynq.md 2.5)."""

    task_id: str = ""
    enqueue_time: Timestamp | None = None
    unknown: bytes = b""


def _int32(number: int) -> Number:
    return Number(number, bits=32)


_TIME = Codec(Timestamp, [Number(1), _int32(2)])

SERVER_INFO = Codec(
    ServerInfo,
    [
        Text(1),
        _int32(2),
        Text(3),
        _int32(4),
        Pairs(5, _int32(2)),
        Flag(6),
        Text(7),
        Nested(8, _TIME),
        _int32(9),
    ],
)
WORKER_INFO = Codec(
    WorkerInfo,
    [Text(1), _int32(2), Text(3), Text(4), Text(5), Blob(6), Text(7), Nested(8, _TIME), Nested(9, _TIME)],
)
SCHEDULER_ENTRY = Codec(
    SchedulerEntry,
    [Text(1), Text(2), Text(3), Blob(4), Texts(5), Nested(6, _TIME), Nested(7, _TIME)],
)
ENQUEUE_EVENT = Codec(SchedulerEnqueueEvent, [Text(1), Nested(2, _TIME)])

# A task has three fields of its own, then eleven that many tasks have in common, and headers.
_TYPE, _PAYLOAD, _ID, _HEADERS = Text(1), Blob(2), Text(3), Pairs(15, Text(2))
_COMMON = [
    Text(4),
    _int32(5),
    _int32(6),
    Text(7),
    Number(8),
    Number(9),
    Text(10),
    Number(11),
    Number(12),
    Number(13),
    Text(14),
]
_AFTER_COMMON = 3 + len(_COMMON)
_LONGEST_COMMON = 64
_REMEMBERED = 2048


class _TaskCodec(Codec[TaskMessage]):
    """Knows a shorter way for most tasks, since every job passes here at least twice.

    What most tasks have in common, a queue's name, 25 retries and 1800 seconds, is written
    and read once and then remembered.  Whatever is out of the ordinary goes the long way,
    and so does what is wrong, to be refused there.
    """

    def encode(self, message: TaskMessage) -> bytes:
        kind, payload, id, headers = message.type, message.payload, message.id, message.headers
        if not (kind and payload and id) or message.error_msg or message.unique_key or message.unknown:
            return super().encode(message)
        try:
            own = _TYPE.write(kind) + _PAYLOAD.write(payload) + _ID.write(id)
            common = _write_common(astuple(message)[3:_AFTER_COMMON])
            return own + common + _HEADERS.write(headers) if headers else own + common
        except ValueError:
            return super().encode(message)

    def decode(self, data: bytes) -> TaskMessage:
        try:
            found = _ordinary(data)
        except (IndexError, ValueError):
            found = None
        return super().decode(data) if found is None else found


TASK: Codec[TaskMessage] = _TaskCodec(TaskMessage, [_TYPE, _PAYLOAD, _ID, *_COMMON, _HEADERS])


def _ordinary(data: bytes) -> TaskMessage | None:
    """Read a task in its usual shape: type, payload, id, and no more than the common fields behind them."""
    size, at = data[1], 2 + data[1]
    if data[0] != _TYPE.tag or size > 127:
        return None
    kind, payload = data[2:at], b""
    if data[at] == _PAYLOAD.tag:
        size, start = read_varint(data, at + 1)
        at = start + size
        payload = data[start:at]
    size, start = data[at + 1], at + 2
    if data[at] != _ID.tag or size > 127:
        return None
    at = start + size
    if not 0 <= len(data) - at <= _LONGEST_COMMON:
        return None
    common = _read_common(data[at:])
    if common is None:
        return None
    return TaskMessage(kind.decode(), payload, data[start:at].decode(), *common)


def _values(*values: Any) -> tuple[Any, ...]:
    return values


_common = Codec(_values, _COMMON)


@lru_cache(_REMEMBERED)
def _write_common(values: tuple[Any, ...]) -> bytes:
    return _common.write(_COMMON, values)


@lru_cache(_REMEMBERED)
def _read_common(data: bytes) -> tuple[Any, ...] | None:
    *values, unknown = _common.decode(data)
    return None if unknown else tuple(values)
