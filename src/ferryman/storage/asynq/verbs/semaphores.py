"""Tokens that running jobs hold, in the keys of asynq's own semaphore (spec/asynq.md 10.4)."""

from __future__ import annotations

from datetime import UTC, datetime

from ferryman.storage.asynq.calls import Command, Script, Value, Verb
from ferryman.storage.asynq.keys import semaphore
from ferryman.storage.asynq.times import seconds

__all__ = ["acquire", "release"]


def acquire(scope: str, holder: str, *, most: int, until: datetime, now: datetime | None) -> Verb[bool]:
    """Take a token, or keep the one that this holder has."""
    at = seconds(now or datetime.now(UTC))
    args: dict[str, Value] = {"most": most, "now": at, "ends": seconds(until), "holder": holder}
    (taken,) = yield [Script("acquire_token", keys={"tokens": semaphore(scope)}, args=args)]
    return bool(taken)


def release(scope: str, holder: str) -> Verb[None]:
    """Give a token back, if this holder has one."""
    yield [Command(("ZREM", semaphore(scope), holder))]
