"""Acting on many jobs, one after another in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ferryman.errors import DuplicateJob, FerrymanError, JobNotFound, WrongState
from ferryman.job import Job, JobRef
from ferryman.storage.river.steps import Verb
from ferryman.storage.river.verbs import manage
from ferryman.storage.values import Action

__all__ = ["act"]

_VERBS: Mapping[Action, Callable[[JobRef, datetime | None], Verb[Job]]] = {
    Action.RETRY: lambda ref, now: manage.retry(ref, now=now),
    Action.CANCEL: lambda ref, now: manage.cancel(ref, now=now),
    Action.DISCARD: lambda ref, now: manage.discard(ref, now=now),
    Action.DELETE: lambda ref, now: manage.delete(ref),
}


def act(action: Action, refs: Sequence[JobRef], *, now: datetime | None) -> Verb[list[Job | FerrymanError]]:
    """Do the same with each of these jobs, and answer in their order with what became of it."""
    answers: list[Job | FerrymanError] = []
    for ref in refs:
        try:
            answers.append((yield from _VERBS[action](ref, now)))
        except (JobNotFound, WrongState, DuplicateJob) as error:
            answers.append(error)
    return answers
