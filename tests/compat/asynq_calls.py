"""Plays recorded calls of asynq's client and inspector on our storage.

A recording names each call with its options and its answer, and holds what was in Redis
afterwards (tests/vectors/asynq).  A `Player` makes the same call through the seam, at
the recorded time moved to today, since what expires in Redis goes by its own clock.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asynq_store import Store, differences, ours, theirs
from msgspec.structs import replace

from ferryman.errors import DuplicateJob, FerrymanError, InvalidJob, JobNotFound, WrongState
from ferryman.job import Inserted, JobRef, NewJob, State, Unique
from ferryman.storage.asynq._async.storage import AsyncRedisStorage
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.tasks import STATES, StoredJob
from ferryman.storage.asynq.times import EPOCH
from ferryman.storage.filters import JobFilter

__all__ = ["SCENARIOS", "Call", "Player", "answer", "recorded"]

VECTORS = Path(__file__).parents[1] / "vectors" / "asynq"
SCENARIOS = sorted(path.stem for path in VECTORS.glob("*.json"))

Call = Mapping[str, Any]


def recorded(name: str) -> dict[str, Any]:
    """Load one file of the recordings."""
    loaded: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())
    return loaded


def moment(nanoseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


class Player:
    """Makes the calls of one scenario, and compares what they leave."""

    def __init__(self, name: str, storage: AsyncRedisStorage, redis: Any) -> None:
        self.recording = recorded(name)
        self.storage = storage
        self.redis = redis
        self.ids: dict[str, str] = {}
        """Ids that Go chose → ours."""
        self.calls: list[Call] = [call for call in self.recording["calls"] or () if "api" in call]
        began = next((call for call in self.calls if "called_unix_ns" in call), None)
        self.shift = datetime.now(UTC) - _when(began or self.recording["steps"][-1])
        self.now = datetime.now(UTC)

    async def play(self, call: Call) -> Any:
        """Make one call; return its answer, or the class of our refusal."""
        self.now = _when(call) + self.shift
        try:
            return await _CALLS[call["api"]](self, call)
        except FerrymanError as error:
            return type(error)

    async def play_all(self, calls: Sequence[Call] | None = None) -> None:
        """Make these calls, or all, and compare the answers."""
        for call in self.calls if calls is None else calls:
            mine = await self.play(call)
            if mine != (recorded := answer(call, self.ids)):
                raise AssertionError(f"{call} answered {mine}, recorded is {recorded}")

    def compare(self, *but_for: Callable[[Store], Any], after: str | None = None) -> None:
        """Compare with a recorded step, or with the end; `but_for` says what we do otherwise on purpose."""
        steps = {step["after"]: step["keys"] for step in self.recording.get("steps", ())}
        recorded = theirs(self.recording["keys"] if after is None else steps[after], shift=self.shift, ids=self.ids)
        for correct in but_for:
            correct(recorded)
        if found := differences(ours(self.redis, self.ids), recorded):
            raise AssertionError(found)

    def job(self, call: Call) -> NewJob:
        """Make the job that asynq's task and options describe."""
        task, said = call["task"], {}
        for option in (*_carried(call), *(call["options"] or ())):
            said.pop({"ProcessAt": "ProcessIn", "ProcessIn": "ProcessAt"}.get(option["option"], ""), None)
            if option["option"] == "Header":
                said.setdefault("Header", {}).update([option["value"]])
            else:
                said[option["option"]] = option
        at = self._due(said)
        return NewJob(
            kind=task["type"],
            args=b64decode(task["payload_b64"]),
            queue=said["Queue"]["value"] if "Queue" in said else "default",
            state=State.SCHEDULED if at else State.AVAILABLE,
            scheduled_at=at,
            max_attempts=said["MaxRetry"]["value"] + 1 if "MaxRetry" in said else None,
            unique=_unique(said["Unique"]) if "Unique" in said else None,
            id=said["TaskID"]["value"] if "TaskID" in said else None,
            group=said["Group"]["value"] if "Group" in said else None,
            timeout=_seconds(said["Timeout"]) if "Timeout" in said else None,
            deadline=moment(said["Deadline"]["value_unix_ns"]) + self.shift if "Deadline" in said else None,
            retention=_seconds(said["Retention"]) if "Retention" in said else None,
            headers={**(task["headers"] or {}), **said.get("Header", {})} or None,
        )

    def _due(self, said: Mapping[str, Any]) -> datetime | None:
        if "ProcessIn" in said:
            return self.now + timedelta(seconds=_seconds(said["ProcessIn"]))
        return moment(said["ProcessAt"]["value_unix_ns"]) + self.shift if "ProcessAt" in said else None


def _carried(call: Call) -> Sequence[Mapping[str, Any]]:
    """Return the options that a task was made with: of one, a recording shows them only in the answer."""
    result = call.get("result") or {}
    if result.get("ID") == "task-opts-then-call-opts":
        return [{"option": "TaskID", "value": result["ID"]}, {"option": "Queue", "value": result["Queue"]}]
    return call.get("task_options") or ()


def _when(call: Call) -> datetime:
    return moment(call.get("called_unix_ns") or call.get("at_unix_ns") or call["dumped_unix_ns"])


def _seconds(option: Mapping[str, Any]) -> float:
    return float(option["value_ns"]) / 1e9


def _unique(option: Mapping[str, Any]) -> Unique:
    return Unique(by_args=True, by_queue=True, by_period=timedelta(seconds=_seconds(option)))


# The calls


