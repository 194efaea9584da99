"""What the overview draws: times, series, and a sentence for who cannot see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ferryman.web.collector import Point
from ferryman.web.formats import count, duration

__all__ = ["Chart", "depth_chart", "oldest_chart", "running_chart"]

_TOKENS = "abcdefgh"
_BUCKETS = 90
_WATCHED = "seen by this dashboard while it was looked at"


@dataclass(frozen=True)
class Chart:
    """One chart; without `data` it says why."""

    id: str
    title: str
    unit: str
    summary: str
    source: str
    labels: Sequence[str]
    data: dict[str, Any] | None
    missing: str = ""
    missing_title: str = ""
    missing_command: str = ""


def depth_chart(points: Sequence[Point], window: timedelta, now: datetime, zone: tzinfo) -> Chart:
    """Draw how many jobs wait in each queue: the fullest eight, and the others together."""
    buckets = _buckets(points, window, now)
    latest = points[-1].waiting if points else {}
    names = sorted(latest, key=lambda name: (-latest[name], name))
    shown, others = names[: len(_TOKENS)], names[len(_TOKENS) :]
    series = [_series(name, token, buckets, _waiting_in(name)) for name, token in zip(shown, _TOKENS, strict=False)]
    if others:
        series.append(
            _series("others", "others", buckets, lambda point: sum(point.waiting.get(name, 0) for name in others))
        )
    total = sum(latest.values())
    return _chart(
        "depth",
        "Waiting jobs",
        "available and retryable",
        f"{count(total)} now.",
        "area",
        "count",
        buckets,
        series,
        zone,
    )


def oldest_chart(points: Sequence[Point], window: timedelta, now: datetime, zone: tzinfo) -> Chart:
    """Draw for how long the job waits that is next: it grows when nothing is worked, and other charts go silent."""
    buckets = _buckets(points, window, now)
    latest = points[-1].oldest if points else None
    summary = f"{duration(latest)} now." if latest is not None else "Nothing waits."
    series = [_series("oldest available", "oldest", buckets, lambda point: point.oldest or 0.0)]
    return _chart("oldest", "Oldest available job", "waits for", summary, "lines", "duration", buckets, series, zone)


def running_chart(points: Sequence[Point], window: timedelta, now: datetime, zone: tzinfo) -> Chart:
    """Draw how many jobs run."""
    buckets = _buckets(points, window, now)
    summary = f"{count(points[-1].running)} now." if points else ""
    series = [_series("running", "run", buckets, lambda point: point.running)]
    return _chart("running", "Running jobs", "", summary, "area", "count", buckets, series, zone)


Buckets = Sequence[tuple[datetime, Point | None]]


def _buckets(points: Sequence[Point], window: timedelta, now: datetime) -> Buckets:
    """Return the latest point in each stretch of the window; None is a gap, when nobody looked."""
    length = window / _BUCKETS
    latest: dict[int, Point] = {int((now - point.at) / length): point for point in points}
    return [(now - length * place, latest.get(place)) for place in reversed(range(_BUCKETS))]


def _waiting_in(name: str) -> Callable[[Point], float]:
    return lambda point: point.waiting.get(name, 0)


def _series(label: str, token: str, buckets: Buckets, value: Callable[[Point], float]) -> dict[str, Any]:
    return {"label": label, "token": token, "values": [value(point) if point else None for _, point in buckets]}


def _chart(
    id: str,
    title: str,
    unit: str,
    summary: str,
    kind: str,
    format: str,
    buckets: Buckets,
    series: list[Any],
    zone: tzinfo,
) -> Chart:
    seen = sum(point is not None for _, point in buckets)
    if seen < 2:
        missing = "It begins now: come back in a minute." if seen else "Nobody has looked for a while."
        return Chart(id, title, unit, summary, _WATCHED, (), None, missing, "Not enough to draw yet")
    data = {
        "kind": kind,
        "format": format,
        "partial": False,
        "log": False,
        "times": [at.timestamp() for at, _ in buckets],
        "series": series,
    }
    return Chart(id, title, unit, summary, _WATCHED, [f"{at.astimezone(zone):%H:%M:%S}" for at, _ in buckets], data)
