"""How the attempts of a job are shown: what became of each, with its trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click
import msgspec

from ferryman.attempts import Attempt, attempts
from ferryman.cli.output import Listing, Row, plain, printable
from ferryman.cli.times import Times
from ferryman.job import Job
from ferryman.redaction import Redaction

__all__ = ["ATTEMPTS", "lines_of", "not_kept"]


def lines_of(attempt: Attempt, times: Times) -> Iterator[str]:
    """Show an attempt: what became of it when and where, and what it failed with."""
    worker = f" on {plain(attempt.worker)}" if attempt.worker else ""
    yield click.style(f"  attempt {attempt.attempt} {attempt.outcome} {times.both(attempt.at)}{worker}", dim=True)
    if attempt.error:
        yield f"  {click.style(plain(attempt.error), fg='red')}"
    for line in attempt.trace.expandtabs().rstrip().splitlines():
        yield f"    {printable(line)}"


def not_kept(jobs: Sequence[Job]) -> list[str]:
    """Say of which jobs some attempts are not known."""
    missing = ((job, job.attempt - len(list(attempts(job)))) for job in jobs)
    return [f"Of {count} earlier attempts of job {job.ref} nothing is kept." for job, count in missing if count > 0]


def _without_secrets(redaction: Redaction, attempt: Attempt) -> Attempt:
    return msgspec.structs.replace(attempt, error=redaction.text(attempt.error), trace=redaction.text(attempt.trace))


def _view(attempt: Attempt) -> Row:
    return {**msgspec.structs.asdict(attempt), "ref": str(attempt.ref)}


def _lines(attempt: Attempt, times: Times) -> Iterator[str]:
    yield click.style(str(attempt.ref), bold=True)
    yield from lines_of(attempt, times)


ATTEMPTS = Listing(_view, lambda attempt: str(attempt.ref), lines=_lines, safe=_without_secrets)
