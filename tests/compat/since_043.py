"""What is expected where a recording of River 0.43 does not hold any more.

River decided some things otherwise up to 0.49 (spec/river-conformance.md 5.1), and in a
few we are stricter on purpose.  Each function here names its rule and brings a recording
up to date by it, in place.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from replay import called_at, recorded

from ferryman.storage.river.rows import text_time

__all__ = ["today", "with_resignations"]

Recording = dict[str, Any]


def today(name: str) -> Recording:
    """Load a scenario as it was recorded on SQLite, and bring it up to date."""
    recording = recorded(f"sqlite_{name}")
    if name in _CHANGES:
        _CHANGES[name](recording)
    return recording


def a_period_counts_from_the_scheduled_time(recording: Recording) -> None:
    """0.48 (1377): the period of a scheduled job is that of its own time; 0.43 took the time of the call.

    So the third call, due 75 minutes later than the first, is none of its duplicates.
    """
    calls, rows = recording["calls"], recording["tables"]["river_job"]
    _renumber(recording, above=1, by=1)
    stored = copy.deepcopy(_row(recording, 1))
    _set(stored, id=2, state="scheduled", scheduled_at="2026-11-21 22:14:11.177", created_at="2026-11-21 20:59:11.177")
    stored["metadata"]["jsonb_as_json"] = {"river:unique_nonce": "0" * 16}
    rows.append(stored)
    calls[2]["result"] = {"job": {**calls[0]["result"]["job"], "id": 2, "state": "scheduled"}}
    calls[2]["result"]["unique_skipped_as_duplicate"] = False
    for id, kind in (2, "send_email"), (3, "resize_image"):
        text = f"&kind={kind}&period=2026-11-21T22:00:00Z"
        _row(recording, id)["unique_key"]["hex"] = hashlib.sha256(text.encode()).hexdigest().upper()


def a_duplicate_keeps_the_kind_and_exclude_kind_is_not_enough(recording: Recording) -> None:
    """0.49 (1421): a duplicate of another kind leaves the job's kind alone.

    0.48 (1404): exclude_kind is refused when it is all that is given.
    """
    _set(_row(recording, 1), kind="send_email")
    _refuse(recording, 3)


def a_batch_may_repeat_a_key(recording: Recording) -> None:
    """We answer that the second is a duplicate.  0.43 did not say so on SQLite, and 0.48 (1399) refuses the batch."""
    recording["calls"][0]["results"][3]["unique_skipped_as_duplicate"] = True


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
    """River's client lets pass what none of its workers could register, and metadata that is no object.

    Which kinds there are is a question for the client, not for the storage.
    """
    calls = recording["calls"]
    for call in reversed(calls):
        params = call.get("insert_params", {})
        odd_kind = params.get("kind") in ("kind with space", "kind,comma")
        if not call["error"] and (odd_kind or (call["opts"] or {}).get("Metadata") == "not json"):
            _refuse(recording, calls.index(call))
    del calls[-1]  # nobody_works_this


def our_worker_hears_of_cancels(recording: Recording) -> None:
    """0.48 (1398): a cancel leaves a control notice, and so reaches workers in other processes; 0.43's never heard."""
    _, cancelled = recording["steps"]
    notice = {"topic": "river_control", "payload": '{"action":"cancel","job_id":1,"queue":"default"}'}
    at = "2026-11-21 20:59:15.418"
    for tables in (cancelled["tables"], recording["tables"]):
        tables["river_notification"].append(_notice(tables, at, **notice))
    (row,) = recording["tables"]["river_job"]
    _set(row, state="cancelled", finalized_at=at)
    row["finalized_at"]["typeof"] = "text"
    error = {"at": "2026-11-21T20:59:14.595Z", "attempt": 1, "error": _REMOTELY, "trace": ""}
    row["errors"] = {"typeof": "blob", "hex": "", "text": None, "jsonb_as_json": [error]}


def every_cancel_is_told(recording: Recording) -> None:
    """0.48 (1398): a cancel leaves a control notice, also for a job that waits."""
    told = [call for call in recording["calls"] if call["api"] == "Client.JobCancel"]
    for tables in (*(step["tables"] for step in recording.get("steps", ())), recording["tables"]):
        for call in told:
            payload = f'{{"action":"cancel","job_id":{call["id"]},"queue":"default"}}'
            at = text_time(called_at(call))
            tables["river_notification"].append(_notice(tables, at, topic="river_control", payload=payload))


