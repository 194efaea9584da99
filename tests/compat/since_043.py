"""What is expected where a recording of River 0.43 does not hold any more.

River decided some things otherwise up to 0.49 (spec/river-conformance.md 5.1), and in a
few we are stricter on purpose.  Each function here names its rule and brings a recording
up to date by it, in place.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from recorded_tables import Tables, plain
from replay import called_at, recorded

from ferryman.storage.river.times import text_time

__all__ = ["today"]

Recording = dict[str, Any]


def today(name: str, database: str) -> Recording:
    """Load a scenario as it was recorded on a database, its tables as plain values, and bring it up to date."""
    recording = recorded(f"sqlite_{name}" if database == "sqlite" else name)
    recording["database"] = database
    for part in (*recording.get("steps", ()), recording):
        part["tables"] = plain(part["tables"])
    if database == "postgres":
        _hear(recording)
    for change in _CHANGES.get(name, ()):
        change(recording)
    return recording


def _hear(recording: Recording) -> None:
    """Put what was heard on Postgres where SQLite has a table for it; in between nobody recorded it."""
    for step in recording.get("steps", ()):
        del step["tables"]["river_notification"]
    recording["tables"]["river_notification"] = [
        {"id": number, "topic": said["channel"].removeprefix("public."), "payload": json.loads(said["payload"])}
        for number, said in enumerate(recording["notifications"] or (), start=1)
    ]


def a_period_counts_from_the_scheduled_time(recording: Recording) -> None:
    """0.48 (1377): the period of a scheduled job is that of its own time; 0.43 took the time of the call.

    So the third call, due 75 minutes later than the first, is none of its duplicates.  And it is counted
    in UTC wherever the caller is.
    """
    calls, jobs = recording["calls"], recording["tables"]["river_job"]
    if recording["database"] == "sqlite":
        _renumber(recording, above=1, by=1)
        id = 2
    else:  # where a duplicate used a number up
        id = 3
    at = calls[2]["insert_params"]["scheduled_at"]
    made = calls[2]["insert_params"]["unique_key_now_used"]
    jobs.append({**_row(recording, 1), "id": id, "state": "scheduled", "scheduled_at": at, "created_at": made})
    if recording["database"] == "sqlite":
        jobs[-1]["metadata"] = {"river:unique_nonce": "0" * 16}
    calls[2]["result"] = {"job": {**calls[0]["result"]["job"], "id": id, "state": "scheduled"}}
    calls[2]["result"]["unique_skipped_as_duplicate"] = False
    for call in calls:
        said = call["insert_params"]
        at = datetime.fromisoformat(said["scheduled_at"] or said["unique_key_now_used"])
        period = timedelta(microseconds=call["opts"]["UniqueOpts"]["ByPeriod_ns"] // 1000)
        start = at - (at - _FIRST_MONDAY) % period
        text = _PERIOD.sub(f"period={start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", said["unique_key_string_hashed"])
        _row(recording, call["result"]["job"]["id"])["unique_key"] = _key(recording, text)


def a_duplicate_keeps_the_kind_and_exclude_kind_is_not_enough(recording: Recording) -> None:
    """0.49 (1421): a duplicate of another kind leaves the job's kind alone.

    0.48 (1404): exclude_kind is refused when it is all that is given.
    """
    _row(recording, 1)["kind"] = "send_email"
    _refuse(recording, 3)


def a_batch_may_repeat_a_key(recording: Recording) -> None:
    """We answer that the second is a duplicate.  0.43 did not say so on SQLite, and 0.48 (1399) refuses the batch.

    It always did on Postgres, where the refused batch had used numbers up.
    """
    if recording["database"] == "sqlite":
        recording["calls"][0]["results"][3]["unique_skipped_as_duplicate"] = True
        return
    del recording["calls"][0], recording["steps"][0]
    for tables in _states(recording):
        for row in tables["river_job"]:
            row["id"] -= 4
    for call in recording["calls"][-3:]:
        if "result" in call:
            call["result"]["id"] -= 4


def a_remark_is_a_call(recording: Recording) -> None:
    """Of one batch only a remark was kept: InsertMany of 2 default + 1 emails."""
    (call,) = (call for call in recording["calls"] if call.get("note", "").startswith("InsertMany"))
    job = {"kind": "send_email", "json": '{"user_id":42,"subject":"Hello"}'}
    call["api"] = "InsertMany"
    call["params"] = [{**job, "opts": {"Queue": queue}} for queue in ("default", "default", "emails")]
    stored = [{"id": id, "state": "available"} for id in (5, 6, 7)]
    call["results"] = [{"job": row, "unique_skipped_as_duplicate": False} for row in stored]


def one_client_makes_all_calls(recording: Recording) -> None:
    """The last call was made by a second client, with 12 attempts as its default and limits of its own for notices."""
    recording["calls"][-1]["opts"] = {"MaxAttempts": 12}
    del recording["tables"]["river_notification"][-1]


def our_clients_are_stricter(recording: Recording) -> None:
    """River's client passes what none of its workers could register, negative attempts, and metadata that is no object.

    Which kinds there are is a question for the client, not for the storage.
    """
    calls = recording["calls"]
    for call in reversed(calls):
        params = call.get("insert_params", {})
        odd_kind = params.get("kind") in ("kind with space", "kind,comma")
        options = call["opts"] or {}
        odd_options = options.get("Metadata") in ("not json", "[1]") or options.get("MaxAttempts", 0) < 0
        if not call["error"] and (odd_kind or odd_options):
            _refuse(recording, calls.index(call))
    del calls[-1]  # nobody_works_this
    for number, row in enumerate(recording["tables"]["river_job"], start=1):
        (stored,) = (call for call in calls if not call["error"] and call["result"]["job"]["id"] == row["id"])
        stored["result"]["job"]["id"] = row["id"] = number  # what Postgres itself refused used numbers up


def our_worker_hears_of_cancels(recording: Recording) -> None:
    """0.48 (1398): a cancel leaves a control notice, and so reaches workers in other processes; 0.43's never heard.

    On Postgres they always did.
    """
    if recording["database"] == "postgres":
        return
    _, cancelled = recording["steps"]
    notice = {"topic": "river_control", "payload": '{"action":"cancel","job_id":1,"queue":"default"}'}
    at = "2026-11-21 20:59:15.418"
    for tables in (cancelled["tables"], recording["tables"]):
        tables["river_notification"].append(_notice(tables, at, **notice))
    (row,) = recording["tables"]["river_job"]
    error = {"at": "2026-11-21T20:59:14.595Z", "attempt": 1, "error": _REMOTELY, "trace": ""}
    row |= {"state": "cancelled", "finalized_at": at, "errors": [error]}


def every_cancel_is_told(recording: Recording) -> None:
    """0.48 (1398): a cancel leaves a control notice, also for a job that waits.  On Postgres it always did."""
    if recording["database"] == "postgres":
        return
    told = [call for call in recording["calls"] if call["api"] == "Client.JobCancel"]
    for tables in _states(recording):
        for call in told:
            payload = f'{{"action":"cancel","job_id":{call["id"]},"queue":"default"}}'
            at = text_time(called_at(call))
            tables["river_notification"].append(_notice(tables, at, topic="river_control", payload=payload))


def our_text_for_a_timeout(recording: Recording) -> None:
    """Go's error says that a context's deadline was exceeded; ours says how long the attempt might take."""
    recording["tables"]["river_job"][0]["errors"][0]["error"] = "TimeoutError: the attempt took longer than its 0.3 s"


def an_output_is_replaced_on_sqlite_too(recording: Recording) -> None:
    """River's JobUpdate merges a new output into the one that is there on SQLite, and replaces it on Postgres."""
    _row(recording, 1)["metadata"]["output"] = {"replaced": True}


