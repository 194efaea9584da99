"""Arguments are written in the bytes that Go's encoder writes (spec/river.md 3.5)."""

from __future__ import annotations

import dataclasses
import enum
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferryman import gojson
from ferryman.errors import InvalidJob

scalars = st.none() | st.booleans() | st.integers() | st.text()
floats = st.floats(allow_nan=False, allow_infinity=False)
names = st.text() | st.sampled_from(["<", "a&b", "\u2028", 'quo"te', "back\\slash"])


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20)


@given(nested(scalars))
def test_what_is_written_reads_back_as_the_same_value(value: Any) -> None:
    assert json.loads(gojson.encode(value)) == value


@given(nested(st.none() | st.text() | floats))
def test_floats_read_back_as_the_same_floats(value: Any) -> None:
    # Go writes 1.0 as 1, so a reader that knows no types would take it for a whole number.
    assert json.loads(gojson.encode(value), parse_int=float) == value


@given(nested(scalars | st.sampled_from(["<b>&amp;</b>", "\u2028\u2029", "\x00\b\f\x1f\x7f", "é😀/\\"])))
def test_the_short_way_and_the_exact_writer_agree(value: Any) -> None:
    # A fraction anywhere sends the whole value to the exact writer.
    assert gojson.encode([value, 0.5]) == b"[" + gojson.encode(value) + b",0.5]"


@given(nested(scalars))
def test_no_character_is_left_that_go_escapes(value: Any) -> None:
    text = gojson.encode(value).decode()
    assert not set(text) & set("<>&\u2028\u2029")


@given(floats)
def test_a_float_has_shortest_digits_and_an_exponent_only_outside_gos_limits(value: float) -> None:
    text = gojson.encode(value).decode()

    plain = value == 0 or 1e-6 <= abs(value) < 1e21
    assert float(text) == value
    assert text.startswith("-") == repr(value).startswith("-")
    assert ("e" in text) is not plain
    assert not text.endswith(".0")
    assert "e-0" not in text
    assert "e+0" not in text
    assert significant(text) == significant(repr(value))


def significant(number: str) -> str:
    """Return a number's digits without sign, point, exponent and the zeros around them."""
    return number.lstrip("-").split("e")[0].removesuffix(".0").replace(".", "").strip("0")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (999999999999999900000.0, "999999999999999900000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (-1.5e-9, "-1.5e-9"),
        (-0.0, "-0"),
        (0.0, "0"),
        (1.0, "1"),
        (1.1, "1.1"),
        (1e-7, "1e-7"),
        (1e-6, "0.000001"),
        (0.00001234, "0.00001234"),
        (5e-324, "5e-324"),
        (0.1, "0.1"),
        (1e16, "10000000000000000"),
        (-1e16, "-10000000000000000"),
        (1e100, "1e+100"),
        (1.5e-10, "1.5e-10"),
    ],
)
def test_a_float_is_written_as_go_writes_it(value: float, text: str) -> None:
    assert gojson.encode(value) == text.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<a href='x'>&", r'"\u003ca href=' + r"'x'\u003e\u0026" + '"'),
        ("line\u2028paragraph\u2029end", r'"line\u2028paragraph\u2029end"'),
        ("é😀 ", '"é😀 "'),
        ("\u2027\u202a\ufffd", '"\u2027\u202a\ufffd"'),
        ("\b\f\n\r\t\x00\x01\x1f", r'"\b\f\n\r\t\u0000\u0001\u001f"'),
        ("\x7f/", '"\x7f/"'),
        ('"\\', r'"\"\\"'),
        ("half \ud83d of a pair", r'"half \ufffd of a pair"'),
    ],
)
def test_text_is_escaped_where_go_escapes_and_nowhere_else(value: str, text: str) -> None:
    assert gojson.encode(value) == text.encode()
    assert gojson.quote(value) == text


def test_half_a_pair_in_a_name_is_replaced_too() -> None:
    assert gojson.encode({"\udc80": 1, "x": 0.5}) == rb'{"\ufffd":1,"x":0.5}'
    assert gojson.encode({"\udc80": 1}) == rb'{"\ufffd":1}'


@pytest.mark.parametrize("value", [2**63, 2**64, -(2**63) - 1, 10**40])
def test_a_whole_number_may_have_any_size(value: int) -> None:
    assert gojson.encode({"n": value}) == b'{"n":%d}' % value
    assert gojson.encode({"n": value, "x": 0.5}) == b'{"n":%d,"x":0.5}' % value


