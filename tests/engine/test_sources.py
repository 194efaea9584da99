"""Schedules that come from elsewhere: taken over by what has changed (spec/asynq.md 6.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from ferryman import Ferryman
from ferryman.clock import SystemClock
from ferryman.engine.outage import Outage, Report
from ferryman.engine.service import reported
from ferryman.engine.sources import Resync
from ferryman.errors import ConfigError
from ferryman.events import ServiceFailed
from ferryman.scheduled import Scheduled
from ferryman.schedules import Schedules
from ferryman.task import Tasks
from ferryman.testing import Recorder

Account = int


@pytest.fixture
def report(tasks: Tasks) -> Any:
    """A task that is enqueued for each account."""

    @tasks.task("report")
    async def report(account: int = 0) -> None: ...

    return report


class Accounts:
    """Where schedules come from: a table of the program's own."""

    def __init__(self, tasks: Tasks, report: Any) -> None:
        self.rows: list[Scheduled] = []
        self.broken: Exception | None = None
        self.report = report
        Schedules(tasks).source(every="3m")(self.find)
        self._resync = Resync(tasks.sources[0], tasks)

    async def find(self) -> Iterable[Scheduled]:
        if self.broken:
            raise self.broken
        return self.rows

    def has(self, account: Account, **when: Any) -> Scheduled:
        """Return a row, as it is read anew each time."""
        return Scheduled(self.report.using(queue="slow").job(account), id=f"report of {account}", **when)

    async def sync(self, *rows: Scheduled) -> None:
        self.rows = list(rows)
        await self._resync.tick()


@pytest.fixture
def accounts(tasks: Tasks, report: Any) -> Accounts:
    return Accounts(tasks, report)


async def test_what_a_source_says_is_enqueued_with_its_own_arguments(tasks: Tasks, accounts: Accounts) -> None:
    await accounts.sync(accounts.has(7, cron="0 6 * * *"), accounts.has(8, every="1h"))

    assert [(entry.id, entry.spec) for entry in tasks.periodic] == [
        ("report of 7", "0 6 * * *"),
        ("report of 8", "@every 1h"),
    ]
    assert [(entry.task.job().args, entry.task.job().queue) for entry in tasks.periodic] == [
        (b'{"account":7}', "slow"),
        (b'{"account":8}', "slow"),
    ]


async def test_what_it_says_again_goes_on_and_what_it_says_no_more_ends(tasks: Tasks, accounts: Accounts) -> None:
    await accounts.sync(accounts.has(7, every="1h"), accounts.has(8, every="1h"))
    seven, eight = tasks.periodic

    await accounts.sync(accounts.has(8, every="1h"), accounts.has(9, every="2h"))

    # Whoever counts an interval knows it by its entry, so equal entries are what keeps it from beginning anew.
    assert (tasks.periodic[0], hash(tasks.periodic[0])) == (eight, hash(eight))
    assert [entry.id for entry in tasks.periodic] == ["report of 8", "report of 9"]
    assert seven not in tasks.periodic


async def test_a_row_that_has_changed_begins_anew(tasks: Tasks, accounts: Accounts) -> None:
    await accounts.sync(accounts.has(7, every="1h"))
    (before,) = tasks.periodic

    await accounts.sync(accounts.has(7, every="2h"))

    assert tasks.periodic != [before]
    assert [entry.spec for entry in tasks.periodic] == ["@every 2h"]


async def test_a_task_that_is_said_each_time_anew_goes_on_too(tasks: Tasks, accounts: Accounts) -> None:
    await accounts.sync(Scheduled(accounts.report.using(delay="10m"), every="1h"))
    (before,) = tasks.periodic

    await accounts.sync(Scheduled(accounts.report.using(delay="10m"), every="1h"))

    assert tasks.periodic == [before]


async def test_a_source_that_fails_has_said_nothing(tasks: Tasks, accounts: Accounts, seen: Recorder) -> None:
    await accounts.sync(accounts.has(7, every="1h"))
    accounts.broken = OSError("the table is away")

    await reported(accounts._resync.tick, Report("schedules", Outage(SystemClock(), seen.bus)))

    assert [entry.id for entry in tasks.periodic] == ["report of 7"]
    (failed,) = seen.of(ServiceFailed)
    assert (failed.service, str(failed.error)) == ("schedules", "the table is away")


async def test_a_row_that_is_wrong_is_left_out_and_told(tasks: Tasks, accounts: Accounts) -> None:
    with pytest.raises(ConfigError, match="61"):
        await accounts.sync(accounts.has(7, cron="61 * * * *"), accounts.has(8, every="1h"))

    assert [entry.id for entry in tasks.periodic] == ["report of 8"]


async def test_ids_that_are_taken_change_nothing(tasks: Tasks, accounts: Accounts) -> None:
    Schedules(tasks).add(accounts.report, every="1d")
    await accounts.sync(accounts.has(7, every="1h"))

    with pytest.raises(ConfigError, match='Two schedules have the id "report"'):
        await accounts.sync(Scheduled(accounts.report, every="1h"))

    assert [entry.id for entry in tasks.periodic] == ["report", "report of 7"]


async def test_a_plain_function_may_say_it(tasks: Tasks, report: Any) -> None:
    Schedules(tasks).source(every="1m")(lambda: [Scheduled(report.job(7), every="1h")])

    await Resync(tasks.sources[0], tasks).tick()

    assert [entry.task.job().args for entry in tasks.periodic] == [b'{"account":7}']


async def test_a_worker_asks_its_sources_and_enqueues_what_they_say() -> None:
    jobs, worked = Ferryman("sqlite://"), asyncio.Event()

    @jobs.task("report")
    async def report(account: int) -> None:
        if account == 7:
            worked.set()

    @jobs.periodic.source(every="1h")
    async def accounts() -> list[Scheduled]:
        return [Scheduled(report.job(7), every="1d", on_start=True, id="report of 7")]

    async with asyncio.timeout(60), jobs, jobs.worker():
        await worked.wait()

    assert [entry.id for entry in jobs.periodic] == ["report of 7"]
