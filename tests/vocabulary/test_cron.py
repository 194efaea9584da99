"""Cron lines: when they fire, across clock changes too, and which are refused."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferryman.cron import Cron, Interval, Schedule
from ferryman.errors import ConfigError

GOLDENS = Path(__file__).parents[2].parent / "shared/vectors/river-official/js-testdata/cron-goldens.json"

FRIDAY = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)


def following(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """Return up to `count` times, each asked for with the one before."""
    found: list[datetime] = []
    while len(found) < count and (moment := schedule.next(found[-1] if found else after)):
        found.append(moment)
    return found


def texts(moments: list[datetime]) -> list[str]:
    """Write times as the goldens do: RFC 3339, Z for UTC."""
    return [moment.isoformat().replace("+00:00", "Z") for moment in moments]


def zoned(moments: list[datetime], name: str) -> list[str]:
    """Write times as a clock on the wall in that zone shows them."""
    return [f"{moment.astimezone(ZoneInfo(name)):%Y-%m-%d %H:%M %z}" for moment in moments]


# The goldens of River's own suite, where they are at hand.


def goldens(part: str) -> list[Any]:
    if not GOLDENS.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="River's cron goldens are not here"))]
    cases = json.loads(GOLDENS.read_text())[part]
    return [pytest.param(case, id=case["name"] if isinstance(case, dict) else case or "empty") for case in cases]


@pytest.mark.parametrize("case", goldens("cron_cases") + goldens("cron_named_zone_cases"))
def test_a_line_fires_when_river_says(case: dict[str, Any]) -> None:
    schedule = Cron.parse(case["expression"], tz="Local")

    found = following(schedule, datetime.fromisoformat(case["from"]), 5)

    assert texts(found) == case["next"]


@pytest.mark.parametrize("line", goldens("cron_invalid"))
def test_what_river_refuses_is_refused(line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Cron.parse(line)

    assert f'"{line}"' in str(refused.value)


# What the fields mean.

FIRST_THREE = {
    "* * * * *": ["01-02 03:05", "01-02 03:06", "01-02 03:07"],
    "*/25 * * * *": ["01-02 03:25", "01-02 03:50", "01-02 04:00"],
    "50/3 * * * *": ["01-02 03:50", "01-02 03:53", "01-02 03:56"],
    "7-9/2 3 * * *": ["01-02 03:07", "01-02 03:09", "01-03 03:07"],
    "05 04 * * *": ["01-02 04:05", "01-03 04:05", "01-04 04:05"],
    "1,,30, 3 * * *": ["01-02 03:30", "01-03 03:01", "01-03 03:30"],
    "0 9 * * MON-Wed": ["01-05 09:00", "01-06 09:00", "01-07 09:00"],
    "0 9 * * sat,0": ["01-03 09:00", "01-04 09:00", "01-10 09:00"],
    "0 0 1 Feb,4-12/4 *": ["02-01 00:00", "04-01 00:00", "08-01 00:00"],
    "0 0 31 * *": ["01-31 00:00", "03-31 00:00", "05-31 00:00"],
    "? ? ? ? ?": ["01-02 03:05", "01-02 03:06", "01-02 03:07"],
    "*/100 * * * *": ["01-02 04:00", "01-02 05:00", "01-02 06:00"],
    "\t0\t9  * * 1 ": ["01-05 09:00", "01-12 09:00", "01-19 09:00"],
    " @daily ": ["01-03 00:00", "01-04 00:00", "01-05 00:00"],
    "@hourly": ["01-02 04:00", "01-02 05:00", "01-02 06:00"],
    "@weekly": ["01-04 00:00", "01-11 00:00", "01-18 00:00"],
    "@monthly": ["02-01 00:00", "03-01 00:00", "04-01 00:00"],
}


@pytest.mark.parametrize(("line", "times"), FIRST_THREE.items(), ids=FIRST_THREE)
def test_a_line_fires_at_these_times(line: str, times: list[str]) -> None:
    found = following(Cron.parse(line), FRIDAY, 3)

    assert [f"{moment:%m-%d %H:%M}" for moment in found] == times


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ("0 0 13 * 5", [2, 9, 13, 16, 23, 30]),  # both restricted: either
        ("0 0 1-31 * 5", list(range(2, 32))),  # a full range is still a restriction
        ("0 0 * * 5", [2, 9, 16, 23, 30]),
        ("0 0 13 * *", [13]),
        ("0 0 13 * ?", [13]),
        ("0 0 13 * */1", [13]),  # every one-th is every one
        ("0 0 */10 * 5", [2, 9, 11, 16, 21, 23, 30, 31]),  # every tenth is a restriction
        ("0 0 13,* * 5", [2, 9, 16, 23, 30]),  # a star anywhere in the list is a star
    ],
)
def test_two_restricted_day_fields_match_when_either_does(line: str, days: list[int]) -> None:
    found = following(Cron.parse(line), datetime(2026, 1, 1, tzinfo=UTC), 31)

    assert [moment.day for moment in found if moment.month == 1 and moment.year == 2026] == days


def test_the_next_time_is_strictly_after() -> None:
    on_the_dot = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)
    schedule = Cron.parse("0 9 * * *")

    assert schedule.next(on_the_dot - timedelta(microseconds=1)) == on_the_dot
    assert schedule.next(on_the_dot) == on_the_dot + timedelta(days=1)
    assert schedule.next(on_the_dot + timedelta(microseconds=1)) == on_the_dot + timedelta(days=1)


@pytest.mark.parametrize("line", ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", ", * * * *", "* , * * *"])
def test_a_date_that_never_comes_never_fires(line: str) -> None:
    assert Cron.parse(line).next(FRIDAY) is None


def test_the_search_ends_with_the_fifth_year_ahead() -> None:
    leap_day = Cron.parse("0 0 29 2 *")

    # 2100 is no leap year, so 2104 is the next after 2096.
    assert leap_day.next(datetime(2098, 12, 31, tzinfo=UTC)) is None
    assert leap_day.next(datetime(2099, 1, 1, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("line", ["0 0 29 2 *", "0 0 30 2 *", "59 23 31 12 *", "* * * * *"])
def test_the_next_time_is_found_without_walking_there(line: str) -> None:
    schedule = Cron.parse(f"TZ=Europe/Berlin {line}")

    assert min(seconds_taken(schedule) for _ in range(20)) < 0.001


def seconds_taken(schedule: Schedule) -> float:
    start = perf_counter()
    schedule.next(FRIDAY)
    return perf_counter() - start


# Zones and clock changes.


def test_a_prefix_wins_over_the_zone_that_is_given() -> None:
    nine_in_berlin = datetime(2026, 1, 2, 8, tzinfo=UTC)

    for line in (
        "TZ=Europe/Berlin 0 9 * * *",
        "CRON_TZ=Europe/Berlin   0 9 * * *",
        " TZ=Europe/Berlin 0 9 * * *",
    ):
        assert Cron.parse(line, tz="Asia/Tokyo").next(FRIDAY) == nine_in_berlin
    assert Cron.parse("0 9 * * *", tz="Europe/Berlin").next(FRIDAY) == nine_in_berlin


def test_an_empty_prefix_is_utc_as_in_go() -> None:
    assert Cron.parse("TZ= 0 9 * * *", tz="Asia/Tokyo").next(FRIDAY) == datetime(2026, 1, 2, 9, tzinfo=UTC)


def test_without_a_zone_the_fields_are_in_utc_whatever_the_zone_of_the_question() -> None:
    found = Cron.parse("0 9 * * *").next(FRIDAY.astimezone(ZoneInfo("Asia/Tokyo")))

    assert found is not None
    assert found.isoformat() == "2026-01-02T18:00:00+09:00"


@pytest.mark.parametrize("line", ["0 9 * * *", "TZ=Local 0 9 * * *"])
def test_local_is_the_zone_of_the_question(line: str) -> None:
    india = timezone(timedelta(hours=5, minutes=30))

    found = Cron.parse(line, tz="Local").next(FRIDAY.astimezone(india))

    assert found == datetime(2026, 1, 2, 9, tzinfo=india)


class Change(NamedTuple):
    """What a line does around a clock change, as the wall shows it."""

    what: str
    zone: str
    line: str
    after: str
    times: list[str]


CHANGES = [
    Change(
        "a skipped time does not fire",
        "Europe/Berlin",
        "30 2 * * *",
        "2026-03-28T00:00Z",
        ["2026-03-28 02:30 +0100", "2026-03-30 02:30 +0200", "2026-03-31 02:30 +0200"],
    ),
    Change(
        "a repeated time fires twice",
        "Europe/Berlin",
        "30 2 * * *",
        "2026-10-24T12:00Z",
        ["2026-10-25 02:30 +0200", "2026-10-25 02:30 +0100", "2026-10-26 02:30 +0100"],
    ),
    Change(
        "a repeated time fires again when asked between the two",
        "Europe/Berlin",
        "30 2 25 10 *",
        "2026-10-25T00:45Z",
        ["2026-10-25 02:30 +0100", "2027-10-25 02:30 +0200"],
    ),
    Change(
        "the day after a repeated time, asked in the second hour",
        "Europe/Berlin",
        "30 2 26 10 *",
        "2026-10-25T01:10Z",
        ["2026-10-26 02:30 +0100", "2027-10-26 02:30 +0200"],
    ),
    Change(
        "every half hour goes on through a skip",
        "Europe/Berlin",
        "*/30 * * * *",
        "2026-03-29T00:00Z",
        ["2026-03-29 01:30 +0100", "2026-03-29 03:00 +0200", "2026-03-29 03:30 +0200"],
    ),
    Change(
        "every half hour goes on through a repetition",
        "Europe/Berlin",
        "*/30 * * * *",
        "2026-10-25T00:00Z",
        [
            "2026-10-25 02:30 +0200",
            "2026-10-25 02:00 +0100",
            "2026-10-25 02:30 +0100",
            "2026-10-25 03:00 +0100",
        ],
    ),
    Change(
        "a skipped midnight does not fire, the day's other times do",
        "America/Santiago",
        "0 0,12 * * *",
        "2026-09-05T12:00Z",
        ["2026-09-05 12:00 -0400", "2026-09-06 12:00 -0300", "2026-09-07 00:00 -0300"],
    ),
    Change(
        "a change of half an hour",
        "Australia/Lord_Howe",
        "45 1 * * *",
        "2026-04-04T00:00Z",
        ["2026-04-05 01:45 +1100", "2026-04-05 01:45 +1030", "2026-04-06 01:45 +1030"],
    ),
    Change(
        "the hour after a repeated half hour",
        "Australia/Lord_Howe",
        "0 2 * * *",
        "2026-04-04T00:00Z",
        ["2026-04-05 02:00 +1030", "2026-04-06 02:00 +1030"],
    ),
    Change(
        "a repetition that begins on the day before",
        "America/St_Johns",
        "0,30 0,23 7 11 *",
        "2010-11-07T02:00Z",
        [
            "2010-11-07 00:00 -0230",
            "2010-11-07 00:00 -0330",
            "2010-11-07 00:30 -0330",
            "2010-11-07 23:00 -0330",
        ],
    ),
    Change(
        "a day that an island left out",
        "Pacific/Apia",
        "30 8 * 12 *",
        "2011-12-28T00:00Z",
        ["2011-12-28 08:30 -1000", "2011-12-29 08:30 -1000", "2011-12-31 08:30 +1400"],
    ),
    Change(
        "a yearly time on the day after the one that an island left out",
        "Pacific/Apia",
        "30 8 31 12 *",
        "2011-06-01T00:00Z",
        ["2011-12-31 08:30 +1400", "2012-12-31 08:30 +1400"],
    ),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_clock_changes_are_those_of_the_zone(change: Change) -> None:
    schedule = Cron.parse(change.line, tz=change.zone)

    found = following(schedule, datetime.fromisoformat(change.after), len(change.times))

    assert zoned(found, change.zone) == change.times


# What is refused, and how.

REFUSED = {
    "": "has 0 instead of five fields",
    "0 9 * *": "has 4 instead of five fields",
    "0 0 9 * * *": "There is no field for seconds; @every 30s may do.",
    "60 * * * *": 'has the minute "60", but there is no "60". The minute takes 0 to 59:',
    "* 24 * * *": 'has the hour "24", but there is no "24". The hour takes 0 to 23:',
    "* * 0 * *": 'has the day of month "0", but there is no "0". The day of month takes 1 to 31:',
    "* * L * *": 'has the day of month "L", but there is no "L".',
    "* * 1W * *": 'there is no "1W"',
    "* * * 13 *": 'has the month "13", but there is no "13". The month takes 1 to 12 or jan to dec:',
    "* * * mon *": 'there is no "mon"',
    "* * * january *": 'there is no "january"',
    "0 9 * * 7": 'there is no "7". The day of week takes 0 to 6 or sun to sat, where Sunday is 0:',
    "0 9 * * 5-7": 'has the day of week "5-7", but there is no "7"',
    "0 9 * * 1#2": 'there is no "1#2"',
    "jan * * * *": 'has the minute "jan", but there is no "jan"',
    "1,2,60,3 * * * *": 'has the minute "1,2,60,3", but there is no "60"',
    "-1 * * * *": 'there is no "-1"',
    "1- * * * *": 'there is no "1-"',
    "+1 * * * *": 'there is no "+1"',
    "1_0 * * * *": 'there is no "1_0"',
    "٣ * * * *": 'there is no "٣"',
    "99999999999999999999 * * * *": 'there is no "99999999999999999999"',
    "*-5 * * * *": 'there is no "*"',
    "** * * * *": 'there is no "**"',
    "5-1 * * * *": '"5-1" runs backwards',
    "0 9 * * fri-mon": '"fri-mon" runs backwards',
    "1-2-3 * * * *": 'there is no "2-3"',
    "*/0 * * * *": 'the step of "*/0" is not a number of 1 or more',
    "*/ * * * *": 'the step of "*/" is not a number of 1 or more',
    "*/-2 * * * *": 'the step of "*/-2" is not a number of 1 or more',
    "1/2/3 * * * *": 'the step of "1/2/3" is not a number of 1 or more',
    "0 9 */mon * *": 'the step of "*/mon" is not a number of 1 or more',
    "@reboot": "There are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, and @every",
    "@Daily": "begins with a name that does not exist",
    "@daily 5": "begins with a name that does not exist",
    "@everyday": "begins with a name that does not exist",
    "@every": 'names no usable interval. The duration "" is not one that Go reads.',
    "@every 90": 'The duration "90" is not one that Go reads.',
    "@every 2d": 'The duration "2d" is not one that Go reads.',
    "@every -5s": 'The duration "-5s" is negative.',
    "TZ=Nowhere/Land @daily": 'The time zone in the cron line "TZ=Nowhere/Land @daily" is "Nowhere/Land"',
    "TZ=../UTC 0 9 * * *": 'is "../UTC", which this machine does not know',
    "TZ=America 0 9 * * *": 'is "America", which this machine does not know',
    f"TZ={'a' * 300} @daily": "which this machine does not know",
    "TZ=Nowhere @every 1m": 'is "Nowhere", which this machine does not know',
    "TZ=UTC": "ends after its time zone",
    "CRON_TZ=UTC@daily": "ends after its time zone",
    "TZ=UTC ": "ends after its time zone",
}


@pytest.mark.parametrize(("line", "sentence"), REFUSED.items(), ids=REFUSED)
def test_a_wrong_line_is_refused_with_the_line_and_what_is_allowed(line: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Cron.parse(line)

    assert f'ron line "{line}"' in str(refused.value)
    assert sentence in str(refused.value)


def test_a_wrong_zone_beside_the_line_is_refused() -> None:
    with pytest.raises(ConfigError, match='The time zone of the cron line "@daily" is "Berlin"'):
        Cron.parse("@daily", tz="Berlin")


@pytest.mark.parametrize("line", ["@daily", "@every 1m"])
def test_a_time_without_a_zone_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match="The time 2026-01-02 03:04:05 has no time zone"):
        Cron.parse(line).next(datetime(2026, 1, 2, 3, 4, 5))  # noqa: DTZ001


@given(st.text() | st.text(alphabet="0123456789*?/-,@ TZ=monfeb", max_size=20))
def test_any_text_is_either_a_schedule_or_refused(line: str) -> None:
    with suppress(ConfigError):
        Cron.parse(line).next(FRIDAY)


# Intervals.


@pytest.mark.parametrize(
    ("line", "delay"),
    [
        ("@every 90s", timedelta(seconds=90)),
        ("@every 1h30m", timedelta(minutes=90)),
        ("@every 1500ms", timedelta(seconds=1)),
        ("@every 10ms", timedelta(seconds=1)),
        ("@every 0", timedelta(seconds=1)),
        ("TZ=Europe/Berlin @every 1m", timedelta(minutes=1)),
    ],
)
def test_every_is_an_interval_of_whole_seconds_and_at_least_one(line: str, delay: timedelta) -> None:
    assert Cron.parse(line) == Interval(delay)


def test_an_interval_counts_real_time_from_the_second_it_is_asked_in() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before_the_change = datetime(2026, 3, 29, 1, 59, 59, 900_000, tzinfo=berlin)

    found = Interval(timedelta(seconds=2.9)).next(before_the_change)

    assert found is not None
    assert found.isoformat() == "2026-03-29T03:00:01+02:00"


def test_an_interval_beyond_the_calendar_never_comes() -> None:
    assert Cron.parse("@every 99999999h").next(FRIDAY) is None


# The same, against a slow second opinion.


class Field(NamedTuple):
    """A field as text, with what it means."""

    text: str
    values: frozenset[int]
    star: bool


class Line(NamedTuple):
    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field

    def matches(self, wall: datetime) -> bool:
        by_date = wall.day in self.day.values
        by_weekday = (wall.weekday() + 1) % 7 in self.weekday.values
        starred = self.day.star or self.weekday.star
        return (
            wall.minute in self.minute.values
            and wall.hour in self.hour.values
            and wall.month in self.month.values
            and ((by_date and by_weekday) if starred else (by_date or by_weekday))
        )


def items(low: int, high: int) -> st.SearchStrategy[Field]:
    value = st.integers(low, high)
    step = st.integers(1, high + 2)
    span = st.tuples(value, value).map(sorted)
    return st.one_of(
        st.sampled_from("*?").map(lambda star: Field(star, frozenset(range(low, high + 1)), True)),
        step.map(lambda n: Field(f"*/{n}", frozenset(range(low, high + 1, n)), n == 1)),
        value.map(lambda a: Field(f"{a}", frozenset([a]), False)),
        span.map(lambda ab: Field(f"{ab[0]}-{ab[1]}", frozenset(range(ab[0], ab[1] + 1)), False)),
        st.builds(
            lambda ab, n: Field(f"{ab[0]}-{ab[1]}/{n}", frozenset(range(ab[0], ab[1] + 1, n)), False),
            span,
            step,
        ),
        st.builds(lambda a, n: Field(f"{a}/{n}", frozenset(range(a, high + 1, n)), False), value, step),
    )


def fields(low: int, high: int) -> st.SearchStrategy[Field]:
    return st.lists(items(low, high), min_size=1, max_size=3).map(
        lambda some: Field(
            ",".join(item.text for item in some),
            frozenset().union(*(item.values for item in some)),
            any(item.star for item in some),
        )
    )


LINES = st.builds(Line, fields(0, 59), fields(0, 23), fields(1, 31), fields(1, 12), fields(0, 6))

# Moments at which the clock was or will be changed, so that many questions fall near one.
CLOCK_CHANGES = {
    "UTC": "2026-12-31T23:59:59Z",
    "Asia/Kolkata": "2028-02-28T18:30Z",
    "America/New_York": "2026-03-08T07:00Z",
    "Europe/London": "2026-10-25T01:00Z",
    "America/Santiago": "2026-04-05T03:00Z",
    "Australia/Lord_Howe": "2026-04-04T15:00Z",
    "America/St_Johns": "2010-11-07T02:31Z",
    "Africa/Casablanca": "2026-03-22T01:00Z",
    "Pacific/Apia": "2011-12-30T10:00Z",
}
CLOSE = st.timedeltas(timedelta(hours=-2), timedelta(hours=2)) | st.timedeltas(timedelta(days=-2), timedelta(days=2))


@pytest.mark.slow
@settings(max_examples=300)
@given(LINES, st.sampled_from(sorted(CLOCK_CHANGES)), CLOSE)
def test_the_next_time_is_the_first_minute_that_matches(line: Line, name: str, distance: timedelta) -> None:
    zone = ZoneInfo(name)
    after = datetime.fromisoformat(CLOCK_CHANGES[name]) + distance

    found = Cron.parse(" ".join(field.text for field in line), tz=name).next(after)

    assert found is None or (found > after and line.matches(found.astimezone(zone)))
    minute = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
    end = min(found or datetime.max.replace(tzinfo=UTC), minute + timedelta(days=2))
    while minute < end:
        assert not line.matches(minute.astimezone(zone))
        minute += timedelta(minutes=1)


@given(LINES, st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_times_come_in_order_and_in_the_zone_of_the_question(line: Line, after: datetime) -> None:
    schedule = Cron.parse(" ".join(field.text for field in line), tz="Local")

    found = following(schedule, after, 5)

    assert all(moment.tzinfo is after.tzinfo and line.matches(moment) for moment in found)
    assert all(earlier.astimezone(UTC) < later.astimezone(UTC) for earlier, later in pairwise([after, *found]))
