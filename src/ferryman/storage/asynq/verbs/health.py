"""Asking a server how it is; `checks` judges what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ferryman.errors import StorageError
from ferryman.findings import Finding
from ferryman.storage.asynq.calls import Command, Each, Verb
from ferryman.storage.asynq.checks import Facts, judge
from ferryman.storage.asynq.keys import QUEUES, SERVERS, QueueKeys
from ferryman.storage.asynq.verbs.queues import known_queues
from ferryman.storage.asynq.verbs.strays import strays

__all__ = ["check"]

_QUESTIONS = {
    "info": Command(("INFO",)),
    "role": Command(("ROLE",)),
    "save": Command(("CONFIG", "GET", "save")),
    "appendfsync": Command(("CONFIG", "GET", "appendfsync")),
    "slowlog": Command(("SLOWLOG", "GET", "128")),
    "time": Command(("TIME",)),
    "user": Command(("ACL", "WHOAMI")),
}
_ANY = QueueKeys("default")
# One command of each sort that our scripts and wake-ups send.
_NEEDED: tuple[tuple[str, ...], ...] = (
    ("EVALSHA", "0" * 40, "1", _ANY.pending),
    ("SCRIPT", "LOAD", "return 1"),
    ("LMOVE", _ANY.pending, _ANY.active, "RIGHT", "LEFT"),
    ("HSET", f"{_ANY.task_prefix}x", "msg", "x"),
    ("ZADD", _ANY.scheduled, "1", "x"),
    ("SADD", QUEUES, "default"),
    ("ZADD", SERVERS, "1", "x"),
    ("SET", f"{_ANY.processed}", "1"),
)


def check(*, production: bool, is_cluster: bool, now: datetime | None) -> Verb[list[Finding]]:
    """Look for what may lose, delay or hide jobs.  On Cluster one node answers for all."""
    names = yield from known_queues()
    archived = yield [Command(("ZCARD", QueueKeys(name).archived)) for name in names]
    asked = now or datetime.now(UTC)
    replies = yield Each(_QUESTIONS.values())
    answered = now or datetime.now(UTC)
    answers = dict(zip(_QUESTIONS, replies, strict=True))
    answers["rights"] = yield from _rights(answers["user"])
    answers["strays"] = yield from strays(names)
    return judge(
        Facts(
            answers,
            dict(zip(names, archived, strict=True)),
            asked,
            answered,
            is_cluster=is_cluster,
            production=production,
        )
    )


def _rights(user: Any) -> Verb[Any]:
    """Ask what this user may do, which Redis tells since 7.0; one error stands for all."""
    if isinstance(user, StorageError):
        return user
    replies = yield Each(Command(("ACL", "DRYRUN", user, *words)) for words in _NEEDED)
    return next((reply for reply in replies if isinstance(reply, StorageError)), replies)
