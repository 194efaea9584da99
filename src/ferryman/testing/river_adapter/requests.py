"""What the harness may ask, and how it is refused.

Decoding is strict on every level: an unknown field is an error, so that nothing which the
harness asks for is silently passed over.  A field that is null or missing has its default.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "InsertJob",
    "InsertOpts",
    "InsertParams",
    "InvalidParams",
    "JobParams",
    "ListParams",
    "MigrateParams",
    "NoParams",
    "NotFound",
    "Params",
    "QueueParams",
    "Refusal",
    "Rejected",
    "ReleaseParams",
    "Request",
    "ResignParams",
    "StartParams",
    "StopParams",
    "TxEndParams",
    "TxParams",
    "UniqueOpts",
]


class Refusal(Exception):
    """A request that is answered with an error."""

    code = -32002


class ParseError(Refusal):
    """The line is not JSON."""

    code = -32700


class InvalidRequest(Refusal):
    """It is no request of JSON-RPC 2.0."""

    code = -32600


class MethodNotFound(Refusal):
    """There is no such method."""

    code = -32601


class InvalidParams(Refusal):
    """The parameters do not fit the method."""

    code = -32602


class NotFound(Refusal):
    """There is no such job, queue or open transaction."""

    code = -32001


class Rejected(Refusal):
    """We refuse to do it, or failed to."""

    code = -32002


class Request(msgspec.Struct):
    """One line of input."""

    id: Any = None
    jsonrpc: Any = None
    method: Any = None
    params: msgspec.Raw = msgspec.Raw(b"{}")


class Params(msgspec.Struct, forbid_unknown_fields=True):
    """The parameters of a method."""


class NoParams(Params):
    """Of handshake and stats."""


class UniqueOpts(Params):
    """What makes a job unique."""

    by_args: bool | None = None
    by_period_ms: int | None = None
    by_queue: bool | None = None
    by_state: list[str] | None = None
    exclude_kind: bool | None = None


class InsertOpts(Params):
    """The options of a job."""

    max_attempts: int | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"null")
    pending: bool | None = None
    priority: int | None = None
    queue: str | None = None
    scheduled_at: str | None = None
    tags: list[str] | None = None
    unique: UniqueOpts | None = None


class InsertJob(Params):
    """A job to store."""

    behavior: str | None = None
    duration_ms: int | None = None
    message: str | None = None
    opts: InsertOpts | None = None


class InsertParams(Params):
    """Of insert."""

    jobs: list[InsertJob] | None = None
    schema: str | None = None
    tx: str | None = None


class JobParams(Params):
    """Of cancel and retry."""

    id: int | None = None
    schema: str | None = None
    tx: str | None = None


class ListParams(Params):
    """Of list."""

    after: str | None = None
    direction: str | None = None
    ids: list[int] | None = None
    kinds: list[str] | None = None
    limit: int | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"null")
    order_by: str | None = None
    priorities: list[int] | None = None
    queues: list[str] | None = None
    schema: str | None = None
    states: list[str] | None = None
    tags_all: list[str] | None = None
    tx: str | None = None


class MigrateParams(Params):
    """Of migrate."""

    direction: str | None = None
    schema: str | None = None
    target_version: int | None = None


class QueueParams(Params):
    """Of queue."""

    action: str | None = None
    name: str | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"null")
    schema: str | None = None
    tx: str | None = None


class ResignParams(Params):
    """Of request_resign."""

    schema: str | None = None
    tx: str | None = None


class Tuning(Params):
    """How often the leader does its chores."""

    elect_interval_ms: int | None = None
    rescuer_interval_ms: int | None = None
    scheduler_interval_ms: int | None = None


class StartParams(Params):
    """Of start."""

    client_id: str | None = None
    claim_barrier: str | None = None
    error_handler_cancel: bool | None = None
    fetch_only_known_kinds: bool | None = None
    fetch_poll_interval_ms: int | None = None
    job_timeout_ms: int | None = None
    leader_election_disabled: bool | None = None
    max_workers: int | None = None
    periodic_run_on_start: bool | None = None
    periodic_unique: bool | None = None
    poll_only: bool | None = None
    queues: list[str] | None = None
    rescue_after_ms: int | None = None
    retry_delay_ms: int | None = None
    schema: str | None = None
    tuning: Tuning | None = None
    worker_kinds: list[str] | None = None


class StopParams(Params):
    """Of stop."""

    cancel: bool | None = None


class ReleaseParams(Params):
    """Of release."""

    name: str | None = None


class TxParams(Params):
    """Of tx_begin."""

    tx: str | None = None


class TxEndParams(Params):
    """Of tx_end."""

    tx: str | None = None
    commit: bool | None = None
