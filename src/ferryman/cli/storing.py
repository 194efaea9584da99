"""Stores a job for each line of a file, for `ferryman enqueue`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from ferryman.cli.payload import read_payload
from ferryman.cli.session import Session
from ferryman.errors import InvalidJob
from ferryman.job import Inserted, NewJob

__all__ = ["store_lines"]

_AT_ONCE = 1_000


def store_lines(session: Session, file: str, make: Callable[[bytes], NewJob]) -> Iterator[Inserted]:
    """Store a job for each line, a thousand at a time: of each thousand all or none."""
    jobs = (_made(number, line, make) for number, line in enumerate(_lines(file), start=1) if line.strip())
    while some := list(islice(jobs, _AT_ONCE)):
        yield from session.jobs.sync.enqueue_many(some)


def _lines(file: str) -> Iterator[str]:
    if file == "-":
        yield from sys.stdin
        return
    try:
        with Path(file).open(encoding="utf-8") as lines:
            yield from lines
    except OSError as error:
        raise InvalidJob(f"--jsonl names the file {file}, which cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidJob(f"--jsonl names the file {file}, which is no text: {error}.") from error


def _made(number: int, line: str, make: Callable[[bytes], NewJob]) -> NewJob:
    try:
        return make(read_payload(line, None, None))
    except InvalidJob as error:
        kept = f"The {(number - 1) // _AT_ONCE * _AT_ONCE:,} lines before may be stored" if number > _AT_ONCE else ""
        raise InvalidJob(f"Line {number} of --jsonl: {error} {kept or 'Nothing was stored'}.") from error
