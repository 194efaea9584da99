# Generated from src/ferryman/storage/river/postgres/_async/callers.py by tools/unasync.py: change that file and run `make sync`.
"""The caller's own transaction: runs a verb on the connection that they gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ferryman.errors import InvalidJob
from ferryman.storage.river.postgres.abilities import abilities
from ferryman.storage.river.postgres.drivers.failures import translated_for_caller
from ferryman.storage.river.postgres.drivers.finding import Caller, caller_of
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.river.postgres.spelling import answer, spell
from ferryman.storage.river.postgres.whereabouts import Place, place, refuse
from ferryman.storage.river.steps import Batch, Query, Script, Stream, Verb

__all__ = ["Callers"]

T = TypeVar("T")


class Callers:
    """Runs verbs in callers' transactions, on the database where `read` finds the jobs."""

    def __init__(self, read: Callable[[Verb[Place]], Any], location: Location) -> None:
        self._read = read
        self._location = location
        self._place: Place | None = None

    def run(self, tx: Any, verb: Verb[T]) -> T:
        """Run a verb in the caller's transaction.

        Raises Unsupported for a connection of a kind or to a place that cannot carry jobs,
        InvalidJob for one without a transaction or with a failed one, else StorageError.
        """
        with translated_for_caller(self._location):
            caller = caller_of(tx)
            if not caller.has_transaction():
                raise InvalidJob("tx is a connection without an open transaction. Begin one first, or leave tx out.")
            self._refuse_elsewhere(caller)
            return self._run(caller, verb)

    def _refuse_elsewhere(self, caller: Caller) -> None:
        theirs = self._run(caller, place())
        if theirs != self._place:
            # The first time; or the server was started anew since.
            ours: Place = self._read(place())
            refuse(theirs, ours, self._location)
            self._place = ours

    def _run(self, caller: Caller, verb: Verb[T]) -> T:
        """Run a verb's steps; it is not told of errors, after which this transaction can do nothing more."""
        reply: Any = None
        while True:
            try:
                step = verb.send(reply)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if isinstance(step, Script) or (isinstance(step, Batch) and not step.values):
                reply = []
            elif isinstance(step, Stream):
                reply = [row for query in step.queries() for row in self._fetch(caller, query)]
            elif step.name == "notify" and not abilities(self._location).notifies:
                reply = [None] * len(step.values)
            else:
                reply = self._fetch(caller, step)

    def _fetch(self, caller: Caller, step: Query | Batch) -> list[Any]:
        text, values = spell(step, self._location)
        return answer(step, caller.fetch(text, values))
