"""What a job carries, to be read: JSON, text, or bytes, never more of it than a page can hold."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ferryman.job import Job
from ferryman.web.pages.parts import Link
from ferryman.web.visit import Visit

__all__ = ["Payload", "formatted", "logs_in", "payload", "result_and_rest"]

_LOGGER = logging.getLogger("ferryman.dashboard")

_INLINE = 64 << 10
_HEX = 4 << 10
_LOGS = "river:log"


@dataclass(frozen=True)
class Payload:
    """One of them; a `text` of None is `missing` for a reason."""

    title: str
    type: str
    size: int | None
    text: str | None
    missing: str
    views: Sequence[Link]
    hidden: bool
    more_url: str = ""
    more_label: str = ""


def payload(visit: Visit, title: str, given: bytes, *, hidden: bool, none: str, pretty: str | None = None) -> Payload:
    """Return a payload as the address asks for it: pretty, raw or as hex; `pretty` is how it is said to look best."""
    name = f"view_{title.lower()}"
    chosen = visit.query.get(name, "pretty")
    whole = visit.query.get("whole") == "on"
    kind, text = ("formatted", pretty) if pretty is not None and chosen == "pretty" else _read(given, chosen)
    cut = len(text) > _INLINE and not whole
    here = {key: value for key, value in visit.query.items() if key not in (name, "whole")}
    views = [
        Link(each.capitalize(), visit.url("job", **{**here, name: each}), each == chosen)
        for each in ("pretty", "raw", "hex")
    ]
    return Payload(
        title=title,
        type=kind,
        size=len(given),
        text=f"{text[:_INLINE]}…" if cut else text if given else None,
        missing=none,
        views=views if given else (),
        hidden=hidden,
        more_url=visit.url("job", **{**here, name: chosen, "whole": "on"}) if cut else "",
        more_label=f"Show all of its {len(text):,} characters" if cut else "",
    )


def formatted(visit: Visit, job: Job) -> str | None:
    """Return how the program would show a job's arguments; None where it has nothing to say, or fails to."""
    formatter, redaction = visit.board.formatter, visit.place.redaction
    if formatter is None or redaction.hides_args_of(job.kind):
        return None
    try:
        text = formatter(job.kind, job.args)
    except Exception:
        _LOGGER.exception("the formatter failed for job %s of kind %s", job.ref, job.kind)
        return None
    return None if text is None else redaction.text(text)


def result_and_rest(metadata: bytes) -> tuple[bytes, bytes]:
    """Return what a job has returned, or nothing, and its other metadata."""
    try:
        fields = msgspec.json.decode(metadata, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return b"", metadata
    if "output" not in fields:
        return b"", metadata
    return bytes(fields.pop("output")), msgspec.json.encode(fields)


def logs_in(metadata: bytes) -> str:
    """Return what the tasks of a job logged, if they kept it."""
    try:
        kept = json.loads(metadata).get(_LOGS, [])
        return "\n".join(str(each.get("log", "")).rstrip() for each in kept)
    except (ValueError, AttributeError):
        return ""


def _read(given: bytes, view: str) -> tuple[str, str]:
    """Return what it is, and how it reads; numbers stay as they were written, whatever their length."""
    if view == "hex":
        return "bytes", _hex(given)
    try:
        text = given.decode()
    except UnicodeDecodeError:
        return "bytes", _hex(given)
    try:
        return "JSON", msgspec.json.format(text, indent=2) if view == "pretty" else text
    except msgspec.DecodeError:
        return "text", text


def _hex(given: bytes) -> str:
    lines = [
        f"{place:08x}  {given[place : place + 16].hex(' '):<47}  "
        + "".join(chr(each) if 32 <= each < 127 else "." for each in given[place : place + 16])
        for place in range(0, min(len(given), _HEX), 16)
    ]
    more = [f"… and {len(given) - _HEX:,} bytes more"] if len(given) > _HEX else []
    return "\n".join([*lines, *more])
