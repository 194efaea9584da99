"""Acting on jobs one by one, and telling what became of each.

One job that cannot be had is an error like any other.  Among several the rest is done
all the same: exit code 7 says that some were skipped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ferryman.cli.failures import PARTLY, code_of, exit_code
from ferryman.cli.output import Listing, Row, plain, show
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.errors import ConfigError, FerrymanError, StorageError
from ferryman.job import Job, JobRef

__all__ = ["act", "read_refs"]


@dataclass(frozen=True)
class _Outcome:
    """What became of one job: `now` says what it is after that, or `error` why nothing was done."""

    ref: JobRef
    done: str
    job: Job | None = None
    now: str = ""
    error: FerrymanError | None = None


def read_refs(given: Sequence[str]) -> list[JobRef]:
    """Read addresses of jobs; `-` stands for those on stdin, one a line.  Raises ConfigError."""
    if list(given) != ["-"]:
        return [JobRef.parse(text) for text in given]
    if sys.stdin.isatty():
        raise ConfigError("- reads ids from stdin, and stdin is a terminal. Pipe them in: ferryman failed -o ids | …")
    return [JobRef.parse(line.strip()) for line in sys.stdin if line.strip()]


def act(
    session: Session, refs: Sequence[JobRef], done: str, do: Callable[[JobRef], Job], now: Callable[[Job], str]
) -> int:
    """Do something with each job and show it; `now` says what a job is after that.  Returns the exit code."""
    outcomes = list(_each(refs, done, do, now))
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if len(refs) == 1 and errors:
        raise errors[0]
    worked = [outcome for outcome in outcomes if not outcome.error]
    show(session, _OUTCOMES, worked if session.format == "ids" else outcomes)
    if len(refs) != 1:
        _sum_up(session, outcomes, f"{done} {len(worked)}, skipped {len(refs) - len(worked)}")
    if not errors:
        return 0
    return PARTLY if worked else exit_code(errors[0])


def _each(
    refs: Sequence[JobRef], done: str, do: Callable[[JobRef], Job], now: Callable[[Job], str]
) -> Iterator[_Outcome]:
    for ref in refs:
        try:
            job = do(ref)
            yield _Outcome(ref, done, job, now(job))
        except FerrymanError as error:
            yield _Outcome(ref, "skipped", error=error)
            if isinstance(error, StorageError):
                return  # the next would fail for the same reason


def _sum_up(session: Session, outcomes: Sequence[_Outcome], text: str) -> None:
    session.note(text)
    for outcome in outcomes:
        if outcome.error:
            session.note(f"  {outcome.ref}  {outcome.error}")


def _view(outcome: _Outcome) -> Row:
    job, error = outcome.job, outcome.error
    return {
        "ref": str(outcome.ref),
        "outcome": outcome.done,
        "kind": job.kind if job else None,
        "state": job.state if job else None,
        "error": {"code": code_of(error), "detail": str(error)} if error else None,
    }


def _lines(outcome: _Outcome, times: Times) -> Iterator[str]:
    if outcome.job:
        yield f"{outcome.done} {outcome.ref} ({plain(outcome.job.kind)}), {outcome.now}"


_OUTCOMES = Listing(_view, lambda outcome: str(outcome.ref), lines=_lines)
