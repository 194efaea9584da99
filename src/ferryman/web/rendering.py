"""Templates, and what they can call: numbers, times, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from ferryman.web import formats

__all__ = ["Clockwork", "prepare", "render"]


@dataclass(frozen=True)
class Clockwork:
    """When a page is rendered, and in which zone its times are."""

    now: datetime
    zone: tzinfo = UTC


# Macros that are imported see no context of their page, and every time is shown by one.
_CLOCK: ContextVar[Clockwork] = ContextVar("ferryman_clock")


def render(template: str, context: Mapping[str, Any], clock: Clockwork) -> str:
    """Render a template."""
    before = _CLOCK.set(clock)
    try:
        return _environment().get_template(template).render(context)
    finally:
        _CLOCK.reset(before)


def prepare() -> None:
    """Read the templates of the overview now: that takes long, and the first visitor should not wait for it."""
    environment = _environment()
    for name in ("overview.html", "base.html", *environment.list_templates(filter_func=_is_macro)):
        environment.get_template(name)


def _is_macro(template: str) -> bool:
    return template.startswith("macros/")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ferryman.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "count": formats.count,
        "capped": formats.capped,
        "rate": formats.rate,
        "share": formats.share,
        "duration": formats.duration,
        "bytes": formats.binary,
        "short_id": formats.short_id,
        "ago": _ago,
        "moment": _moment,
        "iso": _iso,
        "when": _when,
        "seconds_since": _seconds_since,
    }
    return environment


def _ago(at: datetime | None) -> str:
    return formats.ago(at, _CLOCK.get().now)


def _moment(at: datetime | None) -> str:
    return formats.moment(at, _CLOCK.get().zone)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _when(at: datetime | None) -> Markup:
    """Show a time as people read it, with the whole of it for machines and pointers."""
    if at is None:
        return Markup(escape(formats.UNKNOWN))
    return Markup('<time datetime="{}" title="{}">{}</time>').format(_iso(at), _moment(at), _ago(at))


def _seconds_since(at: datetime | None) -> float | None:
    return (_CLOCK.get().now - at) / timedelta(seconds=1) if at else None
