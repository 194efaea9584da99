"""What may slow or stop a Postgres server's queues: its sessions, its tables, and who holds them (spec/cli.md 4.6)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from ferryman.findings import Finding, clocks_apart, failed, passed, warned
from ferryman.storage.river.bundle import in_schema
from ferryman.storage.river.steps import Query, Verb
from ferryman.storage.river.times import parse_time
from ferryman.storage.river.verbs.health import cleaning
from ferryman.storage.river.verbs.indexes import list_indexes, mending
from ferryman.storage.values import Retention

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
_TABLES = ("river_job", "river_leader", "river_queue", "ferryman_worker", "ferryman_schedule", "ferryman_note")
_DEAD_ROWS, _DEAD_SHARE = 10_000, 0.2
_LONG, _TOO_LONG = timedelta(minutes=5), timedelta(hours=1)
_MANY = 100_000
"""How many transactions may pass while a replica is a little behind."""


def check(now: datetime, keep: Retention, schema: str | None) -> Verb[list[Finding]]:
    """Judge the server, its sessions, River's tables in `schema`, and who keeps them from being cleaned."""
    return [
        (yield from _version()),
        (yield from _dates()),
        (yield from _clock()),
        (yield from _indexes(schema)),
        (yield from _schemas()),
        (yield from _grants(schema)),
        (yield from _transactions(now)) or (yield from _slots()),
        (yield from _dead_rows(schema)),
        (yield from cleaning("P-CLEAN", now, keep)),
    ]


def _version() -> Verb[Finding]:
    ((number, name),) = yield Query("server_version")
    if number // 10_000 < _OLDEST:
        return failed("P-VERSION", f"PostgreSQL {name} is too old, ferryman needs {_OLDEST}: upgrade the server")
    return passed("P-VERSION", f"PostgreSQL {name}")


def _indexes(schema: str | None) -> Verb[Finding]:
    rows = yield Query("valid_indexes")
    missing = sorted(set(_INDEXES) - {row[0] for row in rows})
    if missing:
        there = yield from list_indexes()
        fixes = [mending(name, is_there=name in there, schema=schema) for name in missing]
        return failed(
            "P-INDEX",
            f"the index {missing[0]} is missing or invalid, so that every fetch reads too much"
            if len(missing) == 1
            else f"these indexes are missing or invalid: {', '.join(missing)}",
            " ".join(filter(None, fixes)),
        )
    return passed("P-INDEX", "every index is there")


def _dates() -> Verb[Finding]:
    ((style, user),) = yield Query("date_style")
    if not style.startswith("ISO"):
        return failed(
            "P-TZ",
            f"sessions begin with DateStyle {style}, in which times cannot be read",
            f"alter role {user} set datestyle = 'ISO';",
        )
    return passed("P-TZ", "times are written as ISO 8601, in UTC")


def _clock() -> Verb[Finding]:
    asked = time.time()
    ((theirs,),) = yield Query("server_clock")
    return clocks_apart("C-CLOCK", abs(theirs - (asked + time.time()) / 2))


def _schemas() -> Verb[Finding]:
    schemas = [name for (name,) in (yield Query("schemas_found", {"table": _TABLES[0]}))]
    if len(schemas) > 1:
        return warned(
            "P-SCHEMA",
            f"the search path leads to tables of jobs in {' and in '.join(schemas)}; "
            f"whoever sees another path works other jobs. Say which in the URL: ?schema={schemas[0]}",
        )
    return passed("P-SCHEMA", "there is one set of tables on the search path, or a schema was named")


def _grants(schema: str | None) -> Verb[Finding]:
    rows = yield Query("missing_grants", {"tables": list(_TABLES)})
    if rows:
        lacking = "; ".join(f"{table}: {rights}" for table, rights, _ in rows)
        user = rows[0][2]
        fixes = [in_schema(f"grant {rights} on /* schema */{table} to {user};", schema) for table, rights, _ in rows]
        return failed("P-PERMS", f"{user} may not do all that workers do ({lacking})", " ".join(fixes))
    return passed("P-PERMS", "the user of the URL has every right that workers need")


def _transactions(now: datetime) -> Verb[Finding | None]:
    rows = yield Query("oldest_transaction")
    for what, who, since in rows:
        began = parse_time(since)
        open_for = now - began if began else timedelta()
        if open_for >= _LONG:
            judge = failed if open_for >= _TOO_LONG else warned
            return judge(
                "P-XACT",
                f"a {what} is open for {open_for.total_seconds() / 60:,.0f} min ({who}): dead rows pile up meanwhile, "
                "and every fetch reads them",
                "rollback prepared '{}';".format(who.replace("'", "''")) if what.startswith("prepared") else "",
            )
    return None


def _slots() -> Verb[Finding]:
    for name, active, transactions in (yield Query("slot_that_holds")):
        if transactions >= _MANY:
            return warned(
                "P-XACT",
                f"the replication slot {name} holds rows that died up to {transactions:,} transactions ago: dead rows "
                "pile up meanwhile, and every fetch reads them"
                + ("" if active else ". Nobody reads from it; if nobody will, drop it"),
                "" if active else f"select pg_drop_replication_slot('{name}');",
            )
    return passed("P-XACT", "no transaction is open for long")


def _dead_rows(schema: str | None) -> Verb[Finding]:
    for dead, live in (yield Query("dead_rows")):
        if dead > _DEAD_ROWS and dead > _DEAD_SHARE * (dead + live):
            return warned(
                "P-BLOAT",
                f"{dead:,} of {dead + live:,} rows of river_job are dead, and every fetch reads some of them",
                in_schema("vacuum (analyze) /* schema */river_job;", schema),
            )
    return passed("P-BLOAT", "dead rows are cleared away")
