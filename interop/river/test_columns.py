"""A job is the same row, column by column, whichever side enqueued it and whichever worked it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tables import Tables, shape

from ferryman import State, Unique
from programs import Enqueue, Work, until

AT = datetime(2031, 5, 6, 7, 8, 9, 123456, UTC)

INSERTED: Mapping[str, dict[str, Any]] = {
    "nothing said": {},
    "everything said": {
        "queue": "e-mails_2",
        "priority": 4,
        "retries": 6,
        "tags": ["billing", "region-eu"],
        "metadata": {"trace_id": "abc", "größe": [1, {"a": None}], "a<b>&": 1.5},
    },
    "later": {"at": AT},
    "parked": {"pending": True},
    "unique": {"unique": Unique(by_args=True, by_queue=True, by_period=timedelta(hours=24))},
    "unique in states": {
        "unique": Unique(
            by_args=True,
            by_states=frozenset(
                [State.AVAILABLE, State.PENDING, State.RUNNING, State.SCHEDULED, State.CANCELLED, State.DISCARDED]
            ),
        )
    },
    "unique later": {"at": AT, "unique": Unique(by_period=timedelta(minutes=15))},
    "unique whatever the kind": {"unique": Unique(by_queue=True, exclude_kind=True)},
}
ARGS = {"user_id": 42, "text": 'Ünï <b>&\u2028 \\ "', "n": 12345678901234567890, "f": 1e21, "list": [], "no": None}


@pytest.mark.parametrize("options", INSERTED.values(), ids=INSERTED)
async def test_both_sides_insert_the_same_row(
    options: dict[str, Any], sides: Mapping[str, Enqueue], tables: Tables
) -> None:
    rows = {}
    for side, enqueue in sides.items():
        rows[side] = tables.job((await enqueue("note", ARGS, **options))["id"])
        tables.query("delete from river_job")

    assert shape(rows["python"]) == shape(rows["go"])
    if "at" in options:
        assert rows["python"]["scheduled_at"] == rows["go"]["scheduled_at"]


OUTCOMES: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "done": ("note", {}, "completed"),
    "done with an output": ("result", {}, "completed"),
    "failed": ("fail", {"retries": 3}, "retryable"),
    "failed for good": ("fail", {"retries": 0}, "discarded"),
    "cancelled": ("revoke", {}, "cancelled"),
    "snoozed": ("later", {}, "scheduled"),
}


@pytest.mark.parametrize(("kind", "options", "state"), OUTCOMES.values(), ids=OUTCOMES)
async def test_both_sides_leave_the_same_row_when_they_have_worked(
    kind: str, options: dict[str, Any], state: str, sides: Mapping[str, Enqueue], work: Work, tables: Tables
) -> None:
    rows = []
    for client in sides:
        for worker in sides:
            id = (await sides[client](kind, {"text": "no such ädress"}, **options))["id"]
            async with work(worker, name="somebody", retry_in=600) as program:
                seen = await program.hears("seen", id=id)
                await until(lambda id=id: is_in(tables, id, state))
            rows.append((seen | {"id": "", "payload": json.loads(seen["payload"])}, shape(tables.job(id))))

    assert rows[1:] == rows[:1] * 3
    assert rows[0][1]["attempted_by"] == ["somebody"]


async def test_one_side_tries_again_what_failed_on_the_other(
    enqueue: Enqueue, work: Work, client: str, worker: str, tables: Tables
) -> None:
    id = await enqueue("fail", {"text": "twice"}, retries=1, tags=["first-class"], priority=2)

    async with work(worker, name=worker, retry_in=600) as program:
        first = await program.hears("seen", id=id)
        await until(lambda: is_in(tables, id, "retryable"))
    tables.query("update river_job set scheduled_at = now()")
    async with work(client, name=client) as program:
        second = await program.hears("seen", id=id, attempt=2)
        await until(lambda: is_in(tables, id, "discarded"))

    row = tables.job(id)
    assert {**first, "attempt": 2} == second
    assert [(error["attempt"], error["error"]) for error in row["errors"]] == [(1, "twice"), (2, "twice")]
    assert row["attempted_by"] == [worker, client]


async def is_in(tables: Tables, id: str, state: str) -> bool:
    return bool(tables.job(id)["state"] == state)
