"""What our workers say of themselves and of their schedules is what asynq's programs say, key by key."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asynq_calls import Call, Player, moment
from asynq_server import Server
from asynq_store import Length, Store
from msgspec.structs import replace

from ferryman.job import NewJob
from ferryman.outcome import Completed
from ferryman.storage.infos import Running, ScheduleInfo


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("player", names, indirect=True)


ASYNQS_QUEUES = {"critical": 6, "default": 3, "low": 1}


@on("server_idle")
async def test_a_worker_that_waits_is_shown_as_a_server(player: Player) -> None:
    server = Server(player, concurrency=4, queues=ASYNQS_QUEUES)

    await server.beat()
    player.compare(after="idle server")
    await server.leave()

    player.compare()


@on("server_active_task")
async def test_a_worker_shows_what_it_works_on(player: Player) -> None:
    first, second, *_ = player.calls
    await player.play_all([first, second])
    server = Server(player, concurrency=4, queues=ASYNQS_QUEUES)
    await server.beat()
    await server.take()
    player.compare(after="both tasks active, before the next heartbeat")

    began = player.now
    running = tuple(
        Running(
            ref=job.ref,
            kind=job.kind,
            args=job.args,
            since=began,
            until=job.deadline or began + timedelta(seconds=job.timeout or 0),
        )
        for job in server.running.values()
    )
    player.now += timedelta(seconds=5)
    await server.beat(running=running)
    await player.storage.jobs.extend([job.ref for job in running], worker="vm", now=player.now)
    player.compare(after="after a heartbeat (workers hash written)")
    await server.end(act=Completed(), act_deadline=Completed())
    player.compare(after="tasks done, server up")
    await server.leave()

    player.compare()


# Schedules


@on("scheduler", "periodic_task_manager")
async def test_schedules_and_what_they_enqueued_are_shown_as_asynqs(player: Player) -> None:
    *_, step = player.recording["steps"]
    entries = scheduled(step)
    player.now = moment(step["dumped_unix_ns"]) + player.shift
    expires_in = timedelta(seconds=2)  # twice the recorded interval
    worker = replace(Server(player).worker, schedules=tuple(schedule(entry, player) for entry in entries))
    await player.storage.workers.beat(worker, expires_in=expires_in, now=player.now)
    for entry in entries:
        for event in history(step, entry["id"]):
            at = datetime.fromisoformat(event["enqueue_time"][:26]).replace(tzinfo=UTC) + player.shift
            job = replace(schedule(entry, player).job, periodic=entry["id"])
            (inserted,) = await player.storage.jobs.insert([job], now=at)
            player.ids[event["task_id"]] = inserted.ref.id

    await player.storage.workers.leave(worker.id)

    player.compare(one_list_for_all_workers, a_history_that_ends, after=step["after"])


def scheduled(step: Call) -> list[dict[str, Any]]:
    (key,) = (key for key in step["keys"] if key.startswith("asynq:schedulers:{"))
    return [each["decoded"] for each in step["keys"][key]["value"]][::-1]


def history(step: Call, id: str) -> list[dict[str, Any]]:
    found = step["keys"].get(f"asynq:scheduler_history:{id}", {"value": []})
    return [each["member"]["decoded"] for each in found["value"]]


def schedule(entry: Mapping[str, Any], player: Player) -> ScheduleInfo:
    """Make our schedule of a recorded one."""
    said = dict(option.removesuffix(")").split("(", 1) for option in entry["enqueue_options"])
    job = NewJob(
        kind=entry["task_type"],
        args=b64decode(entry["task_payload"]),
        queue=json.loads(said["Queue"]),
        id=json.loads(said["TaskID"]) if "TaskID" in said else None,
        group=json.loads(said["Group"]) if "Group" in said else None,
        max_attempts=int(said["MaxRetry"]) + 1 if "MaxRetry" in said else None,
        timeout=90.0 if "Timeout" in said else None,
        retention=86_400.0 if "Retention" in said else None,
        deadline=datetime(2030, 1, 1, tzinfo=UTC) if "Deadline" in said else None,
        headers=dict([json.loads(said["Header"])]) if "Header" in said else None,
    )
    return ScheduleInfo(
        id=entry["id"],
        spec=entry["spec"],
        job=job,
        next_at=shifted(entry["next_enqueue_time"], player),
        last_at=shifted(entry["prev_enqueue_time"], player),
    )


def shifted(text: str, player: Player) -> datetime | None:
    at = datetime.fromisoformat(text)
    return None if at.year == 1 else at + player.shift


def one_list_for_all_workers(recorded: Store) -> None:
    """Ours is shared by all workers that have these schedules, and says options in its own order, without the delay."""
    ((key, second),) = recorded["asynq:schedulers"][1]
    kind, entries, _ = recorded.pop(key)
    for entry in entries:
        said = {text.partition("(")[0]: text for text in entry["enqueue_options"]}
        entry["enqueue_options"] = tuple(said[name] for name in _ORDER if name in said)
    ours = key.replace("vm:16482", "ferryman:0")
    recorded["asynq:schedulers"] = ("zset", [(ours, second)], None)
    recorded[ours] = (kind, entries, Length(2))


def a_history_that_ends(recorded: Store) -> None:
    """Defect D21: asynq's stays for ever."""
    for key in [key for key in recorded if key.startswith("asynq:scheduler_history")]:
        recorded[key] = (*recorded[key][:2], Length(90 * 86_400))


_ORDER = ("Queue", "MaxRetry", "TaskID", "Timeout", "Deadline", "Retention", "Group", "Header")
