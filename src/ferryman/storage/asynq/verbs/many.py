"""Acting on many jobs: what is done with each is a verb of its own, and all go side by side.

Each verb asks, looks at the reply and asks again.  Here the first questions of all go
out in one round trip, then the second ones, so that two hundred jobs cost no more round
trips than one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from ferryman.errors import FerrymanError, StorageError
from ferryman.job import Job, JobRef
from ferryman.storage.asynq.calls import Call, Each, Verb
from ferryman.storage.asynq.verbs import manage
from ferryman.storage.values import Action

__all__ = ["act", "together"]

T = TypeVar("T")

_VERBS: Mapping[Action, Callable[[JobRef, datetime | None], Verb[Job]]] = {
    Action.RETRY: lambda ref, now: manage.retry(ref, now=now),
    Action.CANCEL: lambda ref, now: manage.cancel(ref, now=now),
    Action.DISCARD: lambda ref, now: manage.discard(ref, now=now),
    Action.DELETE: lambda ref, now: manage.delete(ref),
}


def act(action: Action, refs: Sequence[JobRef], *, now: datetime | None) -> Verb[list[Job | FerrymanError]]:
    """Do the same with each of these jobs, and answer in their order with what became of it."""
    return (yield from together([_VERBS[action](ref, now) for ref in refs]))


def together(verbs: Sequence[Verb[T]]) -> Verb[list[T | FerrymanError]]:
    """Run verbs side by side, and return what each answered or raised."""
    runs = [_Run(verb) for verb in verbs]
    while asking := [run for run in runs if run.answer is None]:
        replies = iter((yield Each(call for run in asking for call in run.calls)))
        for run in asking:
            run.receive(list(islice(replies, len(run.calls))))
    return [run.answer for run in runs if run.answer is not None]


class _Run(Generic[T]):
    """One verb on its way: what it asks next, or its answer."""

    def __init__(self, verb: Verb[T]) -> None:
        self._verb = verb
        self.calls: Sequence[Call] = ()
        self.answer: T | FerrymanError | None = None
        self._go(partial(next, verb))

    def receive(self, replies: list[Any]) -> None:
        """Give the verb its replies, or what went wrong with them."""
        error = next((reply for reply in replies if isinstance(reply, StorageError)), None)
        if error is None or isinstance(self.calls, Each):
            self._go(partial(self._verb.send, replies))
        else:
            self._go(partial(self._verb.throw, error))

    def _go(self, step: Callable[[], Sequence[Call]]) -> None:
        try:
            self.calls = step()
        except StopIteration as done:
            self.answer = done.value
        except FerrymanError as error:
            self.answer = error
