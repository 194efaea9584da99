"""`ferryman failed`: what gave up, in one command."""

from __future__ import annotations

import click

from ferryman.cli.grammar import command
from ferryman.cli.jobs_shown import FAILED, RETRYING
from ferryman.cli.output import show
from ferryman.cli.session import Session

__all__ = ["failed"]


@command(
    "failed",
    examples=["ferryman failed", "ferryman failed --retrying -o wide", "ferryman failed -o ids | ferryman job retry -"],
)
@click.option("--retrying", is_flag=True, help="Also the jobs that failed and will be tried again.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="How many at most."
)
@click.option("--cursor", help="Go on where the page before ended.")
@click.pass_obj
def failed(session: Session, retrying: bool, limit: int, cursor: str | None) -> None:
    """List the jobs that gave up, the newest first."""
    page = session.admin.jobs.failed(retrying=retrying, limit=limit, cursor=cursor)
    show(session, RETRYING if retrying else FAILED, page.items, next=page.next)
    if page.items and session.format in ("table", "wide"):
        first = page.items[0].ref
        session.note(f"\nLook at one:    ferryman job show {first}\nRun one again:  ferryman job retry {first}")
