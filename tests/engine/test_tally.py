"""Counting what a worker does: in one note for each span, written again until it is there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.stage import Stage
from ferryman.admin._async.admin import AsyncAdmin
from ferryman.engine.tally import Tally
from ferryman.errors import StorageUnavailable
from ferryman.job import AttemptError, Job, JobRef, State
from ferryman.numbers import bucket, percentile
from ferryman.outcome import Completed, Discarded, Finished, Outcome, Released, Retry
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.testing import FakeClock


@pytest.fixture
def tally(stage: Stage, clock: FakeClock) -> Tally:
    return Tally(stage.storage, "w1", clock)


def ended(clock: FakeClock, outcome: Outcome, *, seconds: float = 0.1) -> tuple[Finished, float]:
    """Return a job whose first attempt ended like this, after two seconds in the queue."""
    now = clock.now()
    job = Job(
        ref=JobRef("1"),
        kind="mail",
        args=b"",
        state=State.RUNNING,
        attempt=1,
        max_attempts=3,
        queue="default",
        scheduled_at=now - timedelta(seconds=2),
        attempted_at=now,
    )
    return Finished(job, outcome), seconds


async def drawn(stage: Stage, clock: FakeClock, **window: float):
    async def opened() -> AsyncStorage:
        return stage.storage

    return await AsyncAdmin(opened).stats.series(timedelta(**window), now=clock.now())


async def test_attempts_are_counted_by_how_they_ended_how_long_they_ran_and_waited(
    stage: Stage, tally: Tally, clock: FakeClock
) -> None:
    why = AttemptError(clock.now(), 1, "no")
    outcomes = [Completed(None), Retry(clock.now(), why), Discarded(why), Released()]
    tally.count([ended(clock, each) for each in outcomes], [State.COMPLETED] * 4)
    tally.count([ended(clock, Completed(None))], [None])
    await clock.advance(10)
    await tally.tick()

    (line,) = (await drawn(stage, clock, minutes=15)).lines

    assert (line.total.ok, line.total.error, line.total.gave_up) == (1, 1, 1)
    assert 0.07 < (line.total.run_p50 or 0) < 0.15
    assert 1.4 < (line.total.wait_p95 or 0) < 2.9


async def test_each_window_sees_the_same_attempts(stage: Stage, tally: Tally, clock: FakeClock) -> None:
    for _ in range(7):
        tally.count([ended(clock, Completed(None))] * 40, [State.COMPLETED] * 40)
        await clock.advance(10)
        await tally.tick()

    windows = ({"minutes": 15}, {"hours": 1}, {"hours": 6}, {"hours": 24}, {"days": 7})
    totals = [(await drawn(stage, clock, **window)).lines[0].total.ok for window in windows]

    assert totals == [280] * 5


async def test_what_could_not_be_written_is_written_later_and_counts_once(
    stage: Stage, tally: Tally, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*said: object, **more: object) -> None:
        raise StorageUnavailable("The storage is away.")

    tally.count([ended(clock, Completed(None))], [State.COMPLETED])
    await clock.advance(10)
    with monkeypatch.context() as broken:
        broken.setattr(stage.storage.notebook, "write", away)
        with pytest.raises(StorageUnavailable):
            await tally.tick()

    await tally.tick()
    await tally.tick()

    assert (await drawn(stage, clock, minutes=15)).lines[0].total.ok == 1


async def test_at_the_end_what_is_left_is_written(stage: Stage, clock: FakeClock) -> None:
    async with Tally(stage.storage, "w1", clock) as tally:
        tally.count([ended(clock, Completed(None))], [State.COMPLETED])

    assert (await drawn(stage, clock, minutes=15)).lines[0].total.ok == 1


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.7, 3.0, 500.0])
def test_a_percentile_is_right_within_a_bucket(seconds: float) -> None:
    estimate = percentile({bucket(seconds): 10}, 50)

    assert estimate is not None
    assert seconds / 1.42 < estimate < seconds * 1.42


def test_no_time_at_all_and_years_have_a_bucket() -> None:
    assert bucket(-5) == bucket(0) < bucket(0.001)
    assert bucket(1e9) == bucket(1e12)
