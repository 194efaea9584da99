"""Every key has the name that Go gives it (spec/asynq.md 1)."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta, timezone
from hashlib import md5
from typing import Any

import pytest
from recorded_asynq import SCENARIOS, calls, dumps, messages, recording, texts

from ferryman.storage.asynq import keys
from ferryman.storage.asynq.ids import new_id
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.messages import TASK

DEFAULT = QueueKeys("default")
UUID_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def names(scenario: str, recorded: dict[str, Any]) -> set[str]:
    """Name all keys that can be there, from what the messages and sets of a recording say."""
    found = {keys.QUEUES, keys.SERVERS, keys.WORKERS, keys.SCHEDULERS}
    queues = {call["args"]["queue"] for call in calls(scenario) if "queue" in (call.get("args") or {})}
    for dump in dumps(recorded):
        queues |= set(texts(dump.get(keys.QUEUES, {"value": []})))
    for name, data, decoded in messages(recorded):
        if name == "TaskMessage":
            task = TASK.decode(data)
            of = QueueKeys(task.queue)
            found |= {of.task(task.id), of.unique(task.type, task.payload), of.group(task.group_key)}
        elif name == "ServerInfo":
            identity = keys.identity(decoded["host"], decoded["pid"], decoded["server_id"])
            found |= {keys.server(identity), keys.workers(identity)}
        elif name == "SchedulerEntry":
            found.add(keys.scheduler_history(decoded["id"]))
    for call in calls(scenario):
        if call.get("task"):  # a lock may be all that a refused task left
            payload = None if call["task"]["payload_nil"] else b64decode(call["task"]["payload_b64"])
            found |= {QueueKeys(queue).unique(call["task"]["type"], payload) for queue in queues}
    for queue in queues:
        of = QueueKeys(queue)
        found |= {of.pending, of.active, of.lease, of.scheduled, of.retry, of.archived, of.completed}
        found |= {of.groups, of.aggregation_sets, of.paused, of.processed, of.failed}
        day = datetime.fromtimestamp(recorded["dumped_unix_ns"] // 10**9, UTC)
        found |= {of.processed_on(day), of.failed_on(day)}
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_recorded_key_has_the_name_that_we_give_it(scenario: str) -> None:
    recorded = recording(scenario)
    for dump in dumps(recorded):
        for key in dump.keys() - names(scenario, recorded):
            # Names with a random part, which no message tells.
            (id,) = UUID_4.findall(key)
            assert key in {DEFAULT.aggregation_set("user:42", id), keys.scheduler(f"vm:16482:{id}")}


def test_the_lock_of_a_recorded_task_is_named_by_its_queue_kind_and_payload() -> None:
    tasks = [TASK.decode(data) for name, data, _ in messages(recording("unique_keys")) if name == "TaskMessage"]

    assert len(tasks) == 5
    for task in tasks:
        assert task.unique_key == QueueKeys(task.queue).unique(task.type, task.payload)


def test_a_payload_that_is_nil_and_one_that_is_empty_have_different_locks() -> None:
    assert DEFAULT.unique("image:resize", None) == "asynq:{default}:unique:image:resize:"
    assert DEFAULT.unique("image:resize", b"") == f"asynq:{{default}}:unique:image:resize:{md5(b'').hexdigest()}"


def test_the_keys_of_a_queue_are_asynqs() -> None:
    assert DEFAULT.unique("email:send", b'{"user_id":42}') == (
        "asynq:{default}:unique:email:send:1181f89307fa271072c095747d5813cc"
    )
    assert DEFAULT.task("a:b") == "asynq:{default}:t:a:b" == DEFAULT.task_prefix + "a:b"
    assert DEFAULT.group("user:42") == "asynq:{default}:g:user:42" == DEFAULT.group_prefix + "user:42"
    assert DEFAULT.aggregation_set("user:42", "x") == "asynq:{default}:g:user:42:x"
    assert DEFAULT.prefix + "retry" == DEFAULT.retry


def test_the_keys_of_all_queues_are_asynqs() -> None:
    assert (keys.CANCEL, keys.semaphore("mail")) == ("asynq:cancel", "asynq:sema:mail")
    assert keys.scheduler_history("e1") == "asynq:scheduler_history:e1"
    assert keys.identity("", 7, "x") == "unknown-host:7:x"


@pytest.mark.parametrize("name", [" padded queue ", "{braces}", "😀", "a:b"])
def test_a_queue_may_have_any_name(name: str) -> None:
    assert QueueKeys(name).pending == f"asynq:{{{name}}}:pending"


def test_a_day_is_one_in_utc() -> None:
    evening_in_new_york = datetime(2026, 11, 21, 20, tzinfo=timezone(timedelta(hours=-5)))

    assert DEFAULT.processed_on(evening_in_new_york) == "asynq:{default}:processed:2026-11-22"
    assert DEFAULT.failed_on(evening_in_new_york) == "asynq:{default}:failed:2026-11-22"


def test_what_is_only_ours_is_named_so_and_stays_on_the_queues_node() -> None:
    assert DEFAULT.side("attempts:42") == "ferryman:{default}:attempts:42"


def test_new_ids_are_random_uuids() -> None:
    ids = {new_id() for _ in range(1_000)}

    assert len(ids) == 1_000
    assert all(UUID_4.fullmatch(id) for id in ids)
    assert {id[19] for id in ids} == set("89ab")
