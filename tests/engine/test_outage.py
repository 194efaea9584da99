"""What does not work is said once, and once that it works again, however often it is tried."""

from __future__ import annotations

import pytest

from ferryman.engine.outage import Outage, Report
from ferryman.errors import StorageError, StorageUnavailable
from ferryman.events import ServiceBack, ServiceFailed, StorageBack, StorageLost
from ferryman.testing import FakeClock, Recorder

AWAY = StorageUnavailable("It is away.")


def test_an_outage_is_told_once_and_so_is_its_end(outage: Outage, clock: FakeClock, seen: Recorder) -> None:
    for _ in range(3):
        outage.lost(AWAY, outage.turn)
    for _ in range(3):
        outage.over(outage.turn)

    assert seen.events == [StorageLost(AWAY), StorageBack(clock.now())]


def test_what_was_asked_before_an_outage_ended_tells_of_no_second_one(
    outage: Outage, clock: FakeClock, seen: Recorder
) -> None:
    outage.lost(AWAY, outage.turn)
    during = outage.turn
    outage.over(during)
    outage.lost(AWAY, during)

    assert seen.events == [StorageLost(AWAY), StorageBack(clock.now())]


def test_an_answer_from_before_an_outage_does_not_end_it(outage: Outage, seen: Recorder) -> None:
    before = outage.turn
    outage.lost(AWAY, before)
    outage.over(before)

    assert outage.lasts
    assert seen.events == [StorageLost(AWAY)]


def test_a_service_that_keeps_failing_is_told_of_once_and_so_is_that_it_works(report: Report, seen: Recorder) -> None:
    report.works()
    for _ in range(3):
        report.failed(AWAY)
    for _ in range(3):
        report.works()

    assert seen.events == [ServiceFailed("cleaner", AWAY), ServiceBack("cleaner")]


def test_a_service_that_fails_in_another_way_is_told_of_again(report: Report, seen: Recorder) -> None:
    refused = StorageError("No.")
    report.failed(AWAY)
    report.failed(refused)

    assert seen.events == [ServiceFailed("cleaner", AWAY), ServiceFailed("cleaner", refused)]


def test_in_an_outage_no_service_says_that_the_storage_does_not_answer(
    outage: Outage, report: Report, seen: Recorder
) -> None:
    outage.lost(AWAY, outage.turn)
    report.failed(AWAY)
    report.works()

    assert seen.events == [StorageLost(AWAY)]


@pytest.mark.parametrize("error", [StorageError("No."), RuntimeError("a mistake of ours")])
def test_in_an_outage_everything_else_is_told_all_the_same(
    outage: Outage, report: Report, seen: Recorder, error: Exception
) -> None:
    outage.lost(AWAY, outage.turn)
    report.failed(error)

    assert seen.of(ServiceFailed) == [ServiceFailed("cleaner", error)]
