"""Who leads: at once when nobody does, trusted for less than the lease, given up when asked or at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.stage import Flaky
from ferryman.engine.leader import Leader
from ferryman.engine.outage import Report
from ferryman.engine.service import background
from ferryman.events import LeaderChanged, ServiceFailed
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.testing import FakeClock, Recorder


class Candidate:
    """A leader, and what it tells."""

    def __init__(self, name: str, storage: AsyncStorage | Flaky, clock: FakeClock, enabled: bool = True) -> None:
        self.seen = Recorder()
        self.leader = Leader(
            storage,  # type: ignore[arg-type]
            name,
            interval=3600,
            enabled=enabled,
            clock=clock,
            events=self.seen.bus,
        )

    async def changed(self, leading: bool) -> None:
        assert await self.seen.wait_for(LeaderChanged) == LeaderChanged(leading)
        assert self.leader.leading is leading

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with background(self.leader.run):
            yield


@pytest.fixture
def ada(flaky: Flaky, clock: FakeClock) -> Candidate:
    return Candidate("ada", flaky, clock)


@pytest.fixture
def bob(storage: AsyncStorage, clock: FakeClock) -> Candidate:
    return Candidate("bob", storage, clock)


async def test_the_first_leads_at_once_and_the_second_does_not(
    ada: Candidate, bob: Candidate, flaky: Flaky, storage: AsyncStorage, clock: FakeClock
) -> None:
    second = Candidate("bob", flaky, clock)
    async with ada.running():
        await ada.changed(True)
        async with second.running():
            await flaky.asked("elect", 2)

            assert not second.leader.leading
            assert second.seen.events == []


async def test_a_leader_that_stops_steps_down_and_another_takes_over_when_told(ada: Candidate, bob: Candidate) -> None:
    async with bob.running():
        await bob.changed(True)
        async with ada.running():
            pass
    await bob.changed(False)

    async with ada.running():
        await ada.changed(True)


async def test_a_follower_tries_at_once_when_the_leader_resigned(ada: Candidate, bob: Candidate, flaky: Flaky) -> None:
    async with bob.running():
        await bob.changed(True)
        async with ada.running():
            await flaky.asked("elect", 1)
            bob.leader.resign()
            await bob.changed(False)

            ada.leader.seek("bob")

            await ada.changed(True)


async def test_its_own_resigning_is_no_reason_to_try(ada: Candidate, flaky: Flaky, clock: FakeClock) -> None:
    async with ada.running():
        await ada.changed(True)
        ada.leader.resign()
        await ada.changed(False)

        ada.leader.seek("ada")
        await clock.advance(0)

        assert flaky.calls.count("elect") == 1


async def test_asking_a_follower_to_resign_changes_nothing(ada: Candidate, bob: Candidate, flaky: Flaky) -> None:
    async with bob.running():
        await bob.changed(True)
        async with ada.running():
            await flaky.asked("elect", 1)

            ada.leader.resign()
            ada.leader.seek("carol")
            await flaky.asked("elect", 2)

    assert flaky.calls.count("resign") == 0


async def test_who_is_asked_to_resign_while_it_is_being_elected_does_so(ada: Candidate, flaky: Flaky) -> None:
    """In the table it leads already, and whoever looked there may ask before the answer has come."""
    answered = asyncio.Event()

    async def hold(verb: str) -> None:
        if verb == "elect":
            await answered.wait()

    flaky.before = hold
    async with ada.running():
        await flaky.asked("elect", 1)

        ada.leader.resign()
        answered.set()

        assert await ada.seen.wait_for(LeaderChanged) == LeaderChanged(True)
        await ada.changed(False)
        await flaky.asked("resign", 1)


async def test_a_leader_whose_lease_ran_out_and_was_taken_is_none_any_more(
    ada: Candidate, bob: Candidate, clock: FakeClock
) -> None:
    async with ada.running():
        await ada.changed(True)
        await clock.advance(20)
        async with bob.running():
            await bob.changed(True)

            ada.leader.seek("somebody")

            await ada.changed(False)


async def test_a_leader_keeps_its_term(ada: Candidate, bob: Candidate, flaky: Flaky, clock: FakeClock) -> None:
    async with ada.running():
        await ada.changed(True)
        for times in range(2, 6):
            await clock.advance(10)
            ada.leader.seek("somebody")
            await flaky.asked("elect", times)

        async with bob.running():
            assert ada.leader.leading
            assert bob.seen.events == []

    assert ada.seen.events == [LeaderChanged(True), LeaderChanged(False)]


async def test_in_an_outage_it_leads_as_long_as_its_term_can_be_trusted(ada: Candidate, flaky: Flaky) -> None:
    async with ada.running():
        await ada.changed(True)
        flaky.break_down()
        ada.leader.seek("somebody")
        await flaky.asked("elect", 2)
        assert ada.leader.leading

        ada.leader._trusted_until = 0
        assert not ada.leader.leading
        ada.leader.seek("somebody")
        await ada.changed(False)

        flaky.recover()
        await asyncio.sleep(0)


async def test_trust_ends_a_second_before_the_lease(ada: Candidate, monkeypatch: pytest.MonkeyPatch) -> None:
    from ferryman.storage.river.verbs.leaders import LEASE

    async with ada.running():
        await ada.changed(True)
        trusted = ada.leader._trusted_until - asyncio.get_running_loop().time()

    assert LEASE.total_seconds() - 1.5 < trusted <= LEASE.total_seconds() - 1


async def test_a_worker_that_may_not_lead_never_tries(flaky: Flaky, clock: FakeClock) -> None:
    carol = Candidate("carol", flaky, clock, enabled=False)

    async with carol.running():
        await asyncio.sleep(0)

    assert flaky.calls == []


# Chores


async def test_chores_run_at_once_on_election_and_again_and_again(
    ada: Candidate, clock: FakeClock, report: Report
) -> None:
    ran: list[float] = []
    start = clock.now()

    async def tick() -> None:
        ran.append((clock.now() - start).total_seconds())

    async with background(ada.leader.only(30, tick, report=report)):
        await clock.advance(100)
        assert ran == []

        async with ada.running():
            await ada.changed(True)
            await clock.advance(100)

    assert ran == [100, 130, 160, 190]


async def test_chores_stop_when_the_leadership_is_lost_and_go_on_when_it_is_back(
    ada: Candidate, clock: FakeClock, report: Report
) -> None:
    ran = []

    async def tick() -> None:
        ran.append(clock.now())

    async with background(ada.leader.only(30, tick, report=report)), ada.running():
        await ada.changed(True)
        await clock.advance(30)
        assert len(ran) == 2

        ada.leader.resign()
        await ada.changed(False)
        await clock.advance(100)
        assert len(ran) == 2

        ada.leader.seek("somebody")
        await ada.changed(True)
        await clock.advance(0)
        assert len(ran) == 3


async def test_a_chore_that_fails_is_tried_again_and_told_once(
    ada: Candidate, clock: FakeClock, report: Report, seen: Recorder
) -> None:
    ran = []

    async def tick() -> None:
        ran.append(clock.now())
        raise OSError("no space left")

    async with background(ada.leader.only(30, tick, report=report)), ada.running():
        await ada.changed(True)
        await clock.advance(60)

    assert len(ran) == 3
    assert [event.service for event in seen.of(ServiceFailed)] == ["cleaner"]
