"""Cursors are the text that Go's clients write, byte for byte (spec/river-conformance.md 2.5)."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import UTC, datetime

import pytest

from ferryman.errors import ConfigError
from ferryman.job import Job, JobRef, State
from ferryman.storage.filters import JobFilter, JobOrder
from ferryman.storage.river import cursors
from ferryman.storage.river.cursors import Place
from storage.samples import NOW

AT = datetime(2099, 1, 1, 0, 0, 1, 120_000, tzinfo=UTC)


def job(**said: object) -> Job:
    usual = {"ref": JobRef("7"), "kind": "a<>&~~~", "args": b"{}", "state": State.SCHEDULED, "attempt": 0}
    return Job(**{**usual, "max_attempts": 25, "queue": "default", "scheduled_at": AT, **said})  # type: ignore[arg-type]


def test_a_cursor_has_gos_members_order_escapes_and_alphabet() -> None:
    text = cursors.behind(job(), JobFilter(), JobOrder(by="scheduled_at"))

    assert urlsafe_b64decode(text).decode() == (
        r'{"id":7,"kind":"a\u003c\u003e\u0026~~~","queue":"default","sort_field":"scheduled_at",'
        '"time":"2099-01-01T00:00:01.12Z"}'
    )
    assert "-" in text


@pytest.mark.parametrize("by", ["id", "time"])
def test_a_cursor_without_a_time_has_gos_zero_time(by: str) -> None:
    text = cursors.behind(job(), JobFilter(states=(State.CANCELLED,)), JobOrder(by=by))  # type: ignore[arg-type]

    assert f'"sort_field":"{by}","time":"0001-01-01T00:00:00Z"' in urlsafe_b64decode(text).decode()
    assert cursors.read(text).at is None


def test_a_cursor_is_read_in_either_alphabet() -> None:
    text = cursors.behind(job(), JobFilter(), JobOrder(by="scheduled_at"))

    assert cursors.read(text) == cursors.read(text.replace("-", "+").replace("_", "/")) == Place(7, AT)


@pytest.mark.parametrize("text", ["", "7", "tomorrow", "e30=", "eyJpZCI6ICI3In0="])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="cursor"):
        cursors.read(text)


@pytest.mark.parametrize(
    ("states", "column"),
    [
        ((), "scheduled_at"),
        ((State.AVAILABLE, State.COMPLETED), "scheduled_at"),
        ((State.RUNNING,), "attempted_at"),
        ((State.DISCARDED, State.AVAILABLE), "finalized_at"),
    ],
)
def test_the_first_state_decides_by_which_time(states: tuple[State, ...], column: str) -> None:
    assert cursors.column(JobFilter(states=states, since=NOW), JobOrder(by="time"))[0] == column
