"""What may slow or stop a Postgres server's queues: its version, its indexes (spec/cli.md 4.6)."""

from __future__ import annotations

from ferryman.findings import Finding, failed, passed
from ferryman.storage.river.steps import Query, Verb

__all__ = ["check"]

_OLDEST = 12
_INDEXES = (
    "river_job_args_index",
    "river_job_kind",
    "river_job_metadata_index",
    "river_job_pkey",
    "river_job_prioritized_fetching_index",
    "river_job_state_and_finalized_at_index",
    "river_job_unique_idx",
)


def check() -> Verb[list[Finding]]:
    """Judge the server and the indexes of River's table."""
    return [(yield from _version()), (yield from _indexes())]


def _version() -> Verb[Finding]:
    ((number, name),) = yield Query("server_version")
    if number // 10_000 < _OLDEST:
        return failed("P-VERSION", f"PostgreSQL {name} is too old, ferryman needs {_OLDEST}: upgrade the server")
    return passed("P-VERSION", f"PostgreSQL {name}")


def _indexes() -> Verb[Finding]:
    rows = yield Query("valid_indexes")
    missing = sorted(set(_INDEXES) - {row[0] for row in rows})
    if missing:
        return failed(
            "P-INDEX",
            f"the index {missing[0]} is missing or invalid, so that every fetch reads too much"
            if len(missing) == 1
            else f"these indexes are missing or invalid: {', '.join(missing)}",
            f"reindex index concurrently {missing[0]};",
        )
    return passed("P-INDEX", "every index is there")
