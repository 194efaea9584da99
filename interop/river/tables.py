"""What is in River's tables, read and moved on by neither side."""

from __future__ import annotations

import json
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row

__all__ = ["Tables", "shape"]

Row = dict[str, Any]


class Tables:
    """A connection of a test's own."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def query(self, sql: str, *values: Any) -> list[Row]:
        """Run any statement."""
        found = self._connection.execute(sql.encode(), values)
        return found.fetchall() if found.description else []

    def job(self, id: str) -> Row:
        """Return every column of a job; arguments and metadata as their text."""
        (row,) = self.query(
            "select to_jsonb(t) as row, args::text as args, metadata::text as metadata from river_job t where id = %s",
            int(id),
        )
        return {**row["row"], "args": row["args"], "metadata": row["metadata"]}

    def counts(self) -> dict[str, int]:
        """Return how many jobs there are in each state."""
        rows = self.query("select state::text, count(*) as jobs from river_job group by state")
        return {row["state"]: row["jobs"] for row in rows}

    def leader(self) -> str | None:
        """Return who leads."""
        rows = self.query("select leader_id from river_leader where expires_at > now()")
        return rows[0]["leader_id"] if rows else None

    def let_the_term_run_out(self) -> None:
        """Spare the test the fifteen seconds that a dead leader's term lasts."""
        self.query("update river_leader set expires_at = now() - interval '1 millisecond'")

    def let_time_pass(self, id: str, seconds: float) -> None:
        """Put a job's last attempt back."""
        sql = "update river_job set attempted_at = attempted_at - %s * interval '1 second' where id = %s"
        self.query(sql, seconds, int(id))


def shape(row: Row) -> Row:
    """Take out of a row what differs from one job to the next: its id and its times, but not whether there is one."""
    shaped = {name: value is not None if name.endswith("_at") else value for name, value in row.items() if name != "id"}
    errors = [{**error, "at": bool(error["at"]), "trace": ""} for error in row["errors"] or ()]
    metadata = json.loads(row["metadata"])
    if "cancel_attempted_at" in metadata:
        metadata["cancel_attempted_at"] = True
    return {**shaped, "errors": errors or row["errors"], "metadata": metadata}
