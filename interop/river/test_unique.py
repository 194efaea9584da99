"""What one side stored as unique keeps the other's duplicate out, in both orders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from tables import Tables

from ferryman import State, Unique
from programs import Enqueue, Work, until

ARGS = {"b": {"y": 1, "x": "Ünï <&>"}, "a": [2, 1.5, 1e-7], "n": 9007199254740993}
TURNED = dict(reversed(ARGS.items()))
QUARTER = timedelta(minutes=15)

BLOCKED: Mapping[str, Unique] = {
    "arguments": Unique(by_args=True),
    "period": Unique(by_period=timedelta(days=7)),
    "queue": Unique(by_queue=True),
    "state": Unique(
        by_args=True, by_states=frozenset([State.AVAILABLE, State.PENDING, State.RUNNING, State.SCHEDULED])
    ),
    "all at once": Unique(by_args=True, by_period=timedelta(days=7), by_queue=True),
}


@pytest.mark.parametrize("unique", BLOCKED.values(), ids=BLOCKED)
async def test_a_duplicate_of_the_other_sides_job_is_reported_with_that_job(
    unique: Unique, client: str, worker: str, sides: Mapping[str, Enqueue], tables: Tables
) -> None:
    first = await sides[client]("note", ARGS, unique=unique)
    second = await sides[worker]("note", TURNED, unique=unique)

    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert (second["id"], second["state"]) == (first["id"], "available")
    assert tables.counts() == {"available": 1}


DIFFERENT: Mapping[str, tuple[Unique, dict[str, str], dict[str, str]]] = {
    "arguments": (Unique(by_args=True), {}, {"more": "text"}),
    "queue": (Unique(by_queue=True), {"queue": "other"}, {}),
}


@pytest.mark.parametrize(("unique", "options", "more"), DIFFERENT.values(), ids=DIFFERENT)
async def test_what_differs_in_the_chosen_part_is_no_duplicate(
    unique: Unique,
    options: dict[str, str],
    more: dict[str, str],
    client: str,
    worker: str,
    sides: Mapping[str, Enqueue],
    tables: Tables,
) -> None:
    await sides[client]("note", ARGS, unique=unique)

    second = await sides[worker]("note", ARGS | more, unique=unique, **options)

    assert not second["duplicate"]
    assert tables.counts() == {"available": 2}


async def test_a_finished_job_keeps_others_out_only_in_the_states_that_were_said(
    client: str, worker: str, sides: Mapping[str, Enqueue], tables: Tables
) -> None:
    living = frozenset([State.AVAILABLE, State.PENDING, State.RUNNING, State.SCHEDULED])
    for kind, states in ("note", living), ("fail", living | {State.COMPLETED}):
        await sides[client](kind, {}, unique=Unique(by_args=True, by_states=states))
    tables.query("update river_job set state = 'completed', finalized_at = now()")

    again = await sides[worker]("note", {}, unique=Unique(by_args=True, by_states=living))
    blocked = await sides[worker]("fail", {}, unique=Unique(by_args=True, by_states=living | {State.COMPLETED}))

    assert (again["duplicate"], blocked["duplicate"], blocked["state"]) == (False, True, "completed")


async def test_the_tags_of_gos_struct_are_our_paths(
    client: str, worker: str, sides: Mapping[str, Enqueue], tables: Tables
) -> None:
    unique = Unique(by_args=("customer.id", "total"))

    def order(**said: object) -> object:
        return {"customer": {"id": "c-7", "name": "Ada"}, "total": 5, "note": "", **said}

    first = await sides[client]("order", order(), unique=unique)
    same = await sides[worker]("order", order(customer={"id": "c-7", "name": "Bob"}, note="x"), unique=unique)
    other = await sides[worker]("order", order(total=6), unique=unique)

    assert (same["duplicate"], same["id"], other["duplicate"]) == (True, first["id"], False)


async def test_a_scheduled_jobs_period_is_that_of_its_own_time(
    client: str, worker: str, sides: Mapping[str, Enqueue], tables: Tables
) -> None:
    unique = Unique(by_period=QUARTER)
    at = "2031-05-06T07:{:02}:00+05:30"

    first = await sides[client]("note", {}, unique=unique, at=moment(at.format(31)))
    same = await sides[worker]("note", {}, unique=unique, at=moment(at.format(44)))
    next = await sides[worker]("note", {}, unique=unique, at=moment(at.format(45)))

    assert (same["duplicate"], same["id"], next["duplicate"]) == (True, first["id"], False)


async def test_a_due_job_whose_key_was_taken_meanwhile_is_discarded_the_same_by_both(
    client: str, worker: str, sides: Mapping[str, Enqueue], tables: Tables, work: Work
) -> None:
    waiting = frozenset([State.AVAILABLE, State.PENDING, State.RUNNING, State.SCHEDULED])
    retried = Unique(by_args=True, by_states=waiting)
    loser = await sides[client]("note", {}, unique=retried)
    tables.query("update river_job set state = 'retryable', attempt = 1, errors = '{}'")
    winner = await sides[client]("note", {}, unique=retried, queue="nobodys")
    assert not winner["duplicate"]

    async with work(worker):
        await until(lambda: is_in(tables, loser["id"], "discarded"))

    row = tables.job(loser["id"])
    assert json.loads(row["metadata"]) == {"unique_key_conflict": "scheduler_discarded"}
    assert row["finalized_at"] is not None
    assert tables.job(winner["id"])["state"] == "available"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def is_in(tables: Tables, id: str, state: str) -> bool:
    return bool(tables.job(id)["state"] == state)
