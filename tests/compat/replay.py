"""Plays recorded calls of River's client on our storage.

A recording names each call with its options and its answer, and holds what was in the
tables afterwards (tests/vectors/river).  A `Player` makes the same call through the
seam, at the recorded time, and puts the answer so that both can be compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from databases import Database

from ferryman.errors import DuplicateJob, FerrymanError, InvalidJob, JobNotFound, QueueNotFound, WrongState
from ferryman.job import Inserted, Job, JobRef, NewJob, State, Unique
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.filters import JobFilter, JobOrder
from ferryman.storage.river import cursors

__all__ = ["SCENARIOS", "Call", "Player", "answer", "called_at", "recorded", "was_recorded"]

VECTORS = Path(__file__).parents[1] / "vectors" / "river"

SCENARIOS = {
    path.stem.removeprefix("sqlite_") for path in VECTORS.glob("*.json") if not path.stem.startswith("schema_")
}
"""Every scenario that was recorded, on either database or both, and a few tables of values."""

Call = Mapping[str, Any]


def recorded(name: str) -> dict[str, Any]:
    """Load one file of the recordings."""
    loaded: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())
    return loaded


def was_recorded(name: str, database: str) -> bool:
    """Whether there is a recording of a scenario on a database."""
    return (VECTORS / f"{'sqlite_' if database == 'sqlite' else ''}{name}.json").exists()


def called_at(call: Call) -> datetime:
    """Return when a call was made, or when it had returned where no more is known."""
    nanoseconds = call.get("called_unix_ns", call["at_unix_ns"])
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=nanoseconds // 1000)


@dataclass
class Player:
    """Makes recorded calls; `shift` moves their times, since a worker lives today."""

    database: Database
    storage: AsyncStorage
    shift: timedelta = timedelta(0)
    now: datetime = datetime(1, 1, 1, tzinfo=UTC)
    """When the latest call was made."""

    async def play(self, call: Call) -> Any:
        """Make one call; return its answer, or the class of our refusal."""
        found = _NAME.match(call["api"])
        assert found is not None
        self.now = called_at(call) + self.shift
        try:
            return await _CALLS[found[1]](self, call, found[2] or "")
        except FerrymanError as error:
            return type(error)

    def job(self, kind: str, args: str, options: Mapping[str, Any], *, go_type: str = "", tx: Any = None) -> NewJob:
        """Make the job that River's options describe."""
        at = options.get("ScheduledAt")
        return NewJob(
            kind=kind,
            args=args.encode(),
            queue=options.get("Queue", "default"),
            state=State.PENDING if options.get("Pending") else State.SCHEDULED if at else State.AVAILABLE,
            scheduled_at=datetime.fromisoformat(at) + self.shift if at else None,
            max_attempts=options.get("MaxAttempts"),
            priority=options.get("Priority"),
            tags=tuple(options.get("Tags", ())),
            metadata=_metadata(options.get("Metadata")),
            unique=_unique(options.get("UniqueOpts"), go_type),
            tx=tx,
        )


