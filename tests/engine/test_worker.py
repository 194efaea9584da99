"""The worker as a whole, in this process: starting, working, being told, failing, stopping."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.stage import Flaky
from ferryman import ConfigError, Ferryman, Job, JobRef, QueueNotFound, StorageUnavailable
from ferryman.engine import heartbeater
from ferryman.engine.listener import Listener
from ferryman.events import (
    Event,
    JobEnqueued,
    JobFinished,
    JobsFetched,
    JobsScheduled,
    JobStarted,
    LeaderChanged,
    Listening,
    ServiceFailed,
    StorageBack,
    StorageLost,
    SubscriberFailed,
    UnknownKinds,
    WorkerStarted,
    WorkerStopped,
    WorkerStopping,
)
from ferryman.job import State
from ferryman.outcome import Released
from ferryman.testing import Recorder, run_until_empty
from ferryman.worker import Worker


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferryman.engine.executor._LAST_WAIT", 0.01)
    monkeypatch.setattr(heartbeater, "_LOOK", 0.01)


@pytest.fixture
async def jobs() -> AsyncIterator[Ferryman]:
    """A program whose jobs are in memory."""
    async with Ferryman("sqlite://") as jobs:
        yield jobs


@pytest.fixture
def seen(jobs: Ferryman) -> Recorder:
    return Recorder(jobs.events)


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
def wait(jobs: Ferryman, gate: asyncio.Event) -> Any:
    """A job that ends when the gate opens."""

    @jobs.task("wait")
    async def wait() -> str:
        await gate.wait()
        return "through"

    return wait


async def counts(jobs: Ferryman) -> dict[State, int]:
    return dict(await jobs.admin.jobs.count())


async def on(worker: Worker, flaky: Flaky) -> None:
    """Let a worker use a storage that can fail."""

    async def opened() -> Any:
        return flaky

    worker.open = opened


async def flaky_storage(jobs: Ferryman) -> Flaky:
    return Flaky(await jobs.connections.storage())


# Working


async def test_a_job_is_enqueued_taken_started_and_finished_in_this_order(jobs: Ferryman, seen: Recorder) -> None:
    @jobs.task("add")
    async def add(a: int, b: int) -> int:
        return a + b

    async with jobs.worker():
        await add.enqueue(1, 2)
        done = await seen.wait_for(JobFinished)

    assert done.state is State.COMPLETED
    told = [
        type(event) for event in seen.events if isinstance(event, JobEnqueued | JobsFetched | JobStarted | JobFinished)
    ]
    # Who enqueues is told when the answer is there, and by then a worker in the same process may be ahead.
    assert sorted(told, key=lambda each: each is not JobEnqueued) == [JobEnqueued, JobsFetched, JobStarted, JobFinished]


async def test_run_until_empty_runs_what_is_due_and_says_what_became_of_it(jobs: Ferryman) -> None:
    @jobs.task("child")
    async def child() -> None: ...

    @jobs.task("parent", retries=0)
    async def parent() -> None:
        await child.enqueue()
        raise ValueError("but the child lives")

    await parent.enqueue()
    await child.using(delay="1h").enqueue()

    done = await run_until_empty(jobs)

    assert [(event.job.kind, event.state) for event in done] == [
        ("parent", State.DISCARDED),
        ("child", State.COMPLETED),
    ]
    assert await counts(jobs) == {State.SCHEDULED: 1, State.DISCARDED: 1, State.COMPLETED: 1}


async def test_it_stops_by_itself_after_a_number_of_jobs(jobs: Ferryman) -> None:
    @jobs.task("mail")
    async def mail() -> None: ...

    await jobs.enqueue_many([mail.job() for _ in range(10)])

    await jobs.worker(max_jobs=4, concurrency=3).serve()

    assert await counts(jobs) == {State.COMPLETED: 4, State.AVAILABLE: 6}


async def test_one_that_has_grown_too_large_lets_its_jobs_end_and_takes_no_more(
    jobs: Ferryman, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [1000]
    monkeypatch.setattr("ferryman.worker.resident", lambda: held[0])
    monkeypatch.setattr("ferryman.worker._WEIGHED_EVERY", 0.01)

    @jobs.task("leak")
    async def leak() -> None:
        held[0] = 1001
        await seen.wait_for(WorkerStopping)

    await jobs.enqueue_many([leak.job() for _ in range(2)])
    worker = jobs.worker(concurrency=1)
    worker.max_rss = 1000

    async with asyncio.timeout(60):
        await worker.serve()

    assert worker.outgrown
    assert await counts(jobs) == {State.COMPLETED: 1, State.AVAILABLE: 1}


async def test_queues_are_added_and_removed_while_it_runs(jobs: Ferryman) -> None:
    ran: asyncio.Queue[int] = asyncio.Queue()

    @jobs.task("note")
    async def note(number: int) -> None:
        ran.put_nowait(number)

    await note.using(queue="second").enqueue(1)
    async with asyncio.timeout(60), jobs.worker(queues={"first": 1}) as worker:
        await worker.add_queue("second")
        assert await ran.get() == 1
        worker.remove_queue("first")
        await note.using(queue="first").enqueue(2)
        await note.using(queue="second").enqueue(3)
        assert await ran.get() == 3

    assert [queue.name for queue in await jobs.admin.queues.list()] == ["first", "second"]
    assert (await jobs.admin.queues.get("first")).counts == {State.AVAILABLE: 1}


async def test_a_worker_keeps_at_least_one_queue(jobs: Ferryman) -> None:
    worker = jobs.worker(queues={"first": 1})

    with pytest.raises(ConfigError, match='"first" is the only queue'):
        worker.remove_queue("first")
    with pytest.raises(QueueNotFound):
        worker.remove_queue("frist")
    with pytest.raises(ConfigError, match="weight"):
        await worker.add_queue("second", 0)


class Pool:
    open = False


async def test_the_lifespan_is_open_while_jobs_run() -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[Pool]:
        pool = Pool()
        pool.open = True
        yield pool
        pool.open = False

    given: list[tuple[Pool, bool]] = []
    async with Ferryman("sqlite://", lifespan=lifespan) as jobs:

        @jobs.task("mail")
        async def mail(to: str, pool: Pool) -> None:
            given.append((pool, pool.open))

        await jobs.kind("mail").enqueue({"to": "ada"})
        await run_until_empty(jobs)

    ((pool, was_open),) = given
    assert was_open
    assert not pool.open


class Cache: ...


async def test_a_lifespan_may_yield_several_things() -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[tuple[Pool, Cache]]:
        yield Pool(), Cache()

    given: list[Any] = []
    async with Ferryman("sqlite://", lifespan=lifespan) as jobs:

        @jobs.task("mail")
        def mail(cache: Cache, to: str, job: Job, pool: Pool) -> None:
            given.extend((type(cache), to, job.kind, type(pool)))

        await jobs.kind("mail").enqueue({"to": "ada"})
        await run_until_empty(jobs)

    assert given == [Cache, "ada", "mail", Pool]


async def test_a_lifespan_that_does_not_say_what_it_yields_is_refused() -> None:
    @asynccontextmanager
    async def lifespan():  # type: ignore[no-untyped-def]
        yield Pool()

    with pytest.raises(ConfigError, match="does not say what it yields"):
        Ferryman("sqlite://", lifespan=lifespan)


async def test_what_is_scheduled_becomes_available_in_its_time(jobs: Ferryman, seen: Recorder) -> None:
    @jobs.task("mail")
    async def mail() -> None: ...

    async with jobs.worker(poll_interval=0.01, schedule_interval=0.01):
        await mail.using(delay=0.05).enqueue()
        assert (await seen.wait_for(JobsScheduled)).count == 1
        await seen.wait_for(JobFinished)


async def test_a_job_by_the_clock_runs_at_the_start(jobs: Ferryman, seen: Recorder) -> None:
    @jobs.every("1h", on_start=True)
    @jobs.task("heartbeat", retries=0)
    async def heartbeat(job: Job) -> None: ...

    jobs.on_enqueue = [lambda job: msgspec.structs.replace(job, tags=("by-the-clock",))]
    async with jobs.worker():
        done = await seen.wait_for(JobFinished)

    assert (done.job.kind, done.job.metadata["periodic"], done.job.tags) == ("heartbeat", True, ("by-the-clock",))


async def test_who_may_not_lead_refuses_schedules_unless_they_are_left_to_others(jobs: Ferryman) -> None:
    @jobs.every("1h")
    @jobs.task("heartbeat")
    async def heartbeat() -> None: ...

    with pytest.raises(ConfigError, match=r'cannot enqueue "heartbeat" by the clock.* periodic = false'):
        await jobs.worker(lead=False).serve()

    async with jobs.worker(lead=False, periodic=False):
        pass


async def test_a_worker_that_neither_leads_nor_listens_works_all_the_same(jobs: Ferryman, seen: Recorder) -> None:
    @jobs.task("mail")
    async def mail() -> None: ...

    async with jobs.worker(lead=False, listen=False, poll_interval=0.01, elect_interval=0.01) as worker:
        storage = await worker.open()
        await mail.enqueue()
        await seen.wait_for(JobFinished)
        assert await storage.leaders.elect("somebody", term=None) is not None

    assert seen.of(LeaderChanged) == seen.of(Listening) == []


async def test_a_schedule_that_nobody_can_read_is_refused_at_the_start(jobs: Ferryman) -> None:
    jobs.task("mail")(_nothing)

    with pytest.raises(ConfigError, match="61"):
        await jobs.worker(reindex_schedule="61 0 * * *").serve()


async def _nothing() -> None: ...


async def test_a_silence_of_too_few_beats_or_longer_than_anybody_is_remembered_is_refused(jobs: Ferryman) -> None:
    jobs.task("mail")(_nothing)

    with pytest.raises(ConfigError, match="Take 15s or more"):
        await jobs.worker(rescue_silent=10).serve()
    with pytest.raises(ConfigError, match="Take 1800 s at most"):
        await jobs.worker(rescue_silent=3600).serve()


async def test_a_worker_goes_on_with_the_schedule_of_the_one_before(jobs: Ferryman, seen: Recorder) -> None:
    @jobs.every("1h", on_start=True)
    @jobs.task("heartbeat", retries=0)
    async def heartbeat() -> None: ...

    async with jobs.worker(durable_schedules=True):
        await seen.wait_for(JobFinished)
    async with jobs.worker(durable_schedules=True):
        await seen.wait_for(LeaderChanged, lambda event: event.leading)
        await heartbeat.enqueue()
        await seen.wait_for(JobFinished)

    assert await counts(jobs) == {State.COMPLETED: 2}


async def test_jobs_of_unknown_kinds_are_left_and_told_of(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    await jobs.kind("written-in-go").enqueue()

    async with jobs.worker():
        assert (await seen.wait_for(UnknownKinds)).kinds == ("written-in-go",)

    assert await counts(jobs) == {State.AVAILABLE: 1}


async def test_jobs_of_unknown_kinds_are_failed_when_it_is_told_to_take_them(jobs: Ferryman, seen: Recorder) -> None:
    await jobs.kind("written-in-go").enqueue()

    async with jobs.worker(take_unknown_kinds=True):
        done = await seen.wait_for(JobFinished)

    assert done.outcome.error.error.endswith("bundle: written-in-go")  # type: ignore[union-attr]


# Being told


async def test_a_running_job_is_cancelled_from_outside(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    async with jobs.worker():
        stored = await wait.enqueue()
        await seen.wait_for(JobStarted)

        await jobs.admin.jobs.cancel(stored.ref)

        assert (await seen.wait_for(JobFinished)).state is State.CANCELLED


async def test_a_paused_queue_gives_nothing_until_it_is_resumed(
    jobs: Ferryman, seen: Recorder, wait: Any, gate: asyncio.Event
) -> None:
    gate.set()
    storage = await jobs.connections.storage()
    await storage.queues.announce(["default"])
    await jobs.admin.queues.pause("default")
    async with jobs.worker(poll_interval=0.01):
        await wait.enqueue()
        await wait.enqueue()
        assert seen.of(JobStarted) == []

        await jobs.admin.queues.resume("default")

        await seen.wait_for(JobFinished)
        await seen.wait_for(JobFinished)


async def test_a_quiet_worker_ends_what_it_runs_takes_nothing_and_stays(
    jobs: Ferryman, seen: Recorder, wait: Any, gate: asyncio.Event
) -> None:
    async with jobs.worker(poll_interval=0.01) as worker:
        await wait.enqueue()
        await seen.wait_for(JobStarted)

        worker.quiet()
        await wait.enqueue()
        gate.set()

        await seen.wait_for(JobFinished)
        (info,) = await jobs.admin.workers.list()
        assert info.id == worker.name
    assert await counts(jobs) == {State.COMPLETED: 1, State.AVAILABLE: 1}


async def test_quiet_before_the_start_is_not_forgotten(jobs: Ferryman, wait: Any) -> None:
    await wait.enqueue()
    worker = jobs.worker()
    worker.quiet()

    async with worker:
        pass

    assert await counts(jobs) == {State.AVAILABLE: 1}


async def test_the_leader_steps_down_when_it_is_asked_to(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    async with jobs.worker():
        assert (await seen.wait_for(LeaderChanged)).leading
        await asyncio.sleep(0)

        await (await jobs.connections.storage()).notices.request_resign()

        assert not (await seen.wait_for(LeaderChanged)).leading


# Starting


async def test_it_says_what_it_is_when_it_is_ready(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    async with jobs.worker(concurrency=3, queues="critical:6,default:3") as worker:
        started = await seen.wait_for(WorkerStarted)

    assert (started.id, started.queues, started.kinds) == (worker.name, ("critical", "default"), ("wait",))
    assert (started.concurrency, started.storage) == (3, "sqlite:// (in memory)")


async def test_a_storage_that_cannot_be_opened_fails_at_the_start(tmp_path: Path) -> None:
    jobs = Ferryman(f"sqlite:///{tmp_path}/no/such/folder/jobs.db")

    @jobs.task("mail")
    async def mail() -> None: ...

    with pytest.raises(StorageUnavailable, match="cannot be opened"):
        async with jobs.worker():
            pytest.fail("it must not start")


async def test_a_lifespan_that_fails_fails_at_the_start() -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[int]:
        raise ConnectionError("no pool today")
        yield 1

    async with Ferryman("sqlite://", lifespan=lifespan) as jobs:

        @jobs.task("mail")
        async def mail() -> None: ...

        with pytest.raises(ConnectionError, match="no pool today"):
            async with jobs.worker():
                pytest.fail("it must not start")


async def test_a_worker_without_tasks_is_refused(jobs: Ferryman) -> None:
    with pytest.raises(ConfigError, match="no task to run"):
        await jobs.worker().serve()


async def test_a_task_whose_parameters_cannot_travel_is_refused_at_the_start(jobs: Ferryman) -> None:
    @jobs.task("mail")
    async def mail(*recipients: str) -> None: ...

    with pytest.raises(ConfigError, match=r"takes \*recipients"):
        await jobs.worker().serve()


async def test_a_process_task_that_no_process_could_find_is_refused_at_the_start(jobs: Ferryman) -> None:
    @jobs.task("crunch", run="process")
    def crunch() -> None: ...

    with pytest.raises(ConfigError, match="written inside a function"):
        await jobs.worker().serve()


async def test_a_schedule_for_a_task_that_needs_arguments_is_refused_at_the_start(jobs: Ferryman) -> None:
    @jobs.every("1m")
    @jobs.task("mail")
    async def mail(to: str) -> None: ...

    with pytest.raises(ConfigError, match='The schedule "mail" gives no arguments'):
        await jobs.worker().serve()


async def test_cancelling_the_start_leaves_nothing_behind(jobs: Ferryman, wait: Any) -> None:
    opening = asyncio.Event()
    worker = jobs.worker()

    async def never() -> Any:
        opening.set()
        await asyncio.Event().wait()

    worker.open = never
    starting = asyncio.create_task(worker.__aenter__())
    await opening.wait()

    starting.cancel()
    await asyncio.wait([starting])

    assert starting.cancelled()
    assert [task for task in asyncio.all_tasks() if "serve" in repr(task)] == []


# Stopping


async def test_stopping_lets_a_running_job_finish(
    jobs: Ferryman, seen: Recorder, wait: Any, gate: asyncio.Event
) -> None:
    async with jobs.worker() as worker:
        await wait.enqueue()
        await seen.wait_for(JobStarted)

        worker.stop("SIGTERM")
        assert await seen.wait_for(WorkerStopping) == WorkerStopping(1, "SIGTERM")
        gate.set()

        assert (await seen.wait_for(JobFinished)).state is State.COMPLETED
    assert seen.events[-1] == WorkerStopped(0)


async def test_what_does_not_end_within_the_shutdown_timeout_goes_back(
    jobs: Ferryman, seen: Recorder, wait: Any
) -> None:
    async with jobs.worker(shutdown_timeout=0.01):
        stored = await wait.enqueue()
        await seen.wait_for(JobStarted)

    job = await jobs.admin.jobs.get(stored.ref)
    assert (job.state, job.attempt, job.errors) == (State.AVAILABLE, 0, ())
    assert seen.events[-1] == WorkerStopped(1)


async def test_stop_now_does_not_wait(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    async with jobs.worker(shutdown_timeout=3600) as worker:
        await wait.enqueue()
        await seen.wait_for(JobStarted)
        worker.stop_now()

    assert (await seen.wait_for(JobFinished)).outcome == Released()


async def test_a_second_word_cuts_the_first_short(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    async with jobs.worker(shutdown_timeout=3600) as worker:
        await wait.enqueue()
        await seen.wait_for(JobStarted)
        worker.stop()
        await seen.wait_for(WorkerStopping)
        worker.stop_now()

    assert seen.events[-1] == WorkerStopped(1)


async def test_a_thread_that_hangs_does_not_keep_the_worker(jobs: Ferryman, seen: Recorder) -> None:
    gate = threading.Event()

    @jobs.task("hang")
    def hang() -> None:
        gate.wait(60)

    async with jobs.worker(shutdown_timeout=0.01):
        await hang.enqueue()
        await seen.wait_for(JobStarted)

    assert await counts(jobs) == {State.AVAILABLE: 1}
    gate.set()


async def test_cancelling_the_worker_gives_jobs_back(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    serving = asyncio.create_task(jobs.worker(shutdown_timeout=0.01).serve())
    await wait.enqueue()
    await seen.wait_for(JobStarted)

    serving.cancel()
    await asyncio.wait([serving])

    assert serving.cancelled()
    assert await counts(jobs) == {State.AVAILABLE: 1}


async def test_cancelling_it_twice_does_not_wait_and_gives_jobs_back(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    serving = asyncio.create_task(jobs.worker(shutdown_timeout=3600).serve())
    await wait.enqueue()
    await seen.wait_for(JobStarted)

    serving.cancel()
    await seen.wait_for(WorkerStopping)
    serving.cancel()
    await asyncio.wait([serving])

    assert serving.cancelled()
    assert await counts(jobs) == {State.AVAILABLE: 1}


def test_a_loop_that_ends_under_a_worker_costs_no_attempt(tmp_path: Path) -> None:
    """`asyncio.run` cancels everything that its main function left running."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    jobs = Ferryman(url)
    seen = Recorder(jobs.events)
    refs: list[JobRef] = []

    @jobs.task("wait")
    async def wait() -> None:
        await asyncio.Event().wait()

    async def main() -> asyncio.Task[None]:
        serving = asyncio.create_task(jobs.worker().serve())
        refs.append((await wait.enqueue()).ref)
        await seen.wait_for(JobStarted)
        return serving

    asyncio.run(main())

    job = Ferryman(url).sync.admin.jobs.get(refs[0])
    assert (job.state, job.attempt, job.errors) == (State.AVAILABLE, 0, ())