def test_names_keep_their_order_and_there_is_no_white_space() -> None:
    assert gojson.encode({"b": [1, None], "a": {"z": True, "y": False}}) == (b'{"b":[1,null],"a":{"z":true,"y":false}}')
    assert gojson.encode({"b": (0.5,), "a": {"z": True, "y": {}}}) == b'{"b":[0.5],"a":{"z":true,"y":{}}}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 500_000, UTC), "2026-01-02T03:04:05.5Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 123_456, UTC), "2026-01-02T03:04:05.123456Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 120_000, UTC), "2026-01-02T03:04:05.12Z"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 50, tzinfo=UTC), "2026-01-02T03:04:50Z"),
        (datetime(2026, 7, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))), "2026-07-01T00:00:00+05:30"),
        (datetime(2026, 7, 1, tzinfo=timezone(-timedelta(hours=3, minutes=30))), "2026-07-01T00:00:00-03:30"),
        (datetime(2026, 7, 1, tzinfo=ZoneInfo("America/New_York")), "2026-07-01T00:00:00-04:00"),
        (datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/London")), "2026-01-01T00:00:00Z"),
        (datetime(99, 1, 1, tzinfo=UTC), "0099-01-01T00:00:00Z"),
    ],
)
def test_a_time_keeps_its_offset_and_no_needless_fraction(value: datetime, text: str) -> None:
    assert gojson.encode({"at": value}) == f'{{"at":"{text}"}}'.encode()


class Colour(enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    LARGE = 3


@dataclasses.dataclass
class Point:
    y: float
    x: int


class Line(msgspec.Struct):
    at: datetime
    points: list[Point]
    paid: bool | None = None


LINES = '[{"at":"2026-01-02T00:00:00Z","points":[{"y":0.1,"x":1}],"paid":null}]'


class Model:
    """Stands for a pydantic model, which is known by its `model_dump`."""

    def model_dump(self, *, by_alias: bool) -> dict[str, Any]:
        return {"fromField": Colour.RED} if by_alias else {"from_field": Colour.RED}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Point(1.0, 2), '{"y":1,"x":2}'),
        ([Line(datetime(2026, 1, 2, tzinfo=UTC), [Point(0.1, 1)])], LINES),
        (Colour.RED, '"red"'),
        ({Size.LARGE: Size.LARGE}, '{"3":3}'),
        (UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        ({1: "a"}, '{"1":"a"}'),
        ({UUID(int=7): "<"}, r'{"00000000-0000-0000-0000-000000000007":"\u003c"}'),
        (Decimal("1.10"), '"1.10"'),
        (date(2026, 1, 2), '"2026-01-02"'),
        (b"\x00\x01\xfe", '"AAH+"'),
        (frozenset({1}), "[1]"),
        (Model(), '{"fromField":"red"}'),
        ({"model": Model()}, '{"model":{"fromField":"red"}}'),
    ],
)
def test_pythons_own_values_travel_as_msgspec_understands_them(value: Any, text: str) -> None:
    assert gojson.encode(value) == text.encode()


def ring() -> list[Any]:
    around: list[Any] = []
    around.append(around)
    return around


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"x": float("inf")}, "inf is no number in JSON"),
        ([float("-inf")], "-inf is no number"),
        (Point(float("nan"), 1), "nan is no number"),
        ({None: 1}, "keys"),
        ({(1, 2): 1}, "keys"),
        ({"a": {True: 1}}, "keys"),
        ({datetime(2026, 1, 2, tzinfo=UTC): 1}, "keys"),
        ({"at": datetime(2026, 1, 2)}, "2026-01-02 00:00:00 has no time zone"),  # noqa: DTZ001
        ({"x": 1j}, "1j is a complex"),
        (ring(), "recursion"),
        pytest.param(10**5000, "4300 digits", id="5000 digits"),  # more than Python prints
    ],
)
def test_what_cannot_travel_is_refused_with_the_reason(value: Any, reason: str) -> None:
    with pytest.raises(InvalidJob, match=reason):
        gojson.encode(value)


def test_what_is_json_already_goes_in_as_it_is() -> None:
    raw = msgspec.Raw(b"123456789012345678901234567890")

    assert gojson.encode({"a": raw, "b": [msgspec.Raw(b"1e400"), "<"]}) == (
        rb'{"a":123456789012345678901234567890,"b":[1e400,"\u003c"]}'
    )
