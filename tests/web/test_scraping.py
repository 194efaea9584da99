"""What Prometheus reads of a dashboard."""

from __future__ import annotations

import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ferryman import Ferryman
from ferryman.errors import StorageUnavailable
from ferryman.facts import Fact, Unit
from ferryman.web import Access, Dashboard, Level
from ferryman.web.deeds import Deeds
from ferryman.web.entrance.logins import ByLogin
from ferryman.web.entrance.sessions import Sessions
from ferryman.web.entrance.users import Tokens
from web.asking import Asking
from web.conftest import Shop, everything
from web.test_looking import counted
from web.test_storage_page import seen, telling

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def numbers(there: Asking) -> Numbers:
    """Return what is told, as Prometheus's own parser reads it."""
    answer = await there.get("/-/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def number(told: Numbers, name: str, **labels: str) -> float | None:
    return told.get((f"ferryman_{name}", frozenset(labels.items())))


async def test_what_waits_and_how_large_the_storage_is_is_told(shop: Shop) -> None:
    await seen(shop)

    told = await numbers(shop.there)

    assert number(told, "jobs", storage="main", queue="mail", state="available") == 1
    assert number(told, "queue_paused", storage="main", queue="mail") == 1
    assert number(told, "queue_workers", storage="main", queue="default") == 1
    assert {dict(labels)["what"] for name, labels in told if name == "ferryman_storage_bytes"} & {
        "used_memory",
        "river_job_size",
        "database",
    }
    is_redis = shop.jobs.settings.url.startswith("redis")
    assert (number(told, "archive_cap", storage="main", queue="mail") is not None) == is_redis


async def test_a_limit_is_told_where_there_is_one(corner: Shop) -> None:
    telling(corner, [Fact("memory", "used memory", 76, Unit.BYTES, most=100), Fact("file", "WAL", 5, Unit.BYTES)])
    await seen(corner)

    told = await numbers(corner.there)

    assert number(told, "storage_bytes", storage="main", what="wal") == 5
    assert number(told, "storage_limit_bytes", storage="main", what="used_memory") == 100
    assert number(told, "storage_limit_bytes", storage="main", what="wal") is None


async def test_no_scrape_asks_the_storage_itself(corner: Shop) -> None:
    looks = counted(corner.there)

    for _ in range(20):
        await numbers(corner.there)

    assert looks.calls == 1


async def test_what_cannot_be_read_is_not_told_as_it_was(corner: Shop) -> None:
    looks = counted(corner.there)
    before = await numbers(corner.there)
    looks.error = StorageUnavailable("gone")
    await corner.there.dashboard.board.places["main"].collector.anew()

    told = await numbers(corner.there)

    assert number(told, "queue_workers", storage="main", queue="default") is None
    last = number(told, "collector_last_success_timestamp_seconds", storage="main")
    assert last == number(before, "collector_last_success_timestamp_seconds", storage="main")


async def test_each_name_stands_once_however_many_storages_there_are(corner: Shop) -> None:
    async with Ferryman("sqlite://", config=None) as other:
        board = Dashboard(
            {"main": corner.jobs, "billing": other}, auth=lambda request: Access(Level.VIEW, "prometheus")
        )
        async with Asking(board) as there:
            text = (await there.get("/-/metrics")).text

    assert text.count("# TYPE ferryman_collector_seconds ") == 1
    assert 'storage="main"' in text
    assert 'storage="billing"' in text


async def test_only_who_may_look_may_read_it(corner: Shop) -> None:
    way = ByLogin(None, Tokens.read(["prometheus:a-token-of-prometheus:view"], origin="a test"), Sessions())
    async with Asking(Dashboard(corner.jobs, auth=way)) as there:
        stranger = await there.get("/-/metrics")
        known = await there.get("/-/metrics", headers={"Authorization": "Bearer a-token-of-prometheus"})

    assert (stranger.status_code, stranger.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "ferryman_" not in stranger.text
    assert known.status_code == 200


async def test_every_action_is_counted_from_0_on_by_how_it_ended(corner: Shop) -> None:
    async def ended(action: str, outcome: str) -> float | None:
        return number(await numbers(corner.there), "dashboard_actions_total", action=action, outcome=outcome)

    assert (await ended("queue.pause", "done"), await ended("job.delete", "not_found")) == (0, 0)

    await corner.there.post("/s/main/queues/pause", {"name": "default"})
    await corner.there.post("/s/main/queues/pause", {"name": "nowhere"})
    await corner.there.api("POST", "/jobs/act", {"action": "delete", "refs": ["99999"]})

    assert (await ended("queue.pause", "done"), await ended("queue.pause", "refused")) == (1, 1)
    assert await ended("job.delete", "not_found") == 1


def test_an_error_that_is_none_of_the_storages_rules_is_counted_as_one() -> None:
    deeds = Deeds()

    with pytest.raises(StorageUnavailable), deeds.counting("queue.pause"):
        raise StorageUnavailable("gone")

    assert deeds.counts["queue.pause", "error"] == 1


async def test_without_its_package_it_says_what_to_install(corner: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("families", "written"):
        monkeypatch.delitem(sys.modules, f"ferryman.metrics.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    async with Asking(everything(corner.jobs)) as there:
        answer = await there.get("/-/metrics")

    assert (answer.status_code, "ferryman[metrics]" in answer.text) == (501, True)
