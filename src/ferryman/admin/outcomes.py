"""What became of each job that was acted on (spec/dashboard.md 2.0.5)."""

from __future__ import annotations

from typing import Literal

import msgspec

from ferryman.errors import DuplicateJob, FerrymanError, JobNotFound, StorageUnavailable, WrongState
from ferryman.job import Job, JobRef

__all__ = ["ActionOutcome", "What", "outcome_of"]

What = Literal["done", "skipped_state", "not_found", "conflict_unique", "refused"]


class ActionOutcome(msgspec.Struct, frozen=True):
    """What became of one job: `why` nothing was done, and the `state` that it is in, where that is known."""

    ref: JobRef
    what: What
    why: str = ""
    state: str = ""


def outcome_of(ref: JobRef, answer: Job | FerrymanError) -> ActionOutcome:
    """Return what an answer of the storage means.  Raises StorageUnavailable: nobody knows then."""
    why = str(answer)
    match answer:
        case StorageUnavailable():
            raise answer
        case JobNotFound():
            return ActionOutcome(ref, "not_found", why)
        case DuplicateJob():
            return ActionOutcome(ref, "conflict_unique", why)
        case WrongState():
            return ActionOutcome(ref, "skipped_state", why, answer.state)
        case FerrymanError():
            return ActionOutcome(ref, "refused", why)
    return ActionOutcome(answer.ref, "done", state=answer.state)
