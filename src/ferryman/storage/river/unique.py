"""River's unique keys, exactly as River 0.49 computes them.

A unique job carries two columns: the SHA-256 of a text that says what makes it the same
as another (spec/river.md 3.5, and river-conformance.md 6.2), and a mask of the states in
which it blocks the other.  Go, Ruby and Rust programs compute the same two, so a single
different byte here means that a job runs twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from ferryman.errors import InvalidJob
from ferryman.gojson import quote
from ferryman.job import State, Unique

__all__ = ["DEFAULT", "REQUIRED", "canonical", "mask", "states", "unique_key"]

# River gives each state the bit of its place in the alphabet.
_BITS = {state: 1 << place for place, state in enumerate(sorted(State))}
_ALL = sum(_BITS.values())

REQUIRED = sum(_BITS[state] for state in (State.AVAILABLE, State.PENDING, State.RUNNING, State.SCHEDULED))
"""The states in which a unique job always blocks another: a mask without them is refused."""

DEFAULT = _ALL - _BITS[State.CANCELLED] - _BITS[State.DISCARDED]
"""The states in which a unique job blocks another unless the caller chose."""

# Go counts periods from its zero time, not from the Unix epoch.
_GO_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_SHORTEST_PERIOD = timedelta(seconds=1)

_VERBATIM = re.compile(r"[ !#-\[\]-\x7f]*")
_BETWEEN = re.compile(r"[\s:,]*")
_decode = json.JSONDecoder().raw_decode


def mask(chosen: Iterable[State]) -> int:
    """Return the bits of these states, or `DEFAULT` when there are none.

    Raises InvalidJob for a state that does not exist, and when one is missing that River requires.
    """
    names = sorted(set(chosen))
    if not names:
        return DEFAULT
    if unknown := set(names) - _BITS.keys():
        raise InvalidJob(f"by_states has {', '.join(sorted(unknown))}. There are: {', '.join(_BITS)}.")
    bits = sum(_BITS[state] for state in names)
    if missing := states(REQUIRED & ~bits):
        raise InvalidJob(f"by_states is {', '.join(names)}. Add {', '.join(missing)}: River requires them.")
    return bits


def states(mask: int) -> list[State]:
    """Return the states of a mask, sorted by name."""
    return [state for state, bit in _BITS.items() if mask & bit]


def unique_key(unique: Unique, *, kind: str, args: bytes, queue: str, at: datetime) -> bytes:
    """Return the 32 bytes of a job's `unique_key`.  Takes and raises what `canonical` does."""
    return sha256(canonical(unique, kind=kind, args=args, queue=queue, at=at).encode()).digest()


def canonical(unique: Unique, *, kind: str, args: bytes, queue: str, at: datetime) -> str:
    """Return the text whose hash is the key (spec/river.md 3.5).

    `args` is the encoded object as it will be stored, without white space; `at` is when
    the job is due, which is now for one that may run at once.

    Raises InvalidJob when `unique` compares nothing, excludes the kind and compares
    nothing else, has a period under a second or paths that cannot be read, and when the
    job is unique by arguments that are no JSON object.
    """
    _check(unique)
    text = "" if unique.exclude_kind else f"&kind={kind}"
    if unique.by_args:
        text += f"&args={_compared(args, unique.by_args)}"
    if unique.by_period is not None:
        text += f"&period={_period_start(at, unique.by_period)}"
    if unique.by_queue:
        text += f"&queue={queue}"
    return text


def _check(unique: Unique) -> None:
    paths, period = unique.by_args, unique.by_period
    if paths == () or not isinstance(paths, bool | tuple):
        raise InvalidJob(f'by_args is {paths!r}. It takes True for all, or paths such as ("customer.id",).')
    if period is not None and period < _SHORTEST_PERIOD:
        raise InvalidJob(f"by_period is {period.total_seconds()} s. It takes 1 second or more.")
    if unique.by_args or period is not None or unique.by_queue:
        return
    if unique.exclude_kind:
        raise InvalidJob("exclude_kind is all that Unique() has. Add by_args, by_period or by_queue.")
    if unique.by_states is None:
        raise InvalidJob("Unique() compares nothing. Add by_args, by_period, by_queue or by_states.")


def _period_start(at: datetime, period: timedelta) -> str:
    start = _GO_EPOCH + (at - _GO_EPOCH) // period * period
    return f"{start.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _compared(args: bytes, by_args: bool | tuple[str, ...]) -> str:
    return _selected(args, by_args) if isinstance(by_args, tuple) else _all(args)


def _all(args: bytes) -> str:
    """Return every argument, sorted by name at the top level only: what is nested stays as it was written."""
    if args == b"[]":  # River takes an empty array for an empty object
        return "{}"
    return _object(dict(sorted(_members(_checked(args)).items())))


def _selected(args: bytes, paths: tuple[str, ...]) -> str:
    """Return an object of the arguments at these paths, or nothing at all when none of them is there."""
    text = _checked(args)
    found: dict[str, Any] = {}
    for *parents, name in _in_order(paths):
        raw = _look_up(text, (*parents, name))
        if raw is None:
            continue
        inner = found
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[name] = raw
    return _object(found) if found else ""


@lru_cache(maxsize=1024)
def _in_order(paths: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Split paths into names, sorted as River does: by the whole path with its dots, nested before dotted."""
    split = {_names(path) for path in paths}
    for names in split:
        for end in range(1, len(names)):
            if names[:end] in split:
                whole, part = ".".join(names[:end]), ".".join(names)
                raise InvalidJob(f'by_args has "{whole}", and "{part}" inside it. Leave one of them out.')
    return tuple(sorted(split, key=lambda names: (".".join(names), names)))


def _names(path: str) -> tuple[str, ...]:
    r"""Split a path at its dots.  A backslash makes the next character part of the name, as in `user\.id`."""
    names = [""]
    characters = iter(path)
    for character in characters:
        if character == ".":
            names.append("")
        else:
            names[-1] += next(characters, character) if character == "\\" else character
    if not all(names):
        raise InvalidJob(f'by_args has the path "{path}", where a name is empty. Take out a dot.')
    return tuple(names)


def _look_up(text: str, names: tuple[str, ...]) -> str | None:
    raw: str | None = text
    for name in names:
        raw = _members(raw).get(name) if raw and raw[0] == "{" else None
    return raw


def _checked(args: bytes) -> str:
    """Return the text of encoded arguments.  Raises InvalidJob unless they are a JSON object."""
    try:
        text = args.decode()
        if isinstance(json.loads(text), dict):
            return text.strip()
    except (ValueError, RecursionError) as error:
        raise InvalidJob(f"Arguments of a job that is unique by arguments are not JSON: {error}.") from error
    raise InvalidJob(f"Arguments of a job that is unique by arguments are a JSON object, not {text[:40]}.")


def _members(text: str) -> dict[str, str]:
    """Split an object into names and the raw text of their values; a repeated name keeps its first."""
    members: dict[str, str] = {}
    at = _skip(text, 1)
    while text[at] != "}":
        name, end = _decode(text, at)
        start = _skip(text, end)
        _, end = _decode(text, start)
        members.setdefault(name, text[start:end])
        at = _skip(text, end)
    return members


def _skip(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _object(members: dict[str, Any]) -> str:
    parts = (f"{_key(name)}:{raw if isinstance(raw, str) else _object(raw)}" for name, raw in members.items())
    return "{" + ",".join(parts) + "}"


def _key(name: str) -> str:
    # River writes printable ASCII as it is, where Go's encoder would escape <, > and &.
    return f'"{name}"' if _VERBATIM.fullmatch(name) else quote(name)
