"""What our storage leaves on SQLite is what River leaves, column by column (design.md 1.2).

Every recorded scenario that needs no worker is played through the seam; those with one
are in test_river_sqlite_worked.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from recorded_tables import differences
from replay import ON_SQLITE, Player, answer, recorded
from since_043 import UP_TO_DATE

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
_MANY = "InsertMany of 2 default + 1 emails"


@pytest.fixture
async def player(database: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Player]:
    """A player whose calls keep the distance that the recorded ones had: notices are limited by it."""
    async with AsyncSqliteStorage(Location(str(database))) as storage:
        player = Player(storage)
        monkeypatch.setattr(insert, "time", SimpleNamespace(monotonic=lambda: player.now.timestamp()))
        yield player


def up_to_date(name: str) -> dict[str, Any]:
    recording = recorded(f"sqlite_{name}")
    recording["calls"] = [call for call in map(with_params, recording["calls"]) if "api" in call]
    UP_TO_DATE.get(name, lambda same: None)(recording)
    return recording


def with_params(call: dict[str, Any]) -> dict[str, Any]:
    """Give a call its name and jobs where the recording has a remark instead."""
    if call.get("note") != _MANY:
        return call
    job = {"kind": "send_email", "json": '{"user_id":42,"subject":"Hello"}'}
    queues = {}, {}, {"Queue": "emails"}
    stored = [{"job": {"id": id, "state": "available"}, "unique_skipped_as_duplicate": False} for id in (5, 6, 7)]
    return {**call, "api": "InsertMany", "params": [{**job, "opts": each} for each in queues], "results": stored}


@pytest.mark.parametrize("name", PLAYED)
async def test_calls_answer_and_leave_what_rivers_did(name: str, player: Player, database: Path) -> None:
    recording = up_to_date(name)
    steps = {STEPS[step["after"]]: step["tables"] for step in recording.get("steps", ())}

    for number, call in enumerate(recording["calls"], start=1):
        if call.get("order_by") not in ("time", "scheduled_at"):  # our lists have one order, the newest first
            assert await player.play(call) == answer(call), call
        if number in steps:
            assert list(differences(database, steps.pop(number), within=NEAR)) == []

    assert list(differences(database, recording["tables"], within=NEAR)) == []
    assert not steps


def test_no_recorded_scenario_is_left_out() -> None:
    schemas = {name for name in ON_SQLITE if name.startswith("schema_")}

    # Resumable jobs come with Postgres (design.md 5.26).
    assert {*PLAYED, *WORKED, "worked_resumable"} == set(ON_SQLITE) - schemas
