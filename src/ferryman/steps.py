"""Which steps of a resumable task are done, so that the next attempt begins behind them (spec/river.md 7.8).

The last step that was completed and the cursors of those that were not stand in the
job's metadata under River's keys: another attempt may run in another language.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ferryman import gojson
from ferryman.errors import FerrymanError

__all__ = ["Steps"]

_STEP, _CURSOR = "river:resumable_step", "river:resumable_cursor"


class _Kept(msgspec.Struct):
    step: str = msgspec.field(name=_STEP, default="")
    cursors: dict[str, msgspec.Raw] | None = msgspec.field(name=_CURSOR, default=None)


_decode = msgspec.json.Decoder(_Kept).decode


class Steps:
    """The steps of one attempt.  `metadata` is the job's, as it is stored."""

    def __init__(self, metadata: bytes) -> None:
        try:
            kept = _decode(metadata)
        except (msgspec.DecodeError, msgspec.ValidationError):
            kept = _Kept()  # nobody can read where it was: it begins anew
        self._resume_behind = kept.step
        self._skipping = bool(kept.step)
        self._completed = kept.step
        self._had_cursors = bool(kept.cursors)
        self._cursors = {name: bytes(value) for name, value in (kept.cursors or {}).items()}
        self._seen: set[str] = set()
        self._failed: BaseException | None = None
        self._step = ""
        """The step that runs."""
        self._takes_cursor = False
        self._told_elsewhere = False
        """A transaction of the task's own says how far it came, if it was committed."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_failed": None}  # not every error can travel between processes

    def begin(self, name: str, *, takes_cursor: bool = False) -> bool:
        """Say whether this step is to be run now.  Raises FerrymanError for a name that was used before.

        After a step that failed no other runs: its error is raised again.
        """
        if name in self._seen:
            raise FerrymanError(f'Two steps of this task are called "{name}". Give each a name of its own.')
        self._seen.add(name)
        if self._failed is not None:
            raise self._failed
        if self._skipping:
            self._skipping = name != self._resume_behind
            if self._skipping or not (takes_cursor and name in self._cursors):
                return False
        self._step, self._takes_cursor = name, takes_cursor
        return True

    def cursor(self, name: str, type: Any) -> Any:
        """Return the cursor that an earlier attempt set in this step, or None."""
        value = self._cursors.get(name)
        return None if value is None else msgspec.json.decode(value, type=type)

    def set_cursor(self, value: Any) -> None:
        """Remember how far the step that runs now has come.  Raises FerrymanError outside a step with a cursor."""
        if not (self._step and self._takes_cursor):
            raise FerrymanError("set_cursor() was called outside a step with a cursor. Call it in one's function.")
        self._cursors[self._step] = gojson.encode(value)
        self._had_cursors = True

    def checkpoint(self, cursor: Any) -> dict[str, bytes]:
        """Return what the metadata have to say from here on: the step that runs counts as completed.

        With a cursor it is to go on there all the same.  Raises FerrymanError outside a step, or with a cursor for a
        step that takes none.
        """
        if not self._step:
            raise FerrymanError("checkpoint() was called outside a step. Call it in one's function.")
        if cursor is not None:
            self.set_cursor(cursor)
        self._told_elsewhere = True
        return self._marks(self._step)

    def done(self, name: str) -> None:
        """The step ended well."""
        self._completed, self._step, self._told_elsewhere = name, "", False
        self._cursors.pop(name, None)

    def failed(self, error: BaseException) -> None:
        """The step did not."""
        self._failed, self._step = error, ""

    def missing(self) -> str:
        """Return the name of the step that was to be resumed behind and never came; empty if all is well."""
        return self._resume_behind if self._skipping else ""

    def to_keep(self) -> dict[str, bytes]:
        """Return what the metadata have to say when the attempt ends in an error; nothing before a step is done.

        Nothing either behind a checkpoint: what was committed stands there already, and what was not is not so.
        """
        if not self._completed or not self._seen or self._told_elsewhere:
            return {}
        return self._marks(self._completed)

    def _marks(self, completed: str) -> dict[str, bytes]:
        found = {_STEP: gojson.encode(completed)}
        if self._cursors:
            members = (f"{gojson.quote(name)}:{value.decode()}" for name, value in self._cursors.items())
            found[_CURSOR] = f"{{{','.join(members)}}}".encode()
        elif self._had_cursors:
            found[_CURSOR] = b"null"
        return found
