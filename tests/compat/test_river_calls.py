"""What our storage leaves is what River leaves, on both its databases, column by column (design.md 1.2).

Every recorded scenario that needs no worker is played through the seam; those with one
are in test_river_worked.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from databases import Database
from recorded_tables import differences
from replay import SCENARIOS, Player, answer, called_at, was_recorded
from since_043 import today

from ferryman.storage.river.verbs import insert

PLAYED = [
    "insert_defaults",
    "insert_errors",
    "insert_every_option",
    "insert_many",
    "insert_pending",
    "insert_scheduled",
    "job_cancel_retry_delete",
    "notify_insert",
    "unique_by_args",
    "unique_by_period",
    "unique_by_period_tz_new_york",
    "unique_by_queue",
    "unique_by_state",
    "unique_exclude_kind",
    "unique_from_args_opts",
    "unique_struct_tags",
]
WORKED = {
    "periodic",
    "queue_ops",
    "rescued",
    "running_job",
    "scheduled_becomes_available",
    "soft_stop",
    "worked_cancelled",
    "worked_completed",
    "worked_discarded",
    "worked_errored",
    "worked_output",
    "worked_panicked",
    "worked_resumable",
    "worked_snoozed",
    "worked_timeout",
}
VALUES = {"retry_policy", "struct_tags", "unique_key_unit"}
"""Tables of values, which others compare with."""

STEPS = {
    "InsertMany": 1,
    "InsertManyFast": 2,
    "JobCancel on available, scheduled, pending": 6,
    "JobRetry": 8,
}
"""In-between state → how many calls come before it."""

# River's client looks at its clock some milliseconds after it was called.
NEAR = timedelta(milliseconds=50)


@pytest.fixture
async def player(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Player]:
    """A player whose calls keep the distance that the recorded ones had: notices are limited by it."""
    async with database.storage() as storage:
        player = Player(database, storage)
        # On Postgres we tell of every insert, lest a job waits for the next poll: here as seldom as River does.
        monkeypatch.setattr(storage.jobs, "_limiter", insert.NoticeLimiter())
        monkeypatch.setattr(insert, "time", SimpleNamespace(monotonic=lambda: player.now.timestamp()))
        yield player


@pytest.mark.parametrize("name", PLAYED)
async def test_calls_answer_and_leave_what_rivers_did(name: str, player: Player, database: Database) -> None:
    if not was_recorded(name, database.name):
        pytest.skip(f"it was not recorded on {database.name}")
    recording = today(name, database.name)
    calls = [call for call in recording["calls"] if "api" in call]
    steps = {STEPS[step["after"]]: step["tables"] for step in recording.get("steps", ())}

    for number, call in enumerate(calls, start=1):
        assert await player.play(call) == answer(call), call
        if number in steps:
            assert differences(database.tables(), steps.pop(number), within=NEAR) == ""

    assert differences(database.tables(), recording["tables"], within=NEAR) == ""
    assert not steps


async def test_a_queue_keeps_the_time_of_its_first_pause(player: Player, database: Database) -> None:
    """The first part of queue_ops, at the recorded times: a worker of today cannot keep them."""
    recording = today("queue_ops", database.name)
    await player.storage.queues.announce(["default", "emails"], now=called_at(recording["calls"][0]))
    made = [call for call in recording["calls"] if "api" in call and call["api"] != "Insert while paused"]
    steps = [{**step["tables"], "river_leader": []} for step in recording["steps"]]

    for call, tables in zip(made[:5], steps[1:6], strict=True):
        assert await player.play(call) == answer(call)
        assert differences(database.tables(), tables, within=NEAR) == ""


def test_no_recorded_scenario_is_left_out() -> None:
    assert {*PLAYED, *WORKED, *VALUES} == SCENARIOS
