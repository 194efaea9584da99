"""What is drawn: how much was worked, how long it took, how much waits; each with a sentence for who cannot see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from ferryman.admin import series as counted
from ferryman.web.collector import Point
from ferryman.web.formats import count, duration, rate, share
from ferryman.web.reading import Past

__all__ = ["Chart", "depth_chart", "latency_chart", "oldest_chart", "throughput_chart"]

_TOKENS = "abcdefgh"
_BUCKETS = 90
_LATENCIES = (
    ("waited, p95", "wait", "wait_p95", False),
    ("waited, p50", "wait", "wait_p50", True),
    ("ran, p95", "run", "run_p95", False),
    ("ran, p50", "run", "run_p50", True),
)
_SEEN = "seen by this dashboard while it was looked at"
_NOBODY = "No worker has counted anything in this window."


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


def throughput_chart(read: Past, zone: tzinfo) -> Chart:
    """Draw how many attempts ended a second, and how."""
    points = _points(read)
    if not any(points):
        return _nothing("throughput", "Throughput", "attempts a second", read)
    assert read.value is not None
    step = read.value.step.total_seconds()
    kinds: dict[str, Callable[[counted.Point], float]] = {
        "ok": lambda point: (point.ok + point.cancelled) / step,
        "error": lambda point: point.error / step,
        "failed": lambda point: point.gave_up / step,
    }
    labels = {"ok": "completed", "error": "failed, tried again", "failed": "gave up"}
    series = [
        {"label": labels[token], "token": token, "values": [value(point) if point else None for point in points]}
        for token, value in kinds.items()
    ]
    return _drawn("throughput", "Throughput", "attempts a second", _how_much(read), "bars", "rate", read, series, zone)


def latency_chart(read: Past, zone: tzinfo) -> Chart:
    """Draw how long jobs waited and ran."""
    points = _points(read)
    if not any(point and point.run_p50 is not None for point in points):
        return _nothing("latency", "Latency", "", read)
    series = [
        {
            "label": label,
            "token": token,
            "dash": dash,
            "values": [getattr(point, name) if point else None for point in points],
        }
        for label, token, name, dash in _LATENCIES
    ]
    total = _total(read)
    summary = f"Half waited under {duration(total.wait_p50)} and ran under {duration(total.run_p50)}." if total else ""
    return _drawn("latency", "Latency", "estimated", summary, "lines", "duration", read, series, zone)


def depth_chart(points: Sequence[Point], window: timedelta, now: datetime, zone: tzinfo) -> Chart:
    """Draw how many jobs wait in each queue: the fullest eight, and the others together."""
    buckets = _buckets(points, window, now)
    latest = points[-1].waiting if points else {}
    names = sorted(latest, key=lambda name: (-latest[name], name))
    shown, others = names[: len(_TOKENS)], names[len(_TOKENS) :]
    series = [_seen(name, token, buckets, _waiting_in(name)) for name, token in zip(shown, _TOKENS, strict=False)]
    if others:
        series.append(
            _seen("others", "others", buckets, lambda point: sum(point.waiting.get(name, 0) for name in others))
        )
    summary = f"{count(sum(latest.values()))} now."
    return _watched("depth", "Waiting jobs", "available and retryable", summary, "area", "count", buckets, series, zone)


def oldest_chart(points: Sequence[Point], window: timedelta, now: datetime, zone: tzinfo) -> Chart:
    """Draw for how long the job waits that is next: it grows when nothing is worked, and other charts go silent."""
    buckets = _buckets(points, window, now)
    latest = points[-1].oldest if points else None
    summary = f"{duration(latest)} now." if latest is not None else "Nothing waits."
    series = [_seen("oldest available", "oldest", buckets, lambda point: point.oldest or 0.0)]
    return _watched("oldest", "Oldest available job", "waits for", summary, "lines", "duration", buckets, series, zone)


def _points(read: Past) -> Sequence[counted.Point | None]:
    return read.value.lines[0].points if read.value and read.value.lines else ()


def _total(read: Past) -> counted.Point | None:
    return read.value.lines[0].total if read.value and read.value.lines else None


def _how_much(read: Past) -> str:
    total, points = _total(read), _points(read)
    if total is None or read.value is None:
        return ""
    seconds = sum(point is not None for point in points) * read.value.step.total_seconds()
    bad = (total.error + total.gave_up) / total.attempts if total.attempts else 0.0
    return f"{rate(total.attempts / seconds)} on average, {share(bad)} of them failed."


def _nothing(id: str, title: str, unit: str, read: Past) -> Chart:
    source = read.value.source if read.value else ""
    return Chart(id, title, unit, "", source, (), None, read.why or _NOBODY, "Nothing to draw yet")


def _drawn(
    id: str, title: str, unit: str, summary: str, kind: str, format: str, read: Past, series: list[Any], zone: tzinfo
) -> Chart:
    assert read.value is not None
    times = [read.value.since + read.value.step * place for place in range(len(_points(read)))]
    source = read.value.source + (", of which only the latest were looked at" if read.value.truncated else "")
    return Chart(
        id, title, unit, summary, source, _labels(times, zone), _data(kind, format, times, series, partial=True)
    )


Buckets = Sequence[tuple[datetime, Point | None]]


def _buckets(points: Sequence[Point], window: timedelta, now: datetime) -> Buckets:
    """Return the latest point in each stretch of the window; None is a gap, when nobody looked."""
    length = window / _BUCKETS
    latest: dict[int, Point] = {int((now - point.at) / length): point for point in points}
    return [(now - length * place, latest.get(place)) for place in reversed(range(_BUCKETS))]


def _waiting_in(name: str) -> Callable[[Point], float]:
    return lambda point: point.waiting.get(name, 0)


def _seen(label: str, token: str, buckets: Buckets, value: Callable[[Point], float]) -> dict[str, Any]:
    return {"label": label, "token": token, "values": [value(point) if point else None for _, point in buckets]}


def _watched(
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
    if sum(point is not None for _, point in buckets) < 2:
        return Chart(
            id, title, unit, "", _SEEN, (), None, "It begins now: look again in a moment.", "Not enough to draw"
        )
    times = [at for at, _ in buckets]
    return Chart(id, title, unit, summary, _SEEN, _labels(times, zone), _data(kind, format, times, series))


def _labels(times: Sequence[datetime], zone: tzinfo) -> list[str]:
    days = times[-1] - times[0] > timedelta(hours=24)
    return [f"{at.astimezone(zone):%d %b %H:%M}" if days else f"{at.astimezone(zone):%H:%M:%S}" for at in times]


def _data(
    kind: str, format: str, times: Sequence[datetime], series: list[Any], *, partial: bool = False
) -> dict[str, Any]:
    return {
        "kind": kind,
        "format": format,
        "partial": partial,
        "log": False,
        "times": [round(at.timestamp()) for at in times],
        "series": [{**each, "values": [_short(value) for value in each["values"]]} for each in series],
    }


def _short(value: float | None) -> float | None:
    """Return as many digits as can be seen in a chart: the rest would be half of the page."""
    return None if value is None else float(f"{value:.3g}")
