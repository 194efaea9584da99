"""What our storage leaves on SQLite is what River leaves, column by column (design.md 1.2).

Every recorded scenario that needs no worker is played through the seam; those with one
are in test_river_sqlite_worked.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from recorded_tables import differences
from replay import ON_SQLITE, Player, answer, called_at
from since_043 import today

from ferryman.storage.river._async.storage import AsyncSqliteStorage
from ferryman.storage.river.sqlite import Location
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
    "unique_by_queue",
    "unique_by_state",
    "unique_exclude_kind",
    "unique_from_args_opts",
    "unique_struct_tags",
]
WORKED = {
    "periodic",
    "queue_ops",
    "running_job",
    "scheduled_becomes_available",
    "soft_stop",
    "worked_cancelled",
    "worked_completed",
    "worked_discarded",
    "worked_errored",
    "worked_output",
    "worked_panicked",
    "worked_snoozed",
    "worked_timeout",
}
STEPS = {
    "InsertMany": 1,
    "JobCancel on available, scheduled, pending": 6,
    "JobRetry": 8,
}
"""In-between state → how many calls come before it."""

# River's client looks at its clock some milliseconds after it was called.
NEAR = timedelta(milliseconds=50)


@pytest.fixture
async def player(database: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Player]:
    """A player whose calls keep the distance that the recorded ones had: notices are limited by it."""
    async with AsyncSqliteStorage(Location(str(database))) as storage:
        player = Player(storage)
        monkeypatch.setattr(insert, "time", SimpleNamespace(monotonic=lambda: player.now.timestamp()))
        yield player


@pytest.mark.parametrize("name", PLAYED)
async def test_calls_answer_and_leave_what_rivers_did(name: str, player: Player, database: Path) -> None:
    recording = today(name)
    calls = [call for call in recording["calls"] if "api" in call]
    steps = {STEPS[step["after"]]: step["tables"] for step in recording.get("steps", ())}

    for number, call in enumerate(calls, start=1):
        assert await player.play(call) == answer(call), call
        if number in steps:
            assert differences(database, steps.pop(number), within=NEAR) == ""

    assert differences(database, recording["tables"], within=NEAR) == ""
    assert not steps


async def test_a_queue_keeps_the_time_of_its_first_pause(player: Player, database: Path) -> None:
    """The first part of queue_ops, at the recorded times: a worker of today cannot keep them."""
    recording = today("queue_ops")
    await player.storage.queues.announce(["default", "emails"], now=called_at(recording["calls"][0]))
    made = [call for call in recording["calls"] if "api" in call and call["api"] != "Insert while paused"]
    steps = [{**step["tables"], "river_leader": []} for step in recording["steps"]]

    for call, tables in zip(made[:5], steps[1:6], strict=True):
        assert await player.play(call) == answer(call)
        assert differences(database, tables, within=NEAR) == ""


def test_no_recorded_scenario_is_left_out() -> None:
    schemas = {name for name in ON_SQLITE if name.startswith("schema_")}

    # Resumable jobs come with Postgres (design.md 5.26).
    assert {*PLAYED, *WORKED, "worked_resumable"} == set(ON_SQLITE) - schemas