async def test_stop_before_the_start_is_not_forgotten(jobs: Ferryman, wait: Any) -> None:
    await wait.enqueue()
    worker = jobs.worker()
    worker.stop()

    await worker.serve()

    assert await counts(jobs) == {State.AVAILABLE: 1}


async def test_a_stopped_worker_is_no_longer_listed(jobs: Ferryman, seen: Recorder, wait: Any) -> None:
    async with jobs.worker():
        pass

    assert await jobs.admin.workers.list() == []


# Failing


async def test_no_job_is_taken_before_somebody_hears_of_its_cancellation(
    jobs: Ferryman, seen: Recorder, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen = Listener.run

    async def run(listener: Listener) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await seen.wait_for(JobStarted)
        await listen(listener)

    monkeypatch.setattr(Listener, "run", run)
    inserted = await wait.enqueue()

    async with jobs.worker():
        await seen.wait_for(JobStarted)
        await jobs.admin.jobs.cancel(inserted.ref)

        assert (await seen.wait_for(JobFinished)).state is State.CANCELLED


async def test_a_service_that_ends_in_an_error_ends_the_worker_loudly_with_jobs_given_back(
    jobs: Ferryman, seen: Recorder, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = asyncio.Event()

    async def run(listener: Any) -> None:
        await broken.wait()
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("ferryman.engine.listener.Listener.run", run)
    serving = asyncio.create_task(jobs.worker(shutdown_timeout=0.01).serve())
    await wait.enqueue()
    await seen.wait_for(JobStarted)

    broken.set()
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        await serving

    assert await counts(jobs) == {State.AVAILABLE: 1}
    stopped = seen.events[-1]
    assert isinstance(stopped, WorkerStopped)
    assert (stopped.released, repr(stopped.error)) == (1, "RuntimeError('a mistake of ours')")


async def test_a_worker_that_broke_beside_a_block_says_so_at_its_end(
    jobs: Ferryman, seen: Recorder, wait: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(listener: Any) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("ferryman.engine.listener.Listener.run", run)

    with pytest.raises(RuntimeError, match="a mistake of ours"):
        async with jobs.worker():
            await seen.wait_for(WorkerStopped)


async def test_a_tick_that_fails_does_not_end_the_worker(
    jobs: Ferryman, seen: Recorder, wait: Any, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def tick(rescuer: Any) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("ferryman.engine.rescuer.Rescuer.tick", tick)
    gate.set()
    async with jobs.worker():
        assert (await seen.wait_for(ServiceFailed)).service == "rescuer"
        await wait.enqueue()
        await seen.wait_for(JobFinished)


async def test_a_subscriber_that_fails_is_an_event_and_nothing_else(
    jobs: Ferryman, seen: Recorder, wait: Any, gate: asyncio.Event
) -> None:
    def broken(event: Event) -> None:
        raise RuntimeError("a mistake of theirs")

    gate.set()
    jobs.events.subscribe(JobStarted, broken)
    async with jobs.worker():
        await wait.enqueue()
        failed = await seen.wait_for(SubscriberFailed)
        done = await seen.wait_for(JobFinished)

    assert isinstance(failed.event, JobStarted)
    assert str(failed.error) == "a mistake of theirs"
    assert done.state is State.COMPLETED


# The storage goes away


async def test_it_goes_on_by_itself_when_the_storage_is_back_and_nothing_is_lost(
    jobs: Ferryman, seen: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.engine.completer._PAUSES", (0.005,))
    monkeypatch.setattr("ferryman.engine.fetcher._LONGEST_PAUSE", 0.005)
    monkeypatch.setattr("ferryman.engine.listener._PAUSE", 0.005)
    gate = asyncio.Event()

    @jobs.task("mail")
    async def mail(number: int) -> int:
        await gate.wait()
        return number

    flaky, worker = await flaky_storage(jobs), jobs.worker(concurrency=5)
    await on(worker, flaky)
    await jobs.enqueue_many([mail.job(number) for number in range(50)])
    async with worker:
        for _ in range(5):
            await seen.wait_for(JobStarted)
        flaky.break_down()
        gate.set()
        await seen.wait_for(StorageLost)
        await flaky.asked("finish", 3)
        await flaky.asked("fetch", 3)

        flaky.recover()
        for _ in range(50):
            assert (await seen.wait_for(JobFinished)).state is State.COMPLETED

    told = [type(event) for event in seen.events if isinstance(event, StorageLost | StorageBack)]
    assert told == [StorageLost, StorageBack]
    assert len(seen.of(JobStarted)) == 50


async def test_what_cannot_be_written_at_the_end_is_told(
    jobs: Ferryman, seen: Recorder, wait: Any, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ferryman.engine.completer._PAUSES", (0.005,))
    flaky, worker = await flaky_storage(jobs), jobs.worker()
    await on(worker, flaky)
    await wait.enqueue()
    async with worker:
        await seen.wait_for(JobStarted)
        flaky.break_down()
        gate.set()
        await seen.wait_for(StorageLost)

    assert seen.events[-1] == WorkerStopped(0, unwritten=1)


# Several workers


async def test_two_workers_in_one_process_share_the_work(jobs: Ferryman, seen: Recorder) -> None:
    both = asyncio.Barrier(2)

    @jobs.task("meet")
    async def meet() -> None:
        await both.wait()

    async with jobs.worker(concurrency=1), jobs.worker(concurrency=1):
        await meet.enqueue()
        await meet.enqueue()
        done = [await seen.wait_for(JobFinished) for _ in range(2)]

    assert [event.state for event in done] == [State.COMPLETED] * 2
    workers = {(await jobs.admin.jobs.get(event.job.ref)).attempted_by for event in done}
    assert len(workers) == 2


async def test_workers_that_start_together_each_wait_for_their_own_start(jobs: Ferryman, wait: Any) -> None:
    opening = asyncio.Event()
    quick, slow = jobs.worker(), jobs.worker()
    connect = slow.open

    async def later() -> Any:
        await opening.wait()
        return await connect()

    slow.open = later
    starting = asyncio.create_task(slow.__aenter__())
    async with quick:
        for _ in range(10):
            await asyncio.sleep(0)
        assert not starting.done()
        opening.set()
        await starting
        await slow.__aexit__(None, None, None)


async def test_two_programs_in_one_process_work_on_one_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db?synchronous=normal"
    ran: list[int] = []
    async with Ferryman(url) as ours, Ferryman(url) as theirs:
        for jobs in (ours, theirs):

            @jobs.task("note")
            async def note(number: int) -> None:
                ran.append(number)

        seen = Recorder(ours.events)
        theirs.events.subscribe(Event, seen.bus.publish)
        async with ours.worker(concurrency=2), theirs.worker(concurrency=2):
            await ours.enqueue_many([ours.tasks["note"].job(number) for number in range(100)])
            for _ in range(100):
                await seen.wait_for(JobFinished)

    assert sorted(ran) == list(range(100))


async def test_a_follower_leads_at_once_when_the_leader_stops(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db?synchronous=normal"
    async with Ferryman(url, elect_interval=3600) as ours, Ferryman(url, elect_interval=3600) as theirs:
        for jobs in (ours, theirs):
            jobs.task("mail")(_mail)
        first, second = Recorder(ours.events), Recorder(theirs.events)
        leader = ours.worker()
        async with leader:
            await first.wait_for(LeaderChanged)
            async with theirs.worker():
                leader.stop()
                await first.wait_for(WorkerStopped)

                assert (await second.wait_for(LeaderChanged)).leading


async def _mail() -> None: ...
