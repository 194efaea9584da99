"""When a worker counts as live and as ready: a storage that is away must not restart it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from ferryman.health.vitals import Vitals


def running(**now: Any) -> Vitals:
    """A worker that has started, in a state of its parts."""
    turned = time.monotonic() - now.pop("turned_ago", 0.0)
    waits = now.pop("waits_for", None)
    vitals = Vitals()
    vitals.loop_at -= now.pop("loop_turned_ago", 0.0)
    fetcher: Any = SimpleNamespace(
        turned_at=turned,
        waits_since=None if waits is None else time.monotonic() - waits,
        stopping=now.pop("stopping", False),
        quiet=now.pop("quiet", False),
        poll=1.0,
        executor=SimpleNamespace(running=[1, 2]),
    )
    outage: Any = SimpleNamespace(lasts=now.pop("outage", False))
    vitals.watch(fetcher, outage)
    vitals.started = now.pop("started", True)
    assert not now
    return vitals


def test_a_worker_that_works_is_live_and_ready() -> None:
    health = running().look()

    assert (health.live, health.started, health.ready, health.status, health.running) == (True, True, True, "active", 2)


def test_before_it_has_started_it_is_live_but_not_ready() -> None:
    for vitals in (Vitals(), running(started=False)):
        health = vitals.look()

        assert (health.live, health.started, health.ready, health.status) == (True, False, False, "starting")


@pytest.mark.parametrize("stopped", [{"loop_turned_ago": 61.0}, {"turned_ago": 62.0}])
def test_it_is_not_live_when_a_loop_no_longer_turns(stopped: dict[str, float]) -> None:
    health = running(**stopped).look()

    assert (health.live, health.ready) == (False, False)


@pytest.mark.parametrize("away", [{"outage": True}, {"waits_for": 16.0}, {"waits_for": 300.0, "turned_ago": 300.0}])
def test_a_storage_that_is_away_makes_it_unready_and_leaves_it_live(away: dict[str, Any]) -> None:
    health = running(**away).look()

    assert (health.live, health.ready, health.storage) == (True, False, "does not answer")


@pytest.mark.parametrize(
    ("told", "status"), [({"stopping": True, "turned_ago": 300.0}, "draining"), ({"quiet": True}, "quiet")]
)
def test_one_that_takes_no_more_jobs_is_unready_and_stays_live(told: dict[str, Any], status: str) -> None:
    health = running(**told).look()

    assert (health.live, health.ready, health.status) == (True, False, status)
