"""What our storage leaves in Redis is what asynq's client and inspector leave, key by key (design.md 1.2).

Those recorded scenarios in which a server works are played in test_asynq_worked.py and test_asynq_shown.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from asynq_calls import SCENARIOS, Call, Player
from asynq_store import Store
from msgspec.structs import replace

from ferryman.errors import DuplicateJob, InvalidJob
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.tasks import WORDS

PLAYED = [
    "enqueue_all_options",
    "enqueue_plain",
    "enqueue_unique",
    "errors",
    "group",
    "payload_edge",
    "scheduled",
    "scheduled_unique",
    "unique_keys",
]
WALKED = {"batch_enqueue", "forwarded", "inspector_ops", "queue_paused"}
WORKED = {
    "aggregated",
    "archived",
    "cancel_processing",
    "failed_default_delay",
    "failed_retry",
    "handler_not_found",
    "lease_recovered",
    "not_a_failure",
    "panic",
    "periodic_task_manager",
    "processed_result",
    "processed_retention",
    "processed_success",
    "retention_expired",
    "revoked",
    "scheduler",
    "server_active_task",
    "server_idle",
    "server_shutdown_requeue",
    "timeout",
}


def on(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("player", names, indirect=True)


# What we do otherwise on purpose


def no_leaked_lock(recorded: Store) -> None:
    """Defect D2: asynq keeps the lock of a job that it did not store."""
    del recorded["asynq:{default}:unique:report:build:082865e8c663fe6ea89f4d99e6286eab"]


def no_nil_payload(recorded: Store) -> None:
    """Go knows two payloads without a byte; ours are all of the kind that is not nil."""
    del recorded["asynq:{default}:t:nil-payload"]
    del recorded["asynq:{default}:unique:image:resize:"]
    recorded["asynq:{default}:pending"][1].remove("nil-payload")


def lock_in_the_hash(recorded: Store) -> None:
    """Defect D13: the hash of a unique job in a group does not say its lock."""
    task = recorded["asynq:{default}:t:g3"][1]
    task["unique_key"] = task["msg"]["unique_key"]


def group_in_the_hash(recorded: Store) -> None:
    """Defect D11: asynq forgets the group of a job that is for later, and its forwarder takes it from the hash.

    Nor does that forwarder say that there is such a group, so it is said beforehand.
    """
    groups = recorded.setdefault("asynq:{default}:groups", ("set", [], None))[1]
    for kind, value, _ in list(recorded.values()):
        if kind == "hash" and value["state"] == "scheduled" and (group := value["msg"]["group_key"]):
            value["group"] = group
            groups[:] = sorted({*groups, group})


BUT_FOR: dict[str, Sequence[Callable[[Store], None]]] = {
    "enqueue_unique": (no_leaked_lock, no_nil_payload),
    "group": (lock_in_the_hash, group_in_the_hash),
}


def nil(call: Call) -> bool:
    """Whether a call is one that only Go can make: of no task, or of a nil payload with a lock."""
    task = call.get("task") if call["api"] == "Client.Enqueue" else {"type": "any"}
    return not task or (task.get("payload_nil", False) and any(o["option"] == "Unique" for o in call["options"]))


def others(call: Call) -> bool:
    """Whether a call is of the inspector, and has no counterpart here: see `Player`."""
    return call["api"] in ("Inspector.DeleteQueue", "Inspector.Groups", "Inspector.History")


@on(*PLAYED)
async def test_calls_answer_and_leave_what_asynqs_did(player: Player) -> None:
    calls = [call for call in player.calls if not nil(call) and not others(call)]
    for call in calls:
        if "\ufffd" in (call.get("task") or {}).get("type", ""):
            call["task"]["type"] = "bad\udcffutf8"  # what the recording could not write down

    await player.play_all(calls)

    player.compare(*BUT_FOR.get(player.recording["scenario"], ()))


@on("queue_paused")
async def test_pausing_leaves_what_asynqs_does(player: Player) -> None:
    enqueue, pause, again, enqueue_more, resume, resume_again, elsewhere, pause_once_more = player.calls

    await player.play_all([enqueue, pause])
    player.compare(after="PauseQueue")
    await player.play_all([again, enqueue_more, resume])
    player.compare(after="UnpauseQueue")
    await player.play_all([resume_again, pause_once_more])

    # Only a queue that is there can be paused here.
    player.compare(lambda recorded: recorded.pop("asynq:{no-such-queue}:paused"))
    assert elsewhere["args"] == {"queue": "no-such-queue"}


@on("forwarded")
async def test_jobs_that_are_due_are_moved_as_asynqs_forwarder_moves_them(player: Player) -> None:
    soon, soon_in_a_group, pause, *looks = player.calls
    await player.play_all([soon, soon_in_a_group, pause])
    player.compare(group_in_the_hash, after="scheduled, queue paused so that nothing is processed")

    await player.storage.jobs.promote(limit=10, now=player.now + timedelta(seconds=1))

    await player.play_all(looks[:1])
    player.compare(in_its_group)


def in_its_group(recorded: Store) -> None:
    """Defect D11: for asynq it is a job like any other when its time comes."""
    recorded["asynq:{default}:pending"][1].remove("soon-group")
    task = recorded["asynq:{default}:t:soon-group"][1]
    since = task.pop("pending_since")
    task |= {"state": "aggregating", "group": "user:42"}
    recorded["asynq:{default}:groups"] = ("set", ["user:42"], None)
    recorded["asynq:{default}:g:user:42"] = ("zset", [("soon-group", since)], None)


@on("batch_enqueue")
async def test_a_batch_leaves_what_asynqs_does(player: Player) -> None:
    first, batch = player.calls
    await player.play_all([first])
    jobs = [player.job({**each, "options": batch["options"]}) for each in batch["tasks"] if each["task"]]
    *_, blank_kind, grouped, unique, blank_id, taken = jobs

    inserted = await player.storage.jobs.insert(jobs[:4], now=player.now)

    assert [WORDS[each.state] for each in inserted] == [each["TaskInfo"]["State"] for each in batch["results"][:4]]
    player.compare(with_its_header)
    for wrong in (blank_kind, blank_id):
        with pytest.raises(InvalidJob):
            await player.storage.jobs.insert([jobs[0], wrong], now=player.now)
    # Defect D12: asynq says of one whose id is taken that it is stored.
    with pytest.raises(DuplicateJob):
        await player.storage.jobs.insert([taken], now=player.now)
    player.compare(with_its_header)
    # asynq refuses these in a batch; we take them.
    assert len(await player.storage.jobs.insert([grouped, unique], now=player.now)) == 2


def with_its_header(recorded: Store) -> None:
    """Defect D12: asynq leaves headers out that are given as an option."""
    recorded["asynq:{default}:t:b3"][1]["msg"]["headers"] = {"only": "option-header"}


@on("inspector_ops")
async def test_what_the_inspector_does_leaves_what_asynqs_leaves(player: Player) -> None:
    steps = [step["after"] for step in player.recording["steps"]]

    for call in player.calls:
        if call["api"] == "Inspector.DeleteQueue":
            break
        await player.play_all([call])
        if steps and steps[0].startswith(call["api"]):
            player.compare(lambda recorded: waiting_since_they_were_run(player, recorded), after=steps.pop(0))
    assert len(steps) == 1


def waiting_since_they_were_run(player: Player, recorded: Store) -> None:
    """Defect D18: asynq does not say since when a job waits that was run by hand."""
    for key, (kind, value, _) in recorded.items():
        if kind == "hash" and value["state"] in ("pending", "archived") and player.redis.hexists(key, "pending_since"):
            value["pending_since"] = float(player.redis.hget(key, "pending_since")) / 1e9


@on("enqueue_plain")
async def test_a_difference_is_seen(player: Player) -> None:
    await player.play_all()
    (key,) = player.redis.keys("asynq:{default}:t:*")
    message = TASK.decode(player.redis.hget(key, "msg"))

    player.redis.hset(key, "msg", TASK.encode(replace(message, retry=24)))

    with pytest.raises(AssertionError, match="'retry': 24"):
        player.compare()


def test_no_recorded_scenario_is_left_out() -> None:
    assert {*PLAYED, *WALKED, *WORKED} == set(SCENARIOS)
