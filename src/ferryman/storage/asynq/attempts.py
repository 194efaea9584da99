"""What is remembered of failed attempts beside the jobs: asynq keeps the latest error, and no traceback."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ferryman.job import AttemptError

__all__ = ["remembered", "with_remembered"]

_LONGEST_TRACE = 8_000
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AttemptError).decode


def remembered(error: AttemptError, worker: str) -> bytes:
    """Return an attempt as it is kept: of a long traceback its end, which says where it happened."""
    trace = error.trace.encode("utf-8", "replace").decode()[-_LONGEST_TRACE:]
    text = error.error.encode("utf-8", "replace").decode()
    return _encode(AttemptError(error.at, error.attempt, text, trace, worker))


def with_remembered(known: Sequence[AttemptError], kept: Sequence[bytes]) -> tuple[AttemptError, ...]:
    """Return every attempt that is remembered, the latest last.

    `known` is what the job itself says, its latest error at most; another program may have worked it since.
    """
    found = []
    for data in reversed(kept):
        try:
            found.append(_decode(data))
        except msgspec.DecodeError:
            continue
    latest = [error for error in known if not found or found[-1].error != error.error]
    return (*found, *latest)
