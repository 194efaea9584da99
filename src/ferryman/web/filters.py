"""Which jobs: the words of an address ⇄ a JobFilter, the same for pages and the API (spec/dashboard.md 2.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import QueryParams

from ferryman.duration import parse_duration
from ferryman.errors import ConfigError
from ferryman.redaction import Redaction
from ferryman.state_words import read_states
from ferryman.storage.filters import JobFilter
from ferryman.web.refusals import Refusal

__all__ = ["FIELDS", "Chosen", "in_words", "read_chosen"]

FIELDS = (
    "state",
    "queue",
    "kind",
    "since",
    "older_than",
    "ended_since",
    "id",
    "error",
    "fp",
    "args",
    "tag",
    "priority",
    "worker",
)
"""The words that narrow.  Several of one are several parameters, or commas between them."""


@dataclass(frozen=True)
class Chosen:
    """What an address chooses: the filter, and its words as they were given."""

    which: JobFilter
    words: tuple[tuple[str, str], ...]

    def without(self, word: tuple[str, str]) -> list[tuple[str, str]]:
        """Return the words but one."""
        return [each for each in self.words if each != word]


def read_chosen(query: QueryParams, *, hides: Redaction | None, now: datetime | None = None) -> Chosen:
    """Read the words of an address.

    Raises Refusal naming the field that is wrong, and for arguments that `hides` would not show.
    """
    words = tuple((name, value.strip()) for name, value in _words(query) if value.strip())
    given: dict[str, list[str]] = {}
    for name, value in words:
        if "\0" in value:
            raise Refusal(400, "bad_filter", f"{name}: It has a character of code 0, which no storage keeps.")
        given.setdefault(name, []).append(value)
    now = now or datetime.now(UTC)
    fields: dict[str, Any] = {}
    for name, values in given.items():
        try:
            fields |= _READ[name](values, now)
        except (ConfigError, OverflowError) as error:
            raise Refusal(400, "bad_filter", f"{name}: {error}", hint=f"The field {name} is wrong.") from None
    which = JobFilter(**fields)
    if hides and (why := hides.guesses(which.args, which.kinds)):
        raise Refusal(400, "hidden", why)
    return Chosen(which, words)


def in_words(which: JobFilter) -> str:
    """Say which jobs a filter means: "state discarded, kind mail:send, error group 9f31c2ab04de"."""
    of_lists = {"state": which.states, "queue": which.queues, "kind": which.kinds, "tag": which.tags, "id": which.ids}
    parts = [f"{name} {each}" for name, values in of_lists.items() for each in values]
    times = {"created since": which.since, "created before": which.before, "ended since": which.ended_since}
    parts += [f"{name} {at:%Y-%m-%d %H:%M} UTC" for name, at in times.items() if at]
    texts = {
        "error contains": which.error,
        "error group": which.fingerprint,
        "worker": which.worker,
        "group": which.group,
    }
    parts += [f"{name} {text}" for name, text in texts.items() if text]
    parts += [f"{path} is {text}" for path, text in which.args.items()]
    return ", ".join(parts)


def _words(query: QueryParams) -> Iterator[tuple[str, str]]:
    for name, value in query.multi_items():
        if name == "q":
            yield _searched(value.strip()), value
        elif name.startswith("args.") and value:
            yield "args", f"{name.removeprefix('args.')}={value}"
        elif name in FIELDS:
            yield name, value


def _searched(text: str) -> str:
    """Return the field that a searched text most likely means: an id, a kind, or what went wrong."""
    if text.isdecimal() or _looks_like_uuid(text):
        return "id"
    return "kind" if ":" in text and " " not in text else "error"


def _looks_like_uuid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4


def _split(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))


def _since(text: str, now: datetime) -> datetime:
    try:
        return now - parse_duration(text)
    except ConfigError:
        pass
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f'"{text}" is no time. It takes 24h, or a time such as 2026-11-22T08:00Z.') from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _arguments(values: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for value in values:
        path, equals, text = value.partition("=")
        if not equals or not path:
            raise ConfigError("It takes a path and a value, such as user.id=7.")
        pairs[path] = text
    return pairs


def _priorities(values: Sequence[str]) -> tuple[int, ...]:
    texts = _split(values)
    if not all(text.isdecimal() and len(text) < 5 for text in texts):
        raise ConfigError("It takes numbers, such as 1 or 4.")
    return tuple(map(int, texts))


_READ: Mapping[str, Callable[[Sequence[str], datetime], dict[str, Any]]] = {
    "state": lambda values, now: {"states": read_states(values)},
    "queue": lambda values, now: {"queues": tuple(values)},
    "kind": lambda values, now: {"kinds": tuple(values)},
    "since": lambda values, now: {"since": _since(values[-1], now)},
    "older_than": lambda values, now: {"before": _since(values[-1], now)},
    "ended_since": lambda values, now: {"ended_since": _since(values[-1], now)},
    "id": lambda values, now: {"ids": _split(values)},
    "error": lambda values, now: {"error": values[-1]},
    "fp": lambda values, now: {"fingerprint": values[-1]},
    "args": lambda values, now: {"args": _arguments(values)},
    "tag": lambda values, now: {"tags": tuple(values)},
    "priority": lambda values, now: {"priorities": _priorities(values)},
    "worker": lambda values, now: {"worker": values[-1]},
    "group": lambda values, now: {"group": values[-1]},
}
