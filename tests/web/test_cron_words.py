"""Schedules in words, and the times that come next."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ferryman.web.pages.cron_words import in_words, times_after

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("@every 1m", "every minute"),
        ("@every 90s", "every 1 m 30 s"),
        ("@daily", "every day, at midnight"),
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("0 * * * *", "every hour, on the hour"),
        ("30 2 * * *", "every day, at 02:30"),
        ("0 9 * * 1-5", "on weekdays, at 09:00"),
        ("0 9 * * 1", "every Monday, at 09:00"),
        ("0 4 1 * *", "on day 1 of every month, at 04:00"),
        ("CRON_TZ=Europe/Berlin 0 9 * * *", "every day, at 09:00, in Europe/Berlin"),
        ("0 9 1 1 *", ""),
        ("0 9 1 * 1", ""),
        ("1,2 3-5 * * *", ""),
        ("@every soon", ""),
        ("nonsense", ""),
    ],
)
def test_a_schedule_is_said_in_words_where_they_are_short(line: str, words: str) -> None:
    assert in_words(line) == words


@pytest.mark.parametrize(
    ("line", "times"),
    [
        ("0 * * * *", "14:00, 15:00, 16:00"),
        ("0 0 * * 1", "23 Nov 01:00, 30 Nov 01:00, 7 Dec 01:00"),
        ("@every 1m", ""),
        ("nonsense", ""),
    ],
)
def test_the_next_times_are_told_in_ones_own_zone(line: str, times: str) -> None:
    assert times_after(line, NOON, ZoneInfo("Europe/Berlin")) == times
