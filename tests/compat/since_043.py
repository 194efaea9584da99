"""What is expected where a recording of River 0.43 does not hold any more.

River decided some things otherwise up to 0.49 (spec/river-conformance.md 5.1), and in a
few we are stricter on purpose.  Each function here names its rule and brings a recording
up to date by it, in place.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

__all__ = ["UP_TO_DATE"]

Recording = dict[str, Any]


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


def one_client_makes_all_calls(recording: Recording) -> None:
    """The last call was made by a second client, whose default is 12 attempts, and which limits its notices by itself."""
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


UP_TO_DATE: dict[str, Callable[[Recording], None]] = {
    "insert_errors": our_clients_are_stricter,
    "insert_every_option": one_client_makes_all_calls,
    "insert_many": a_batch_may_repeat_a_key,
    "unique_by_period": a_period_counts_from_the_scheduled_time,
    "unique_exclude_kind": a_duplicate_keeps_the_kind_and_exclude_kind_is_not_enough,
}
"""Scenario → what is otherwise today."""


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
