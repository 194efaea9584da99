"""`ferryman stats`: how much is worked, how fast, and how much of it fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
import msgspec

from ferryman.admin.series import By, Series
from ferryman.admin.throughput import Throughput, throughputs_of
from ferryman.cli.grammar import command
from ferryman.cli.output import Column, Listing, show
from ferryman.cli.session import Session
from ferryman.errors import ConfigError
from ferryman.numbers import KEPT

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
        Column("WAIT P50", lambda row, times: _time(row.wait_p50), right=True, wide=True),
        Column("WAIT P95", lambda row, times: _time(row.wait_p95), right=True, wide=True),
        Column("CANCELLED", lambda row, times: f"{row.cancelled:,}", right=True, wide=True),
        Column("NAME", lambda row, times: row.name),
    ),
    none="No job has ended in this time, or none of them is kept.",
)


@command("stats", examples=["ferryman stats", "ferryman stats --window 24h --by queue", "ferryman stats --json"])
@click.option("--window", default="1h", show_default=True, metavar="TIME", help="How far to look back.")
@click.option("--by", type=click.Choice(["kind", "queue"]), default="kind", show_default=True, help="What is a line.")
@click.option("--stored", is_flag=True, help="Look at the jobs that are still stored, whoever worked them.")
@click.pass_obj
def stats(session: Session, /, window: str, by: Any, stored: bool) -> None:
    """Show how much is worked, how fast, and how much of it fails.

    It shows what ferryman's workers counted, for eight days at most.  With --stored, or where they counted nothing,
    it looks at jobs: what is deleted, or kept for less than the window, is not seen then.
    """
    length = session.times.length(window, "--window")
    if not length:
        raise ConfigError("--window is no time at all. It takes a length of time such as 1h.")
    counted = None if stored else _counted(session, length, by)
    if counted is not None:
        show(session, STATS, throughputs_of(counted).rows)
        return
    try:
        found = session.admin.stats.throughput(length, by=by)
    except OverflowError:
        raise ConfigError(f'--window is "{window}", which is before the first year there is.') from None
    said = f"Only the latest {found.scanned:,} jobs were looked at, which ended in {found.window:,.0f} s."
    show(session, STATS, found.rows, warnings=[said] if found.truncated else ())


def _counted(session: Session, window: timedelta, by: By) -> Series | None:
    """Return what workers counted, unless that is nothing, or does not go back so far."""
    if window > max(KEPT.values()):
        return None
    counted = session.admin.stats.counted(window, by=by)
    return counted if counted and any(line.total.attempts for line in counted.lines) else None