def _metadata(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text  # River's caller gave no JSON, and so do we


def _unique(options: Mapping[str, Any] | None, go_type: str) -> Unique | None:
    if options is None:
        return None
    period, states = options.get("ByPeriod_ns"), options.get("ByState")
    paths = tuple(_tagged(_STRUCTS.get(go_type, {}).get("fields", ())))
    return Unique(
        by_args=options.get("ByArgs", False) and (paths or True),
        by_period=timedelta(microseconds=period // 1000) if period else None,
        by_queue=options.get("ByQueue", False),
        by_states=frozenset(states) if states else None,
        exclude_kind=options.get("ExcludeKind", False),
    )


_STRUCTS = recorded("struct_tags")


def _tagged(fields: Sequence[Mapping[str, Any]], parents: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of the fields that a Go struct marks with `river:"unique"`."""
    for field in fields:
        name = field["json_tag"].split(",")[0] or field["go_name"]
        inside = list(_tagged(field.get("fields", ()), parents if field["embedded"] else (*parents, name)))
        yield from inside or ([".".join((*parents, name))] if field["river_tag"] == "unique" else [])


# The calls


async def _insert(player: Player, call: Call, _: str) -> Any:
    # What the type of the arguments declares comes second; of metadata and pending it cannot declare anything.
    declared = {k: v for k, v in call.get("args_insert_opts", {}).items() if k not in ("Metadata", "Pending")}
    options = {**declared, **(call["opts"] or {})}
    if "insert_params" in call:
        said = call["insert_params"]
        job = player.job(said["kind"], said["encoded_args"], options, go_type=said["go_type"])
    else:  # River's client refused before it had made parameters
        job = player.job(call["args"]["kind"], call["args"]["json"], options)
    (inserted,) = await player.storage.jobs.insert([job], now=player.now)
    return _inserted(inserted)


async def _insert_many(player: Player, call: Call, _: str) -> Any:
    jobs = [player.job(each["kind"], each["json"], each["opts"] or {}) for each in call["params"] or ()]
    return [_inserted(each) for each in await player.storage.jobs.insert(jobs, now=player.now)]


async def _insert_many_fast(player: Player, call: Call, _: str) -> int:
    jobs = [player.job(each["kind"], each["json"], each["opts"] or {}) for each in call["params"]]
    return await player.storage.jobs.insert_fast(jobs, now=player.now)


async def _insert_in_transaction(player: Player, call: Call, _: str) -> Any:
    row = call["result"]
    player.now = datetime.fromisoformat(row["created_at"]) + player.shift  # the call is recorded when it had committed
    with player.database.transaction() as connection:
        job = player.job(row["kind"], row["encoded_args"], {"Queue": row["queue"]}, tx=connection)
        (inserted,) = await player.storage.jobs.insert([job], now=player.now)
        connection.execute(call["api"].split()[-1])  # ROLLBACK or COMMIT
    return int(inserted.ref.id), inserted.state.value


async def _cancel(player: Player, call: Call, _: str) -> Any:
    return _job(await player.storage.jobs.cancel(_ref(call), now=player.now))


async def _retry(player: Player, call: Call, _: str) -> Any:
    return _job(await player.storage.jobs.retry(_ref(call), now=player.now))


async def _delete(player: Player, call: Call, _: str) -> Any:
    return _job(await player.storage.jobs.delete(_ref(call)))


async def _update(player: Player, call: Call, _: str) -> Any:
    output = json.dumps(call["params"]["Output"]).encode()
    return _job(await player.storage.jobs.update(_ref(call), {"output": output}))


async def _get(player: Player, call: Call, _: str) -> Any:
    return _job(await player.storage.jobs.get(_ref(call)))


async def _list(player: Player, call: Call, _: str) -> Any:
    which = JobFilter(states=tuple(map(State, call["states"])))
    order = JobOrder(by=call["order_by"], descending=call["sort"] == "desc")
    page = await player.storage.jobs.list(which, order=order, limit=call["first"])
    cursor = cursors.behind(page.items[-1], which, order)
    if order.by == "id":  # the others hold the time of the recording
        assert (cursor, page.next) == (call["last_cursor_text"], cursor)
    return [_job(job) for job in page.items]


async def _pause(player: Player, call: Call, queue: str) -> Any:
    await player.storage.queues.pause(queue, now=player.now)


async def _resume(player: Player, call: Call, queue: str) -> Any:
    await player.storage.queues.resume(queue, now=player.now)


async def _update_queue(player: Player, call: Call, said: str) -> Any:
    metadata = json.loads(call["result"]["metadata"])
    await player.storage.queues.update(said.partition(",")[0], metadata, now=player.now)


async def _list_queues(player: Player, call: Call, _: str) -> Any:
    return [(queue.name, queue.paused_at) for queue in await player.storage.queues.list()]


async def _request_resign(player: Player, call: Call, _: str) -> Any:
    await player.storage.notices.request_resign()


_NAME = re.compile(r"(?:Client\.|Notify\(\)\.)?(\w+)(?:\(([^)]+)\))?")
_CALLS: dict[str, Callable[[Player, Call, str], Awaitable[Any]]] = {
    "Insert": _insert,
    "InsertMany": _insert_many,
    "InsertManyFast": _insert_many_fast,
    "InsertTx": _insert_in_transaction,
    "JobCancel": _cancel,
    "JobRetry": _retry,
    "JobDelete": _delete,
    "JobUpdate": _update,
    "JobGet": _get,
    "JobList": _list,
    "QueuePause": _pause,
    "QueueResume": _resume,
    "QueueList": _list_queues,
    "QueueUpdate": _update_queue,
    "RequestResign": _request_resign,
}


# The answers


def answer(call: Call) -> Any:
    """Return what River answered, put as a `Player` puts it."""
    if call.get("error"):
        return _refusal(call)
    if "first_job" in call:
        return [_recorded_job(call["first_job"])]
    if "results" in call:
        return [_recorded_insert(result) for result in call["results"]]
    result = call.get("result")
    if isinstance(result, int):
        return result
    if result is None or call["api"].startswith("QueueUpdate"):
        return None
    if call["api"] == "QueueList":
        return [(queue["name"], queue["paused_at"]) for queue in result]
    if "InsertTx" in call["api"]:
        return result["id"], result["state"]
    return _recorded_insert(result) if "job" in result else _recorded_job(result)


def _refusal(call: Call) -> type[FerrymanError]:
    text = call["error"]["error"]
    if text == "not found":
        return QueueNotFound if "Queue" in call["api"] else JobNotFound
    if text == "running jobs cannot be deleted":
        return WrongState
    taken = text.startswith("UNIQUE constraint failed") or "violates unique constraint" in text
    return DuplicateJob if taken else InvalidJob


def _inserted(inserted: Inserted) -> Any:
    return int(inserted.ref.id), inserted.state.value, inserted.duplicate


def _recorded_insert(result: Mapping[str, Any]) -> Any:
    return result["job"]["id"], result["job"]["state"], result["unique_skipped_as_duplicate"]


def _job(job: Job) -> Any:
    return int(job.id), job.kind, job.state.value, job.attempt, job.max_attempts


def _recorded_job(row: Mapping[str, Any]) -> Any:
    return row["id"], row["kind"], row["state"], row["attempt"], row["max_attempts"]


def _ref(call: Call) -> JobRef:
    return JobRef(str(call["id"]))