async def _enqueue(player: Player, call: Call) -> Any:
    job = player.job(call)
    (inserted,) = await player.storage.jobs.insert([job], now=player.now)
    if job.id is None and call["result"]:
        player.ids[call["result"]["ID"]] = inserted.ref.id
    return _inserted(inserted)


async def _update_payload(player: Player, call: Call) -> Any:
    """Do as another program does: we have no call for it."""
    key = QueueKeys(call["args"]["queue"]).task(_ref(player, call).id)
    if player.redis.hget(key, "state") != b"scheduled":
        raise InvalidJob("Only scheduled tasks are updated.")
    message = replace(TASK.decode(player.redis.hget(key, "msg")), payload=b64decode(call["args"]["payload_b64"]))
    player.redis.hset(key, "msg", TASK.encode(message))


async def _get(player: Player, call: Call) -> Any:
    job = await player.storage.jobs.get(_ref(player, call))
    assert isinstance(job, StoredJob)
    message = job.message
    return {
        "ID": job.id,
        "Queue": job.queue,
        "Type": job.kind,
        "Payload": job.args,
        "State": job.state,
        "MaxRetry": job.max_attempts - 1,
        "Retried": message.retried,
        "LastErr": job.error.error if job.error else "",
        "Timeout": message.timeout,
        "Retention": message.retention,
        "Group": message.group_key,
        "Headers": dict(job.headers),
        "Result": job.result or b"",
    }


async def _run(player: Player, call: Call) -> Any:
    await player.storage.jobs.retry(_ref(player, call), now=player.now)


async def _archive(player: Player, call: Call) -> Any:
    await player.storage.jobs.discard(_ref(player, call), now=player.now)


async def _delete(player: Player, call: Call) -> Any:
    await player.storage.jobs.delete(_ref(player, call))


async def _cancel(player: Player, call: Call) -> Any:
    await player.storage.jobs.cancel(JobRef(call["args"]["id"]), now=player.now)


async def _pause(player: Player, call: Call) -> Any:
    await player.storage.queues.pause(call["args"]["queue"], now=player.now)


async def _resume(player: Player, call: Call) -> Any:
    await player.storage.queues.resume(call["args"]["queue"], now=player.now)


def _all_of(state: State, verb: str) -> Callable[[Player, Call], Awaitable[Any]]:
    """Do to each job of a state, the oldest first, what the inspector does to all at once."""

    async def act(player: Player, call: Call) -> Any:
        jobs = (await player.storage.jobs.list(JobFilter(queues=(call["args"]["queue"],), states=(state,)))).items
        for job in reversed(jobs):
            said = {} if verb == "delete" else {"now": player.now}
            await getattr(player.storage.jobs, verb)(job.ref, **said)
        return len(jobs)

    return act


_CALLS: dict[str, Callable[[Player, Call], Awaitable[Any]]] = {
    "Client.Enqueue": _enqueue,
    "Inspector.GetTaskInfo": _get,
    "Inspector.RunTask": _run,
    "Inspector.ArchiveTask": _archive,
    "Inspector.DeleteTask": _delete,
    "Inspector.CancelProcessing": _cancel,
    "Inspector.UpdateTaskPayload": _update_payload,
    "Inspector.PauseQueue": _pause,
    "Inspector.UnpauseQueue": _resume,
    "Inspector.ArchiveAllPendingTasks": _all_of(State.AVAILABLE, "discard"),
    "Inspector.RunAllArchivedTasks": _all_of(State.DISCARDED, "retry"),
    "Inspector.RunAllScheduledTasks": _all_of(State.SCHEDULED, "retry"),
    "Inspector.DeleteAllPendingTasks": _all_of(State.AVAILABLE, "delete"),
}


def _ref(player: Player, call: Call) -> JobRef:
    # A remark may stand behind the id.
    id = call["args"]["id"].partition(" (")[0]
    return JobRef(player.ids.get(id, id), call["args"]["queue"])


def _inserted(inserted: Inserted) -> Any:
    return "duplicate" if inserted.duplicate else inserted.state


# The answers

_REFUSALS: Mapping[str, Any] = {
    "task already exists": "duplicate",
    "task ID conflicts with another task": DuplicateJob,
    "asynq: task not found": JobNotFound,
    "asynq: queue not found": JobNotFound,
    "asynq: FAILED_PRECONDITION: task is already in pending state": None,  # what was asked for is so already
}


def answer(call: Call, ids: Mapping[str, str]) -> Any:
    """Return what asynq answered, put as a `Player` puts it, with our `ids` for those that Go chose."""
    if call.get("error"):
        text = call["error"]["error"]
        if "already archived" in text:
            return WrongState
        if "paused" in text:
            return None  # the queue is as was asked
        return _REFUSALS.get(text, InvalidJob)
    match call["api"]:
        case "Client.Enqueue":
            return STATES[call["result"]["State"]]
        case "Inspector.GetTaskInfo":
            return {**_info(call["result"]), "ID": ids.get(call["result"]["ID"], call["result"]["ID"])}
    return call.get("result")


def _info(info: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: info[name] for name in ("Queue", "Type", "MaxRetry", "Retried", "LastErr", "Group")},
        "Payload": b64decode(info["Payload_b64"]),
        "State": STATES[info["State"]],
        "Timeout": info["Timeout_ns"] // 1_000_000_000,
        "Retention": info["Retention_ns"] // 1_000_000_000,
        "Headers": info["Headers"] or {},
        "Result": b64decode(info["Result_b64"]),
    }