def our_text_for_a_timeout(recording: Recording) -> None:
    """Go's error says that a context's deadline was exceeded; ours says how long the attempt might take."""
    error = recording["tables"]["river_job"][0]["errors"]["jsonb_as_json"][0]
    error["error"] = "TimeoutError: the attempt took longer than its 0.3 s"


def tasks_set_no_metadata(recording: Recording) -> None:
    """River's workers may set metadata as they run (spec/river.md 5.7); ours record an output and no more."""
    metadata = _row(recording, 2)["metadata"]["jsonb_as_json"]
    del metadata["progress"], metadata["text"]


def outputs_are_not_changed_later(recording: Recording) -> None:
    """River's JobUpdate changes the output of a finished job; we have no such verb."""
    del _row(recording, 1)["metadata"]["jsonb_as_json"]["output"]["replaced"]


def our_periodic_jobs_always_have_an_id(recording: Recording) -> None:
    """In River the id is optional; ours is the kind unless another is given."""
    _row(recording, 2)["metadata"]["jsonb_as_json"]["river:periodic_job_id"] = "hourly_output"


def queues_have_no_metadata(recording: Recording) -> None:
    """River's QueueUpdate sets the metadata of a queue and tells everybody; we have no such verb."""
    for step in (*recording["steps"][7:], recording):
        notices = step["tables"]["river_notification"]
        notices[:] = [row for row in notices if "metadata_changed" not in row["payload"]["text"]]
        for number, row in enumerate(notices, start=1):
            _set(row, id=number)
        (emails,) = (row for row in step["tables"]["river_queue"] if row["name"]["text"] == "emails")
        emails["metadata"]["jsonb_as_json"] = {}


def with_resignations(tables: Recording, resigned: Sequence[tuple[str, datetime]]) -> Recording:
    """Add that these leaders said, at these times, that they resigned.

    River's clients say so on Postgres only, but on SQLite they listen for it too, and take over at once.
    """
    tables = copy.deepcopy(tables)
    for leader, at in resigned:
        payload = f'{{"leader_id":"{leader}","action":"resigned"}}'
        notice = _notice(tables, text_time(at), topic="river_leadership", payload=payload)
        tables["river_notification"].append(notice)
    return tables


_REMOTELY = "JobCancelError: job cancelled remotely"


def _notice(tables: Recording, created_at: str, *, topic: str, payload: str) -> dict[str, Any]:
    number = {"typeof": "integer", "text": str(len(tables["river_notification"]) + 1)}
    texts = {"created_at": created_at, "topic": topic, "payload": payload}
    return {"id": number, **{name: {"typeof": "text", "text": text} for name, text in texts.items()}}


def _refuse(recording: Recording, number: int) -> None:
    """Let a call that stored a job be refused."""
    call, rows = recording["calls"][number], recording["tables"]["river_job"]
    id = call["result"]["job"]["id"]
    call["error"] = {"error": "refused"}
    rows.remove(_row(recording, id))
    _renumber(recording, above=id, by=-1)


def _renumber(recording: Recording, *, above: int, by: int) -> None:
    for row in recording["tables"]["river_job"]:
        if int(row["id"]["text"]) > above:
            _set(row, id=int(row["id"]["text"]) + by)
    for call in recording["calls"]:
        if not call["error"] and call["result"]["job"]["id"] > above:
            call["result"]["job"]["id"] += by


def _row(recording: Recording, id: int) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in recording["tables"]["river_job"] if row["id"]["text"] == str(id))
    return found


def _set(row: dict[str, Any], **values: object) -> None:
    for name, value in values.items():
        row[name]["text"] = str(value)


_CHANGES: dict[str, Callable[[Recording], None]] = {
    "insert_errors": our_clients_are_stricter,
    "insert_every_option": one_client_makes_all_calls,
    "job_cancel_retry_delete": every_cancel_is_told,
    "unique_by_state": every_cancel_is_told,
    "insert_many": a_batch_may_repeat_a_key,
    "notify_insert": a_remark_is_a_call,
    "periodic": our_periodic_jobs_always_have_an_id,
    "queue_ops": queues_have_no_metadata,
    "running_job": our_worker_hears_of_cancels,
    "unique_by_period": a_period_counts_from_the_scheduled_time,
    "unique_exclude_kind": a_duplicate_keeps_the_kind_and_exclude_kind_is_not_enough,
    "worked_completed": tasks_set_no_metadata,
    "worked_output": outputs_are_not_changed_later,
    "worked_timeout": our_text_for_a_timeout,
}
