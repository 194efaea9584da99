"""What a running task can say about itself on the way."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from ferryman import gojson
from ferryman.errors import FerrymanError, InvalidJob, Unsupported
from ferryman.steps import Steps

__all__ = [
    "EarlyEnd",
    "Recorder",
    "complete",
    "complete_sync",
    "early_end",
    "encoded",
    "ending",
    "record_output",
    "recorder_of",
    "recording",
    "running_steps",
    "set_metadata",
]

_LARGEST = 32 * 1024 * 1024
_RESERVED = ("river:", "ferryman:")


class Recorder:
    """Keeps what one attempt records until its outcome is written.

    `before` is the job's metadata as it began, None where the storage keeps nothing but an output.
    """

    __slots__ = ("before", "metadata", "output", "steps")

    def __init__(self, before: bytes | None = None) -> None:
        self.before = before
        self.output: bytes | None = None
        self.metadata: dict[str, bytes] = {}
        self.steps: Steps | None = None
        """What became of the steps, once there was one."""

    def take(self, other: Recorder) -> None:
        """Take over what was recorded elsewhere."""
        self.output, self.metadata, self.steps = other.output, other.metadata, other.steps

    def noted(self, *, failed: bool) -> dict[str, bytes]:
        """Return what goes into the metadata beside the output."""
        return {**self.metadata, **self.steps.to_keep()} if failed and self.steps else self.metadata


class EarlyEnd(Protocol):
    """Writes to a job whose function still runs, in a transaction of the task's own."""

    async def complete(self, recorder: Recorder, tx: Any) -> None: ...
    def complete_sync(self, recorder: Recorder, tx: Any) -> None: ...
    async def note(self, recorder: Recorder, tx: Any, metadata: Mapping[str, bytes]) -> None: ...
    def note_sync(self, recorder: Recorder, tx: Any, metadata: Mapping[str, bytes]) -> None: ...


recording: ContextVar[Recorder] = ContextVar("ferryman_recording")
ending: ContextVar[EarlyEnd] = ContextVar("ferryman_ending")


async def complete(tx: Any) -> None:
    """Complete the job that runs here in a transaction of the task's own: it is done if, and only if, that commits.

    `tx` is what `using(tx=…)` takes.  What was recorded so far is kept with it, what comes later is added when the
    function returns (spec/river.md 5.6).  A function that goes on to fail after the commit changes nothing any more.

    Raises WrongState when the job is no longer this attempt's, such as one that was given up for dead: then leave
    the transaction by its error, and it takes nothing along.  Raises Unsupported where nobody can take part in the
    transaction, as on Redis; FerrymanError outside a running task.
    """
    await early_end("complete()").complete(recorder_of("complete()"), tx)


def complete_sync(tx: Any) -> None:
    """Complete the job in a transaction of a task that is a plain function; as `complete`."""
    early_end("complete_sync()").complete_sync(recorder_of("complete_sync()"), tx)


def record_output(value: Any) -> None:
    """Keep a value with the job, whatever becomes of the attempt; the last call wins.

    A returned value is kept in the same place.  At most 32 MiB encoded (spec/river.md 5.7).
    Raises InvalidJob when JSON cannot carry it, FerrymanError outside a running task.
    """
    recorder_of("record_output()").output = encoded(value)


def set_metadata(key: str, value: Any) -> None:
    """Keep a value in the job's metadata, whatever becomes of the attempt (spec/river.md 5.7).

    Raises InvalidJob for a key that is reserved or holds a quotation mark or a backslash,
    and when JSON cannot carry the value; Unsupported where jobs have no metadata, as on
    Redis; FerrymanError outside a running task.
    """
    recorder = recorder_of("set_metadata()")
    if recorder.before is None:
        raise Unsupported("set_metadata() has no place here: jobs have metadata on Postgres and SQLite only.")
    if key.startswith(_RESERVED) or not key or '"' in key or "\\" in key:
        raise InvalidJob(f'set_metadata() cannot use the key {key!r}. Names with "river:" or "ferryman:" are taken.')
    recorder.metadata[key] = encoded(value)


def running_steps(what: str) -> Steps:
    """Return the steps of the attempt that runs here.  Raises FerrymanError outside one, Unsupported without any."""
    recorder = recorder_of(what)
    if recorder.before is None:
        raise Unsupported(f"{what} needs a job with metadata: tasks are resumable on Postgres and SQLite only.")
    recorder.steps = recorder.steps or Steps(recorder.before)
    return recorder.steps


def encoded(value: Any) -> bytes:
    """Write an output as it is kept.  Raises InvalidJob when JSON cannot carry it, or when it is too large."""
    text = gojson.encode(value)
    if len(text) > _LARGEST:
        raise InvalidJob(f"The output takes {len(text):,} bytes; at most {_LARGEST:,} are kept. Store it elsewhere.")
    return text


def early_end(what: str) -> EarlyEnd:
    """Return what reaches the job that runs here.  Raises FerrymanError outside one, Unsupported in a process."""
    recorder_of(what)
    if ending.get(None) is None:
        raise Unsupported(f'{what} cannot reach the jobs from a process of its own. Leave out run="process".')
    return ending.get()


def recorder_of(what: str) -> Recorder:
    """Return what the attempt that runs here records.  Raises FerrymanError outside one."""
    recorder = recording.get(None)
    if recorder is None:
        raise FerrymanError(f"{what} was called outside a running task. Call it from the task's own code.")
    return recorder
