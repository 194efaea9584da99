"""What our worker leaves is what River's leaves, on both its databases, column by column.

The recorded program has a twin in Python (recorded_worker.py).  A
scenario is walked as it was recorded: calls are made, the client is started and stopped,
and what is in the tables after each step is compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from databases import Database
from recorded_tables import Tables, differences
from recorded_worker import TEXT, work
from replay import Player, answer, called_at, was_recorded
from since_043 import today

from ferryman import Ferryman, Worker
from ferryman.events import Event, JobFinished, JobsRescued, JobStarted, LeaderChanged
from ferryman.storage.river.verbs.insert import NoticeLimiter

# The recorder waited up to five seconds between two calls; we wait for what they do and no longer.
NEAR = timedelta(seconds=6)
CLIENT = "golden_client_1"


class Stage:
    """The recorded program in Python: it calls, and starts and stops a client that works."""

    def __init__(self, name: str, database: Database, storage: Any, jobs: Ferryman) -> None:
        self.recording = today(name, database.name)
        self.calls = [call for call in self.recording["calls"] if "api" in call]
        self.database = database
        self.jobs = jobs
        self.ago = timedelta(0)
        """How long ago all this happens, as far as the calls know."""
        self._player = Player(database, storage)
        self._began = datetime.now(UTC)
        self._latest = self.recording["calls"][0]
        self._steps = iter(self.recording.get("steps", ()))

    async def play(self, *calls: dict[str, Any]) -> None:
        """Make recorded calls now, and compare their answers."""
        for call in calls:
            self._latest = call
            self._player.shift = datetime.now(UTC) - self.ago - called_at(call)
            assert await self._player.play(call) == answer(call), call

    @asynccontextmanager
    async def client(self, name: str = CLIENT, **settings: Any) -> AsyncIterator[Worker]:
        """Start a client that works, wait until it leads and has said so, and stop it at the end."""
        worker = self.jobs.worker(concurrency=2, take_unknown_kinds=True, **settings)
        worker.name = name
        elected = self.watch(LeaderChanged)
        async with asyncio.timeout(60), worker:
            await elected.get()
            while not await self._player.storage.workers.list():
                pass  # its first heartbeat is still to be written
            yield worker

    def watch(self, kind: type[Event]) -> asyncio.Queue[Event]:
        """Return where events of this kind arrive from now on."""
        seen: asyncio.Queue[Event] = asyncio.Queue()
        self.jobs.events.subscribe(kind, seen.put_nowait)
        return seen

    async def die(self, name: str) -> None:
        """Lead, take all there is, and never be heard of again."""
        storage = self._player.storage
        await storage.queues.announce(["default"])
        await storage.leaders.elect(name, term=None)
        await storage.jobs.fetch([("default", 10)], limit=10, kinds=None, worker=name)

    def compare_step(self, after: str) -> None:
        """Compare with the next in-between state, whose name this is."""
        step = next(self._steps)
        assert step["after"] == after
        self._compare(step["tables"])

    def compare_end(self) -> None:
        """Compare with what was left at the end."""
        assert next(self._steps, None) is None
        self._compare(self.recording["tables"])

    def _compare(self, tables: Tables) -> None:
        within = NEAR + self._delay
        assert differences(self.database.tables(), tables, within=within, shift=self._shift) == ""

    @property
    def _delay(self) -> timedelta:
        """How much longer than the recorder we have taken so far: on a busy machine times differ by that."""
        recorded = called_at(self._latest) - called_at(self.recording["calls"][0])
        return max(datetime.now(UTC) - self._began - recorded, timedelta(0))

    @property
    def _shift(self) -> timedelta:
        return self._began - self.ago - called_at(self.recording["calls"][0])


@pytest.fixture
async def stage(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Stage]:
    if not was_recorded(request.param, database.name):
        pytest.skip(f"it was not recorded on {database.name}")
    async with Ferryman(database.url) as jobs, database.storage() as storage:
        storage.jobs._limiter = NoticeLimiter()  # on Postgres we tell of every insert: here as seldom as River does
        yield Stage(request.param, database, storage, jobs)


def on_stage(*names: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", names, indirect=True)


@on_stage(
    "worked_cancelled",
    "worked_completed",
    "worked_discarded",
    "worked_output",
    "worked_panicked",
    pytest.param("worked_timeout", marks=pytest.mark.slow),
)
async def test_worked_jobs_are_left_as_rivers_client_leaves_them(stage: Stage) -> None:
    stage.jobs.task("work", errors="bare", timeout=0.3)(work)
    finished = stage.watch(JobFinished)
    inserts = [call for call in stage.calls if call["api"] == "Client.Insert"]
    await stage.play(*inserts)

    async with stage.client():
        for _ in inserts:
            await finished.get()
    await stage.play(*(call for call in stage.calls if call["api"] == "Client.JobUpdate"))

    stage.compare_end()


@on_stage("worked_errored")
async def test_a_job_that_fails_twice_has_both_errors_and_both_clients(stage: Stage) -> None:
    stage.jobs.task("work", errors="bare")(work)
    finished = stage.watch(JobFinished)
    await stage.play(*stage.calls[:2])

    async with stage.client():
        await finished.get(), await finished.get()
    stage.compare_step("errored once")
    await stage.play(*stage.calls[2:])
    stage.compare_step("JobRetry")
    async with stage.client(f"{CLIENT}b"):
        await finished.get(), await finished.get()

    stage.compare_end()


@on_stage("worked_resumable")
async def test_a_task_in_steps_leaves_rivers_marks(stage: Stage) -> None:
    stage.jobs.task("work", errors="bare")(work)
    finished = stage.watch(JobFinished)
    insert, retry = stage.calls
    await stage.play(insert)

    async with stage.client():
        await finished.get()
    stage.compare_step("failed in step two")
    await stage.play(retry)
    async with stage.client():
        await finished.get()

    stage.compare_end()


@on_stage("rescued")
async def test_what_a_killed_worker_ran_is_taken_back_by_the_next_leader(stage: Stage) -> None:
    stage.jobs.task("work")(work)
    rescued = stage.watch(JobsRescued)
    await stage.play(*stage.calls)
    await stage.die("crashed_client")
    stage.compare_step("killed")
    stage.database.run("update river_job set attempted_at = attempted_at - interval '2 hours'")
    stage.database.run("update river_leader set expires_at = now()")

    async with stage.client(queues=["other"]):
        await rescued.get()

    stage.compare_end()


@on_stage("worked_snoozed")
async def test_a_snooze_is_counted_and_its_attempt_is_not(stage: Stage) -> None:
    stage.jobs.task("work")(work)
    finished = stage.watch(JobFinished)
    await stage.play(*stage.calls[:2])

    async with stage.client():
        await finished.get(), await finished.get()
    stage.compare_step("snoozed once")
    await stage.play(*stage.calls[2:])
    async with stage.client():
        await finished.get(), await finished.get()

    stage.compare_end()


@on_stage("soft_stop")
async def test_a_job_that_is_interrupted_goes_back_as_if_never_taken(stage: Stage) -> None:
    stage.jobs.task("work")(work)
    started = stage.watch(JobStarted)
    await stage.play(stage.calls[0])

    async with stage.client() as worker:
        await started.get()
        worker.stop_now()

    stage.compare_end()


@on_stage("running_job")
async def test_a_running_job_that_is_cancelled_runs_on_until_its_worker_hears_of_it(stage: Stage) -> None:
    told, may_end = asyncio.Event(), asyncio.Event()

    @stage.jobs.task("work", errors="bare")
    async def deaf(do: str, text: str, ms: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            told.set()
            await may_end.wait()

    started, finished = stage.watch(JobStarted), stage.watch(JobFinished)
    insert, cancel, delete = stage.calls
    await stage.play(insert)
    async with stage.client():
        await started.get()
        stage.compare_step("running")
        await stage.play(cancel)
        stage.compare_step("JobCancel called, maybe still running")
        await stage.play(delete)
        await told.wait()
        may_end.set()
        await finished.get()

    stage.compare_end()


@on_stage("scheduled_becomes_available")
async def test_the_leader_makes_a_due_job_available_and_says_so(stage: Stage) -> None:
    stage.jobs.task("work")(work)
    if stage.database.name == "sqlite":
        stage.ago = timedelta(seconds=3.1)  # River's leader looked this long after it had started
    finished = stage.watch(JobFinished)
    await stage.play(*stage.calls)

    async with stage.client():
        await finished.get()

    stage.compare_end()


@on_stage("periodic")
async def test_periodic_jobs_are_marked_as_rivers_are(stage: Stage) -> None:
    def hourly(does: str, id: str, tags: list[str]) -> None:
        async def doing(do: str = does, text: str = TEXT, ms: int = 90_000) -> None:
            await work(do, text, ms)

        stage.jobs.every("1h", on_start=True, id=id)(stage.jobs.task("work", tags=tags)(doing))

    hourly("ok", "hourly_ok", ["billing", "region-eu"])
    hourly("output", "hourly_output", [])
    finished = stage.watch(JobFinished)

    async with stage.client():
        await finished.get(), await finished.get()

    stage.compare_end()


@pytest.mark.slow
@on_stage("queue_ops")
async def test_queues_are_paused_and_leaders_step_down_as_rivers_do(stage: Stage) -> None:
    stage.jobs.task("work")(work)
    finished, leader = stage.watch(JobFinished), stage.watch(LeaderChanged)

    async with stage.client(queues=["default", "emails"], elect_interval=0.1):
        await leader.get()
        stage.compare_step("client started, ~2.5 s in")
        for call in stage.calls:
            name = call["api"]
            if name != "Insert while paused":
                await stage.play(call)
            if name == "QueueResume(*)":
                await finished.get()
            if name == "Notify().RequestResign":
                await leader.get(), await leader.get()  # down, and up again when nobody else was there
            if name != "Client.Insert":
                stage.compare_step(name)

    stage.compare_step("after Stop")
    stage.compare_end()
