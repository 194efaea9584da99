"""What the leader does: making due jobs available, taking back lost ones, deleting old ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import pytest

from engine.stage import Flaky, Stage
from ferryman.engine import cleaner as cleaning
from ferryman.engine import scheduler as scheduling
from ferryman.engine.cleaner import Cleaner
from ferryman.engine.rescuer import Rescuer
from ferryman.engine.scheduler import Scheduler
from ferryman.engine.strangers import Strangers
from ferryman.events import JobFinished, JobsCleaned, JobsRescued, JobsScheduled, UnknownKinds
from ferryman.job import Job, JobRef, NewJob, State
from ferryman.outcome import Cancelled, Completed, Discarded, Finished, Retry
from ferryman.storage.filters import JobFilter
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.values import Retention
from ferryman.task import Tasks
from ferryman.testing import FakeClock, Recorder


async def counts(stage: Stage) -> dict[State, int]:
    return dict(await stage.storage.jobs.count(JobFilter()))


# The scheduler


def scheduled(at: datetime) -> NewJob:
    return NewJob(kind="mail", state=State.SCHEDULED, scheduled_at=at)


async def test_a_job_that_is_due_becomes_available(stage: Stage, clock: FakeClock, seen: Recorder) -> None:
    await stage.store(scheduled(clock.now() + timedelta(minutes=1)), scheduled(clock.now() + timedelta(minutes=5)))
    scheduler = Scheduler(stage.storage, clock, seen.bus)

    await scheduler.tick()
    assert seen.events == []

    await clock.advance(60)
    await scheduler.tick()
    assert seen.events == [JobsScheduled(1)]
    assert await counts(stage) == {State.AVAILABLE: 1, State.SCHEDULED: 1}


async def test_everything_that_is_due_moves_in_one_tick(
    stage: Stage, clock: FakeClock, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "BATCH", 2)
    await stage.store(*[scheduled(clock.now())] * 5)

    await Scheduler(stage.storage, clock, seen.bus).tick()

    assert seen.events == [JobsScheduled(5)]


# The rescuer


def make_rescuer(
    stage: Stage,
    *,
    after: float = 3600,
    silent: float | None = None,
    timeout: float | None = 300,
    unknown: Literal["leave", "discard"] = "leave",
) -> Rescuer:
    quiet = None if silent is None else timedelta(seconds=silent)
    return Rescuer(
        stage.storage, stage.tasks, timedelta(seconds=after), quiet, timeout, unknown, stage.clock, stage.seen.bus
    )


async def lost(stage: Stage, job: NewJob, *, since: float = 7200) -> Job:
    """Store a job whose worker took it and died, this many seconds ago."""
    (id,) = await stage.store(job)
    await stage.take()
    await stage.clock.advance(since)
    return await stage.get(id)


@pytest.fixture
def mail(tasks: Tasks) -> Any:
    @tasks.task("mail", backoff="10m")
    async def mail() -> None: ...

    return mail


async def test_a_job_whose_worker_died_is_tried_again_once(stage: Stage, mail: Any, seen: Recorder) -> None:
    job = await lost(stage, mail.job())
    rescuer = make_rescuer(stage)

    await rescuer.tick()
    await rescuer.tick()

    assert seen.of(JobsRescued) == [JobsRescued(1)]
    stored = await stage.get(job.id)
    assert (stored.state, stored.attempt) == (State.RETRYABLE, 1)
    assert stored.scheduled_at == stage.clock.now() + timedelta(minutes=10)
    assert stored.error is not None
    assert stored.error.error == "Stuck job rescued by JobRescuer"


async def beat(stage: Stage, worker: str) -> None:
    info = WorkerInfo(id=worker, host="here", pid=1, started_at=stage.clock.now())
    await stage.storage.workers.beat(info, expires_in=timedelta(seconds=10), now=stage.clock.now())


async def test_a_job_is_tried_again_soon_after_its_worker_fell_silent(stage: Stage, mail: Any, seen: Recorder) -> None:
    await beat(stage, "ada")
    job = await lost(stage, mail.job(), since=31)  # for which its timeout is no matter

    await make_rescuer(stage).tick()
    assert seen.events == []

    rescuer = make_rescuer(stage, silent=30)
    for _ in range(2):
        await rescuer.tick()
    assert seen.of(JobsRescued) == [JobsRescued(1)]
    assert (await stage.get(job.id)).state is State.RETRYABLE


async def test_a_job_whose_worker_beats_may_take_its_time(stage: Stage, mail: Any, seen: Recorder) -> None:
    await lost(stage, mail.job(), since=3000)
    await beat(stage, "ada")

    await make_rescuer(stage, silent=30).tick()

    assert seen.events == []


async def test_silence_says_nothing_of_kinds_that_are_unknown_here(stage: Stage, seen: Recorder) -> None:
    await beat(stage, "ada")
    await lost(stage, NewJob(kind="elsewhere"), since=31)

    await make_rescuer(stage, silent=30, unknown="discard").tick()

    assert seen.events == []


async def test_a_job_that_runs_for_less_than_the_limit_is_left_alone(stage: Stage, mail: Any, seen: Recorder) -> None:
    await lost(stage, mail.job(), since=3500)

    await make_rescuer(stage).tick()

    assert seen.events == []


async def test_a_lost_job_without_attempts_left_is_discarded(stage: Stage, mail: Any) -> None:
    job = await lost(stage, mail.using(retries=0).job())

    await make_rescuer(stage).tick()

    assert (await stage.get(job.id)).state is State.DISCARDED


async def test_whoever_watches_failures_sees_lost_attempts_too_and_which_was_the_last(
    stage: Stage, mail: Any, seen: Recorder
) -> None:
    last = await lost(stage, mail.using(retries=0).job())
    first = await lost(stage, mail.job())

    await make_rescuer(stage).tick()

    told = {event.job.id: event for event in seen.of(JobFinished)}
    assert (told[last.id].job.last, told[first.id].job.last) == (True, False)
    assert (told[last.id].state, told[first.id].state) == (State.DISCARDED, State.RETRYABLE)
    assert type(told[last.id].outcome) is Discarded
    assert told[first.id].seconds == 7200.0


async def test_nothing_is_told_of_a_job_that_ended_while_it_was_being_taken_back(
    stage: Stage, mail: Any, seen: Recorder, flaky: Flaky
) -> None:
    job = await lost(stage, mail.job())

    async def ends(verb: str) -> None:
        if verb == "rescue":
            flaky.before = nothing
            await stage.storage.jobs.finish([Finished(job, Completed())], now=stage.clock.now())

    flaky.before = ends
    await make_rescuer(stage).tick()

    assert (await stage.get(job.id)).state is State.COMPLETED
    assert seen.events == []


async def nothing(verb: str) -> None: ...


async def test_a_lost_job_that_was_to_be_cancelled_is_cancelled(stage: Stage, mail: Any) -> None:
    job = await lost(stage, mail.job())
    await stage.storage.jobs.cancel(job.ref, now=stage.clock.now())

    await make_rescuer(stage).tick()

    assert (await stage.get(job.id)).state is State.CANCELLED


async def test_a_kind_that_is_unknown_here_is_left_to_those_who_know_it(
    stage: Stage, mail: Any, seen: Recorder
) -> None:
    job = await lost(stage, NewJob(kind="written-in-go"))
    known = await lost(stage, mail.job())

    await make_rescuer(stage).tick()

    assert (await stage.get(job.id)).state is State.RUNNING
    assert (await stage.get(known.id)).state is State.RETRYABLE
    assert seen.of(JobsRescued) == [JobsRescued(1)]


async def test_a_kind_that_is_unknown_here_is_discarded_when_it_is_told_so(stage: Stage) -> None:
    job = await lost(stage, NewJob(kind="written-in-go"))

    await make_rescuer(stage, unknown="discard").tick()

    assert (await stage.get(job.id)).state is State.DISCARDED


@pytest.mark.parametrize(
    ("settings", "task", "job", "since", "rescued"),
    [
        (300, None, None, 299, False),
        (300, None, None, 300, True),
        (300, 600, None, 599, False),
        (300, 600, None, 600, True),
        (300, 600, 900, 899, False),
        (300, 600, 900, 900, True),
        (300, 600, 60, 61, True),
        (300, None, 0, 86400, False),
        (None, None, None, 86400, False),
        (None, 600, None, 600, True),
    ],
)
async def test_no_job_is_rescued_before_its_own_time_is_up(
    stage: Stage, tasks: Tasks, settings: Any, task: Any, job: Any, since: float, rescued: bool
) -> None:
    @tasks.task("slow", **({} if task is None else {"timeout": task}))
    async def slow() -> None: ...

    found = await lost(stage, slow.using(**({} if job is None else {"timeout": job})).job(), since=since)

    await make_rescuer(stage, after=10, timeout=settings).tick()

    assert ((await stage.get(found.id)).state is not State.RUNNING) is rescued


async def test_more_lost_jobs_than_a_page_holds_are_all_rescued(
    stage: Stage, mail: Any, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.engine.rescuer.BATCH", 2)
    await stage.store(*[NewJob(kind="written-in-go")] * 3, *[mail.job()] * 5)
    await stage.take(8)
    await stage.clock.advance(7200)

    await make_rescuer(stage).tick()

    assert seen.of(JobsRescued) == [JobsRescued(5)]


async def test_the_decision_is_rivers(stage: Stage, mail: Any) -> None:
    rescuer = make_rescuer(stage)
    job = await lost(stage, mail.job())

    assert type(rescuer.decide(job)) is Retry
    assert type(rescuer.decide(_with(job, attempt=25))) is Discarded
    assert type(rescuer.decide(_with(job, cancel_requested_at=stage.clock.now()))) is Cancelled
    assert rescuer.decide(_with(job, kind="written-in-go")) is None
    assert rescuer.decide(_with(job, attempted_at=stage.clock.now())) is None


def _with(job: Job, **changes: Any) -> Job:
    import msgspec

    return msgspec.structs.replace(job, **changes)


# The cleaner


async def ended(stage: Stage, job: NewJob, outcome: Any) -> JobRef:
    await stage.store(job)
    (running,) = await stage.take()
    await stage.storage.jobs.finish([Finished(running, outcome)], now=stage.clock.now())
    return running.ref


async def test_each_state_has_its_own_time(stage: Stage, clock: FakeClock, seen: Recorder) -> None:
    from ferryman.job import AttemptError

    error = AttemptError(clock.now(), 1, "no")
    for outcome in (Completed(), Cancelled(error), Discarded(error)):
        await ended(stage, NewJob(kind="mail"), outcome)
    keep = Retention(completed=timedelta(hours=1), cancelled=timedelta(hours=2), discarded=timedelta(hours=3))
    cleaner = Cleaner(stage.storage, keep, clock, seen.bus)

    left = []
    for _ in range(3):
        await clock.advance(3600)
        await cleaner.tick()
        left.append(set(await counts(stage)))

    assert left == [{State.CANCELLED, State.DISCARDED}, {State.DISCARDED}, set()]
    assert seen.events == [JobsCleaned(1)] * 3


async def test_what_is_kept_forever_stays(stage: Stage, clock: FakeClock, seen: Recorder) -> None:
    await ended(stage, NewJob(kind="mail"), Completed())
    await clock.advance(10 * 365 * 86_400)
    cleaner = Cleaner(stage.storage, Retention(completed=None), clock, seen.bus)

    await cleaner.tick()
    await cleaner.rare_tick()

    assert await counts(stage) == {State.COMPLETED: 1}
    assert seen.events == []


async def test_a_task_or_a_job_may_say_how_long_it_is_kept(stage: Stage, clock: FakeClock, seen: Recorder) -> None:
    usual = await ended(stage, NewJob(kind="mail"), Completed())
    by_task = await ended(stage, NewJob(kind="briefing"), Completed())
    given = frozenset({"retention"})
    by_job = await ended(stage, NewJob(kind="briefing", retention=7200.0, given=given), Completed())
    keep = Retention(completed=timedelta(minutes=30), kinds={"briefing": 3600.0})
    cleaner = Cleaner(stage.storage, keep, clock, seen.bus)

    left = []
    for _ in range(4):
        await clock.advance(1800)
        await cleaner.tick()
        await cleaner.rare_tick()
        left.append({job.ref for job in (await stage.storage.jobs.list(JobFilter())).items})

    assert left == [{by_task, by_job}, {by_job}, {by_job}, set()]
    assert usual not in left[0]


async def test_everything_that_is_old_goes_in_one_tick(
    stage: Stage, clock: FakeClock, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "BATCH", 2)
    for _ in range(5):
        await ended(stage, NewJob(kind="mail"), Completed())
    await clock.advance(2 * 86_400)

    await Cleaner(stage.storage, Retention(), clock, seen.bus).tick()

    assert seen.events == [JobsCleaned(5)]


async def test_running_and_waiting_jobs_are_never_deleted(stage: Stage, clock: FakeClock, seen: Recorder) -> None:
    await stage.store(NewJob(kind="mail"), NewJob(kind="mail"), scheduled(clock.now()))
    await stage.take(1)
    await clock.advance(365 * 86_400)
    cleaner = Cleaner(stage.storage, Retention(), clock, seen.bus)

    await cleaner.tick()
    await cleaner.rare_tick()

    assert await counts(stage) == {State.RUNNING: 1, State.AVAILABLE: 1, State.SCHEDULED: 1}


async def test_queues_that_nobody_works_any_more_are_forgotten(stage: Stage, clock: FakeClock, seen: Recorder) -> None:
    await stage.storage.queues.announce(["old"], now=clock.now())
    await clock.advance(25 * 3600)
    await stage.storage.queues.announce(["new"], now=clock.now())

    await Cleaner(stage.storage, Retention(), clock, seen.bus).rare_tick()

    assert [queue.name for queue in await stage.storage.queues.list()] == ["new"]


# Strangers


async def test_jobs_of_kinds_that_nobody_wrote_here_are_noticed(stage: Stage, mail: Any, seen: Recorder) -> None:
    await stage.store(
        mail.job(), NewJob(kind="written-in-go"), NewJob(kind="forgotten"), NewJob(kind="else", queue="other")
    )

    await Strangers(stage.storage, ["default"], stage.tasks, seen.bus).tick()

    (event,) = seen.of(UnknownKinds)
    assert sorted(event.kinds) == ["forgotten", "written-in-go"]


async def test_nothing_is_said_where_every_kind_is_known(stage: Stage, mail: Any, seen: Recorder) -> None:
    await stage.store(mail.job())

    await Strangers(stage.storage, ["default"], stage.tasks, seen.bus).tick()

    assert seen.events == []
