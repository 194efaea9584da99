"""Failed attempts ⇄ the elements of `errors` (spec/river.md 2.4).

How many there are decides the next delay, so each counts, even one that nobody can read:
what is not of its type is told as it stands, as River does since 0.48.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ferryman.job import AttemptError
from ferryman.storage.river.times import json_time

__all__ = ["error_json", "failures", "latest_failure"]

_NO_TIME = datetime.min.replace(tzinfo=UTC)


def error_json(error: AttemptError) -> str:
    """Write one element of `errors` (spec/river.md 2.4); what jsonb or JSON refuses becomes U+FFFD or ?."""
    fields = {
        "at": json_time(error.at),
        "attempt": error.attempt,
        "error": _storable(error.error),
        "trace": _storable(error.trace),
    }
    return msgspec.json.encode(fields).decode()


def _storable(text: str) -> str:
    # Half a surrogate pair comes with the name of a file that is not UTF-8.
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def failures(text: str | bytes) -> tuple[AttemptError, ...]:
    """Read a whole column of `errors`."""
    return tuple(map(_failure, _list(text)))


def latest_failure(text: str | bytes | None) -> AttemptError | None:
    """Read the last element of a column of `errors`."""
    raws = _list(text) if text else ()
    return _failure(raws[-1]) if raws else None


class _Sound(msgspec.Struct):
    """One element, each part of its type, as nearly all are: it is read in one go."""

    at: str = ""
    attempt: int = 0
    error: str = ""
    trace: str = ""


class _Any(msgspec.Struct):
    """One element, each part as it was written: a client that writes it badly must not stop a queue."""

    at: msgspec.Raw = msgspec.Raw(b'""')
    attempt: msgspec.Raw = msgspec.Raw(b"0")
    error: msgspec.Raw = msgspec.Raw(b'""')
    trace: msgspec.Raw = msgspec.Raw(b'""')


_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_sound = msgspec.json.Decoder(_Sound).decode
_decode_any = msgspec.json.Decoder(_Any).decode
_decode_text = msgspec.json.Decoder(str).decode


def _list(text: str | bytes) -> Sequence[msgspec.Raw]:
    try:
        return _decode_list(text)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return (msgspec.Raw(text),)


def _failure(raw: msgspec.Raw) -> AttemptError:
    try:
        entry = _decode_sound(raw)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return _unsound_failure(raw)
    return AttemptError(_time(entry.at), entry.attempt, entry.error, entry.trace)


def _unsound_failure(raw: msgspec.Raw) -> AttemptError:
    try:
        entry = _decode_any(raw)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return AttemptError(_NO_TIME, 0, _said(raw))
    return AttemptError(_time(_said(entry.at)), _number(_said(entry.attempt)), _said(entry.error), _said(entry.trace))


def _said(raw: msgspec.Raw) -> str:
    try:
        return _decode_text(raw)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return bytes(raw).decode(errors="replace")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def _time(text: str) -> datetime:
    try:
        at = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return _NO_TIME
    if text[10] != "T":  # Go is stricter than RFC 3339
        return _NO_TIME
    return at.astimezone(UTC) if at.tzinfo is not None and at.year > 1 else _NO_TIME
