"""There is one leader among the workers of both sides, and the other side follows when it goes."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from tables import Tables

from ferryman.storage.river.postgres._async.storage import AsyncPostgresStorage
from ferryman.storage.river.postgres.location import Location
from programs import Asker, Enqueue, Work, until


async def leads(tables: Tables, name: str) -> bool:
    return tables.leader() == name


async def listens(tables: Tables, workers: int = 1) -> bool:
    sql = """
    select 1 from pg_stat_activity
    where datname = current_database() and query ilike 'listen%%' and state = 'idle'
    """
    return len(tables.query(sql)) >= workers


async def test_the_other_side_leads_when_the_leader_stops(work: Work, client: str, worker: str, tables: Tables) -> None:
    async with work(client, name="first") as first:
        await until(lambda: leads(tables, "first"))
        async with work(worker, name="second"):
            await until(lambda: listens(tables, 2))
            await first.stop()
            # River would look again in five or six seconds only: it heard that the first resigned.
            await until(lambda: leads(tables, "second"))


async def test_a_leader_that_is_asked_by_the_other_side_steps_down_and_begins_another_term(
    work: Work, client: str, worker: str, tables: Tables, go: Asker, url: str
) -> None:
    async with work(worker, name="first"):
        await until(lambda: leads(tables, "first"))
        await until(lambda: listens(tables))
        (term,) = tables.query("select elected_at from river_leader")
        if client == "go":
            await go.ask("request_resign")
        else:
            async with AsyncPostgresStorage(Location.parse(url)) as storage:
                await storage.notices.request_resign()

        async def another() -> bool:
            return tables.query("select elected_at from river_leader") not in ([], [term])

        await until(another)


async def test_the_other_side_leads_when_the_term_of_a_killed_leader_has_run_out(
    work: Work, client: str, worker: str, tables: Tables
) -> None:
    async with work(client, name="first") as first:
        await until(lambda: leads(tables, "first"))
        async with work(worker, name="second"):
            await first.kill()
            assert tables.leader() == "first"
            tables.let_the_term_run_out()
            await until(lambda: leads(tables, "second"))


async def test_in_a_fleet_of_three_somebody_leads_until_the_last(
    work: Work, tables: Tables, sides: dict[str, Enqueue]
) -> None:
    async with AsyncExitStack() as stack:
        fleet = {}
        for name, side in (("a", "go"), ("b", "python"), ("c", "python")):
            fleet[name] = await stack.enter_async_context(work(side, name=name))
            await until(lambda: somebody_leads(tables, {"a"}))  # the first of them
        await until(lambda: listens(tables, 3))

        await fleet.pop("a").stop()
        second = await until(lambda: somebody_leads(tables, fleet))
        await what_is_due_is_worked(tables, sides)

        await fleet.pop(second).kill()
        tables.let_the_term_run_out()
        assert await until(lambda: somebody_leads(tables, fleet)) in {"b", "c"} - {second}
        await what_is_due_is_worked(tables, sides)


async def somebody_leads(tables: Tables, names: Collection[str]) -> str | None:
    return name if (name := tables.leader()) in names else None


async def what_is_due_is_worked(tables: Tables, sides: dict[str, Enqueue]) -> None:
    """Show that the leader does what only leaders do."""
    job = await sides["go"]("order", {}, at=datetime.now(UTC) + timedelta(milliseconds=200))

    async def is_over() -> bool:
        return tables.job(job["id"])["state"] == "completed"

    await until(is_over)


async def test_a_leader_keeps_its_term_while_it_lives(work: Work, client: str, worker: str, tables: Tables) -> None:
    async with work(client, name="first"), work(worker, name="second"):
        await until(lambda: leads(tables, "first"))
        (before,) = tables.query("select elected_at, expires_at from river_leader")

        async def is_renewed() -> bool:
            (now,) = tables.query("select elected_at, expires_at from river_leader")
            assert now["elected_at"] == before["elected_at"]
            return bool(now["expires_at"] > before["expires_at"])

        await until(is_renewed)
        assert tables.leader() == "first"


async def test_what_one_sides_leader_enqueues_by_the_clock_the_other_side_works(
    work: Work, client: str, worker: str, tables: Tables
) -> None:
    async with work(client, name="clock", every=3600, queues=["elsewhere"]):
        await until(lambda: leads(tables, "clock"))
        async with work(worker) as program:
            tick = await program.hears("seen", kind="tick")

    row = tables.job(tick["id"])
    metadata = json.loads(row["metadata"])
    assert (row["queue"], tick["attempt"]) == ("default", 1)
    assert {"periodic": True, "river:periodic_job_id": "tick"}.items() <= metadata.items()