def our_periodic_jobs_always_have_an_id(recording: Recording) -> None:
    """In River the id is optional; ours is the kind unless another is given."""
    _row(recording, 2)["metadata"]["river:periodic_job_id"] = "hourly_output"


def a_dead_leaders_term_is_not_waited_for(recording: Recording) -> None:
    """The recorded client led when fifteen seconds were over; here they are skipped."""
    for row in recording["tables"]["river_job"]:
        for error in row["errors"]:
            error["at"] = _sooner(error["at"])
        name = "scheduled_at" if row["state"] == "retryable" else "finalized_at"
        row[name] = _sooner(row[name])


_REMOTELY = "JobCancelError: job cancelled remotely"
_FIRST_MONDAY = datetime(1, 1, 1, tzinfo=UTC)
_PERIOD = re.compile("period=[^&]*")


def _states(recording: Recording) -> Iterator[Tables]:
    yield from (part["tables"] for part in (*recording.get("steps", ()), recording))


def _sooner(text: str) -> str:
    return (datetime.fromisoformat(text) - timedelta(seconds=15)).isoformat()


def _key(recording: Recording, text: str) -> bytes | str:
    key = hashlib.sha256(text.encode())
    return key.digest() if recording["database"] == "sqlite" else f"\\x{key.hexdigest()}"


def _notice(tables: Tables, created_at: str, *, topic: str, payload: str) -> dict[str, Any]:
    number = len(tables["river_notification"]) + 1
    return {"id": number, "created_at": created_at, "topic": topic, "payload": payload}


def _refuse(recording: Recording, number: int) -> None:
    """Let a call that stored a job be refused."""
    call, rows = recording["calls"][number], recording["tables"]["river_job"]
    id = call["result"]["job"]["id"]
    call["error"] = {"error": "refused"}
    rows.remove(_row(recording, id))
    _renumber(recording, above=id, by=-1)


def _renumber(recording: Recording, *, above: int, by: int) -> None:
    for row in recording["tables"]["river_job"]:
        if row["id"] > above:
            row["id"] += by
    for call in recording["calls"]:
        if not call["error"] and call["result"]["job"]["id"] > above:
            call["result"]["job"]["id"] += by


def _row(recording: Recording, id: int) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in recording["tables"]["river_job"] if row["id"] == id)
    return found


_CHANGES: dict[str, Sequence[Callable[[Recording], None]]] = {
    "insert_errors": [our_clients_are_stricter],
    "insert_every_option": [one_client_makes_all_calls],
    "insert_many": [a_batch_may_repeat_a_key],
    "job_cancel_retry_delete": [every_cancel_is_told],
    "notify_insert": [a_remark_is_a_call],
    "periodic": [our_periodic_jobs_always_have_an_id],
    "rescued": [a_dead_leaders_term_is_not_waited_for],
    "running_job": [our_worker_hears_of_cancels],
    "unique_by_period": [a_period_counts_from_the_scheduled_time],
    "unique_by_period_tz_new_york": [a_period_counts_from_the_scheduled_time],
    "unique_by_state": [every_cancel_is_told],
    "unique_exclude_kind": [a_duplicate_keeps_the_kind_and_exclude_kind_is_not_enough],
    "worked_output": [an_output_is_replaced_on_sqlite_too],
    "worked_timeout": [our_text_for_a_timeout],
}
