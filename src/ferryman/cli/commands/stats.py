"""`ferryman stats`: how much is worked, how fast, and how much of it fails."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from ferryman.admin.throughput import Throughput
from ferryman.cli.grammar import command
from ferryman.cli.output import Column, Listing, show
from ferryman.cli.session import Session
from ferryman.errors import ConfigError

__all__ = ["stats"]


def _share(row: Throughput) -> str:
    return f"{row.failed / row.ended:.1%}" if row.failed else "0"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"


STATS = Listing[Throughput](
    msgspec.structs.asdict,
    lambda row: row.name,
    (
        Column("ENDED", lambda row, times: f"{row.ended:,}", right=True),
        Column("PER MIN", lambda row, times: f"{row.per_minute:,.1f}", right=True),
        Column(
            "FAILED", lambda row, times: f"{row.failed:,}", right=True, style=lambda text: "red" if text != "0" else ""
        ),
        Column("ERRORS", lambda row, times: _share(row), right=True),
        Column("P50", lambda row, times: _time(row.p50), right=True),
        Column("P95", lambda row, times: _time(row.p95), right=True),
        Column("CANCELLED", lambda row, times: f"{row.cancelled:,}", right=True, wide=True),
        Column("NAME", lambda row, times: row.name),
    ),
    none="No job has ended in this time, or none of them is kept.",
)


@command("stats", examples=["ferryman stats", "ferryman stats --window 24h --by queue", "ferryman stats --json"])
@click.option("--window", default="1h", show_default=True, metavar="TIME", help="How far to look back.")
@click.option("--by", type=click.Choice(["kind", "queue"]), default="kind", show_default=True, help="What is a line.")
@click.pass_obj
def stats(session: Session, /, window: str, by: Any) -> None:
    """Show how much is worked, how fast, and how much of it fails.

    It counts the jobs that are still there: what is deleted, or kept for less than the window, is not seen.
    """
    length = session.times.length(window, "--window")
    if not length:
        raise ConfigError("--window is no time at all. It takes a length of time such as 1h.")
    try:
        found = session.admin.stats.throughput(length, by=by)
    except OverflowError:
        raise ConfigError(f'--window is "{window}", which is before the first year there is.') from None
    said = f"Only the latest {found.scanned:,} jobs were looked at, which ended in {found.window:,.0f} s."
    show(session, STATS, found.rows, warnings=[said] if found.truncated else ())
