"""Calls scripts on one queue: what a script needs it names, and what it names is found here.

Most scripts take some of the same few keys and arguments.  So a verb gives only what is
its own, and a script that needs one key more says so in its first line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from ferryman.storage.asynq.calls import Script, Value
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.scripts import load
from ferryman.storage.asynq.times import nanoseconds, seconds

__all__ = ["on_queue"]

_COUNTERS_KEPT = timedelta(days=90)

_KEYS: Mapping[str, Callable[[QueueKeys, datetime], str]] = {
    "pending": lambda keys, at: keys.pending,
    "paused": lambda keys, at: keys.paused,
    "active": lambda keys, at: keys.active,
    "lease": lambda keys, at: keys.lease,
    "scheduled": lambda keys, at: keys.scheduled,
    "retry": lambda keys, at: keys.retry,
    "archived": lambda keys, at: keys.archived,
    "completed": lambda keys, at: keys.completed,
    "groups": lambda keys, at: keys.groups,
    "processed": lambda keys, at: keys.processed,
    "failed": lambda keys, at: keys.failed,
    "processed_today": lambda keys, at: keys.processed_on(at),
    "failed_today": lambda keys, at: keys.failed_on(at),
}
_ARGS: Mapping[str, Callable[[QueueKeys, datetime], Value]] = {
    "task_prefix": lambda keys, at: keys.task_prefix,
    "attempts_prefix": lambda keys, at: keys.attempts_prefix,
    "group_prefix": lambda keys, at: keys.group_prefix,
    "now": lambda keys, at: seconds(at),
    "now_ns": lambda keys, at: nanoseconds(at),
    "expire_at": lambda keys, at: seconds(at + _COUNTERS_KEPT),
}


def on_queue(
    name: str, queue: str, at: datetime, rest: Sequence[Value] = (), *, keys: Mapping[str, str] = {}, **args: Value
) -> Script:
    """Call a script on a queue, at this time.  `keys` and `args` are those that only this script has."""
    text, where = load(name), QueueKeys(queue)
    return Script(
        name,
        {key: keys[key] if key in keys else _KEYS[key](where, at) for key in text.keys},
        {arg: args[arg] if arg in args else _ARGS[arg](where, at) for arg in text.args},
        rest,
    )
