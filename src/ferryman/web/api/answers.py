"""What the API's bodies look like, in and out."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from starlette.responses import Response

from ferryman.storage.values import Action
from ferryman.web.bodies import bounded
from ferryman.web.refusals import Refusal
from ferryman.web.visit import Visit

__all__ = ["ActWanted", "BulkWanted", "EnqueueWanted", "QueuesWanted", "ScheduleWanted", "answer", "body", "number"]

T = TypeVar("T")

_MOST = 1 << 20
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]


class ActWanted(msgspec.Struct, forbid_unknown_fields=True):
    """An action on some jobs, each by its reference."""

    action: Action
    refs: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=1_000)]
    reason: Reason = ""


class QueuesWanted(msgspec.Struct, forbid_unknown_fields=True):
    """Queues to pause, to resume or to delete."""

    names: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=200)]
    reason: Reason = ""


class BulkWanted(msgspec.Struct, forbid_unknown_fields=True):
    """An action on every job that a filter means; `expected` is what the preview counted."""

    action: Action
    filter: dict[Name, str | list[str]]
    expected: Annotated[int, msgspec.Meta(ge=0)] = 0


class ScheduleWanted(msgspec.Struct, forbid_unknown_fields=True):
    """A schedule to run, to pause or to resume, by its id."""

    key: Name
    reason: Reason = ""


class EnqueueWanted(msgspec.Struct, forbid_unknown_fields=True):
    """A job to be stored."""

    kind: Name
    args: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    queue: Name | None = None
    delay: Name | None = None
    unique: Name | None = None


def answer(value: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def body(visit: Visit, kind: type[T]) -> T:
    """Return what a request's body says.  Raises Refusal."""
    given = await bounded(visit.request, _MOST).body()
    try:
        return msgspec.json.decode(given, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, "bad_body", f"The body is not what this takes: {error}.") from None


def number(visit: Visit, name: str, otherwise: int, most: int) -> int:
    """Return a number of the query.  Raises Refusal."""
    text = visit.query.get(name, "")
    if not text:
        return otherwise
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:9]) <= most or len(text) > 9:
        raise Refusal(400, "bad_filter", f'{name} is "{text[:50]}". It takes a number from 1 to {most}.')
    return int(text)
