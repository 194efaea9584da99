"""JSON in the very bytes that Go's encoder writes.

River takes a job's unique key from the text of its arguments, so programs in Go and in
Python agree on what is a duplicate only when both write a value in the same way
(spec/river.md 3.5, "Encoder rules").  Most arguments are dicts of text and whole
numbers, which msgspec writes as Go does but for a few escapes; the rest, fractions and
times above all, goes through a writer of our own that knows every rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring
from math import copysign, isfinite
from typing import Any

import msgspec

from ferryman.errors import InvalidJob

__all__ = ["encode", "quote"]

_SCALARS = frozenset({str, int, bool, type(None)})

# Characters that Go escapes and msgspec does not, and the first byte of the two line separators.
_SUSPECTS = b"<>&\xe2"
_ESCAPES = {
    b"<": rb"\u003c",
    b">": rb"\u003e",
    b"&": rb"\u0026",
    "\u2028".encode(): rb"\u2028",
    "\u2029".encode(): rb"\u2029",
}
_ESCAPED = re.compile("[<>&\u2028\u2029\ud800-\udfff]")

_msgspec_json = msgspec.json.Encoder().encode


def encode(value: object) -> bytes:
    """Write a value as Go would: no white space, dicts in their own order (spec/river.md 3.5).

    A value that JSON has no form for becomes what msgspec makes of it: dataclasses,
    structs, attrs classes and pydantic models are objects, an enum its value, bytes
    base64, a UUID, Decimal or date text; a datetime is RFC 3339 with its own offset.
    A msgspec.Raw goes in as it is: so a number that no float holds stays what it was.
    A key that is a number, a UUID or an enum becomes text, as in a Go map.

    Raises InvalidJob for what cannot travel: inf and nan, a datetime without a zone,
    keys of any other kind, a type that nobody knows.
    """
    try:
        if not _is_plain(value):
            value = msgspec.to_builtins(value, builtin_types=(datetime, msgspec.Raw), str_keys=True, enc_hook=_fields)
            if not _is_plain(value):
                return _json(value).encode()
        return _escape(_msgspec_json(value))
    except UnicodeEncodeError:  # half of a surrogate pair, which msgspec refuses and Go replaces
        return _json(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidJob(f"This cannot be written as JSON: {str(error).rstrip('.')}.") from error


def quote(text: str) -> str:
    """Write a text as a JSON string, as Go would."""
    return _ESCAPED.sub(_escape_character, encode_basestring(text))


def _is_plain(value: Any) -> bool:
    """Say whether msgspec writes this as Go does, escapes aside."""
    kind = type(value)
    if kind is dict:
        for name, inner in value.items():  # a loop: every enqueue comes here, and all() takes twice as long
            if type(name) is not str or not (type(inner) in _SCALARS or _is_plain(inner)):
                return False
        return True
    if kind is list:
        return _SCALARS.issuperset(map(type, value)) or all(map(_is_plain, value))
    return kind in _SCALARS


def _escape(text: bytes) -> bytes:
    # One pass over the bytes: `in` costs more for each character than this does for all.
    if text.translate(None, _SUSPECTS) == text:
        return text
    for character, escape in _ESCAPES.items():  # inside strings only: JSON itself needs none of them
        text = text.replace(character, escape)
    return text


def _escape_character(found: re.Match[str]) -> str:
    character = found[0]
    return r"\ufffd" if "\ud800" <= character <= "\udfff" else f"\\u{ord(character):04x}"


def _fields(value: Any) -> Any:
    """Open a pydantic model, the one kind of structure that msgspec does not know."""
    if hasattr(value, "model_dump"):
        return value.model_dump(by_alias=True)
    raise TypeError(f"{value!r} is a {type(value).__name__}. Send text, numbers, lists or dicts instead.")


def _json(value: Any) -> str:
    return _WRITERS[type(value)](value)


def _object(members: dict[str, Any]) -> str:
    return "{" + ",".join(f"{quote(name)}:{_json(value)}" for name, value in members.items()) + "}"


def _array(values: Iterable[Any]) -> str:
    return "[" + ",".join(map(_json, values)) + "]"


def _number(value: float) -> str:
    """Write a float in Go's form: the same shortest digits as Python's, other limits for the exponent."""
    if not isfinite(value):
        raise ValueError(f"{value} is no number in JSON. Send None or a text instead.")
    if value == 0:
        return "-0" if copysign(1, value) < 0 else "0"
    text = repr(value)
    if not 1e-6 <= abs(value) < 1e21:
        return text.replace("e-0", "e-")
    return f"{Decimal(text):f}" if "e" in text else text.removesuffix(".0")


def _moment(value: datetime) -> str:
    """Write a time as RFC 3339 with no more fraction than it has."""
    offset = value.utcoffset()
    if offset is None:
        raise ValueError(f"{value} has no time zone. Say which, as in datetime.now(UTC).")
    text = value.replace(tzinfo=None).isoformat()
    if value.microsecond:
        text = text.rstrip("0")
    if not offset:
        return f'"{text}Z"'
    hours, minutes = divmod(int(abs(offset).total_seconds()) // 60, 60)
    return f'"{text}{"-" if offset.days < 0 else "+"}{hours:02}:{minutes:02}"'


_WRITERS: dict[type, Callable[[Any], str]] = {
    dict: _object,
    list: _array,
    tuple: _array,
    str: quote,
    int: str,
    float: _number,
    datetime: _moment,
    msgspec.Raw: lambda raw: bytes(raw).decode(),
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
}
