"""Times in every shape that River's writers leave on SQLite (spec/river.md 9)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tables import change

from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.river.times import json_time, parse_time, text_time
from storage._sync.acts import store, take
from storage.samples import later

WHOLE = datetime(2026, 8, 7, 16, 39, 17, tzinfo=UTC)

SHAPES = [
    ("2026-08-07 16:39:17.123", WHOLE.replace(microsecond=123_000)),
    ("2026-08-07 16:39:17.12", WHOLE.replace(microsecond=120_000)),
    ("2026-08-07 16:39:17", WHOLE),
    ("2026-08-07 16:39:17.123456789 +0000 UTC", WHOLE.replace(microsecond=123_456)),
    ("2026-08-07 18:39:17.5 +0200 CEST", WHOLE.replace(microsecond=500_000)),
    ("2026-08-07 12:39:17.123456789 -0400 EDT m=+0.100000001", WHOLE.replace(microsecond=123_456)),
    ("2026-08-07T16:39:17Z", WHOLE),
    ("2026-08-07T16:39:17.12Z", WHOLE.replace(microsecond=120_000)),
    ("2026-08-07T16:39:17.123456789Z", WHOLE.replace(microsecond=123_456)),
    ("2026-08-07T18:39:17.5+02:00", WHOLE.replace(microsecond=500_000)),
    (int(WHOLE.timestamp()), WHOLE),
    (WHOLE.timestamp() + 0.5, WHOLE.replace(microsecond=500_000)),
]


@pytest.mark.parametrize(("stored", "meant"), SHAPES)
def test_a_time_is_read_in_any_shape(stored, meant: datetime) -> None:
    assert parse_time(stored) == meant


@pytest.mark.parametrize(("stored", "meant"), SHAPES)
def test_a_job_with_such_times_is_taken_and_looked_at(storage: SqliteStorage, db, stored, meant: datetime) -> None:
    ref = store(storage)
    change(db, ref, scheduled_at=stored, created_at=stored, attempted_at=stored)

    job = storage.jobs.get(ref)
    (taken,) = take(storage, now=later(days=365))

    assert job.scheduled_at == job.created_at == job.attempted_at == meant
    assert taken.scheduled_at == taken.created_at == meant


@pytest.mark.parametrize("text", ["", "yesterday", "16:39:17", "2026-08-07", "2026-13-07 16:39:17.123"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)


@pytest.mark.parametrize(
    ("microsecond", "column", "json"),
    [
        (0, "2026-08-07 16:39:17.000", "2026-08-07T16:39:17Z"),
        (500_000, "2026-08-07 16:39:17.500", "2026-08-07T16:39:17.5Z"),
        (123_456, "2026-08-07 16:39:17.123", "2026-08-07T16:39:17.123456Z"),
        (999_999, "2026-08-07 16:39:18.000", "2026-08-07T16:39:17.999999Z"),
    ],
)
def test_a_time_is_written_for_columns_and_for_json(microsecond: int, column: str, json: str) -> None:
    at = WHOLE.replace(microsecond=microsecond)

    assert (text_time(at), json_time(at)) == (column, json)
