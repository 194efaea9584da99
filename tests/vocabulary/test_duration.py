"""Lengths of time: what is read, what is refused, and how they are written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman.duration import format_duration, parse_duration, parse_go_duration
from ferryman.errors import ConfigError

READ = {
    "1h30m": timedelta(hours=1, minutes=30),
    "90s": timedelta(seconds=90),
    "1.5h": timedelta(minutes=90),
    "250ms": timedelta(milliseconds=250),
    "2d": timedelta(hours=48),
    "1w": timedelta(days=7),
    "1w2d3h4m5s": timedelta(days=9, hours=3, minutes=4, seconds=5),
    "90": timedelta(seconds=90),
    "1.5": timedelta(seconds=1.5),
    "0": timedelta(),
    "0s": timedelta(),
    "-0s": timedelta(),
    "+5m": timedelta(minutes=5),
    ".5s": timedelta(milliseconds=500),
    "5.s": timedelta(seconds=5),
    "30m1h": timedelta(minutes=90),
    "1m1m": timedelta(minutes=2),
    "100us": timedelta(microseconds=100),
    "100µs": timedelta(microseconds=100),
    "100μs": timedelta(microseconds=100),
    "1999ns": timedelta(microseconds=1),
    "0.1s": timedelta(milliseconds=100),
    "  5m ": timedelta(minutes=5),
}

UNREADABLE = [
    "",
    " ",
    "h",
    "5x",
    "1h30",
    "1 h",
    "1h 30m",
    "5M",
    "1,5h",
    ".",
    ".s",
    "1.2.3s",
    "--5s",
    "- 5s",
    "٥s",
    "1e3",
    "nan",
]


@pytest.mark.parametrize(("text", "duration"), READ.items(), ids=READ)
def test_a_duration_is_read_from_text(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("seconds", [90, 90.0, timedelta(seconds=90)], ids=repr)
def test_a_duration_is_read_from_seconds_or_a_timedelta(seconds: float | timedelta) -> None:
    assert parse_duration(seconds) == timedelta(seconds=90)


@pytest.mark.parametrize("value", [*UNREADABLE, float("nan"), float("inf"), True, None, [5]], ids=repr)
def test_what_is_no_duration_is_refused_with_the_value_and_the_units(value: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_duration(value)

    shown = f'"{value}"' if isinstance(value, str) else repr(value)
    assert f"The duration {shown} cannot be read." in str(refused.value)
    assert "such as 1h30m" in str(refused.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("-5m", '"-5m"'), ("-90", '"-90"'), (-3, "-3"), (-0.5, "-0.5"), (timedelta(seconds=-3), "-3s")],
)
def test_a_negative_duration_is_refused_with_the_value(value: str | float | timedelta, shown: str) -> None:
    with pytest.raises(ConfigError, match="is negative") as refused:
        parse_duration(value)

    assert f"The duration {shown} is negative." in str(refused.value)


@pytest.mark.parametrize("value", ["1000000000d", "9" * 5_000 + "s", 1e300, 10**400], ids=lambda value: str(value)[:12])
def test_a_duration_beyond_what_python_can_hold_is_refused(value: str | float) -> None:
    with pytest.raises(ConfigError, match="is too long"):
        parse_duration(value)


@pytest.mark.parametrize("text", ["1h30m", "1.5h", "90s", "250ms", "100us", "7ns", "+5m", ".5s", "0"])
def test_a_go_duration_is_read(text: str) -> None:
    assert parse_go_duration(text) == parse_duration(text)


@pytest.mark.parametrize("text", ["", "90", "1.5", "2d", "1w", "1h2d", "5x", " 90s", "90s ", "1h30"])
def test_what_go_does_not_read_is_no_go_duration(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_go_duration(text)

    assert f'The duration "{text}" is not one that Go reads.' in str(refused.value)


def test_a_negative_go_duration_is_refused() -> None:
    with pytest.raises(ConfigError, match='The duration "-5s" is negative'):
        parse_go_duration("-5s")


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(microseconds=1), "0.001ms"),
        (timedelta(milliseconds=250), "250ms"),
        (timedelta(seconds=1), "1s"),
        (timedelta(seconds=1.5), "1.5s"),
        (timedelta(seconds=10), "10s"),
        (timedelta(seconds=90), "1m30s"),
        (timedelta(minutes=5), "5m"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(hours=24), "1d"),
        (timedelta(hours=36, milliseconds=20), "1d12h0.02s"),
        (timedelta(minutes=-5), "-5m"),
    ],
)
def test_a_duration_is_written_short(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@given(st.timedeltas(min_value=timedelta()))
def test_what_is_written_reads_back_as_the_same(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@given(st.text() | st.from_regex(r"[-+]?([0-9]{0,3}\.?[0-9]{0,3}[a-zµ ]{0,2}){1,4}", fullmatch=True))
def test_any_text_is_either_a_duration_or_refused_with_a_sentence(text: str) -> None:
    assert refusal(text) is None or f'The duration "{text}"' in str(refusal(text))


def refusal(text: str) -> ConfigError | None:
    try:
        assert parse_duration(text) >= timedelta()
    except ConfigError as refused:
        return refused
    return None
