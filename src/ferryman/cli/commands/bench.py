"""`ferryman bench`: how fast it is here."""

from __future__ import annotations

import asyncio

import click
import msgspec

from ferryman.cli.grammar import command
from ferryman.cli.measuring import Figure, measure
from ferryman.cli.output import Column, Listing, show
from ferryman.cli.session import Session

__all__ = ["bench"]


def _value(figure: Figure) -> str:
    return f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:,.1f}"


FIGURES = Listing[Figure](
    msgspec.structs.asdict,
    lambda figure: figure.name,
    (
        Column("MEASURED", lambda figure, times: figure.name),
        Column("VALUE", lambda figure, times: _value(figure), right=True),
        Column("UNIT", lambda figure, times: figure.unit),
    ),
)


@command("bench", examples=["ferryman bench", "ferryman bench -n 100000 --concurrency 500 --yes --json"])
@click.option(
    "-n", "--jobs", "number", type=click.IntRange(1), default=10_000, show_default=True, help="How many jobs."
)
@click.option("--concurrency", type=click.IntRange(1), default=200, show_default=True, help="In how many slots.")
@click.pass_obj
def bench(session: Session, /, number: int, concurrency: int) -> None:
    """Measure how fast jobs are stored and worked here, with jobs that do nothing.

    They have a queue of their own, and are deleted at the end.  It keeps the storage busy for a while, so in a script
    say --yes.
    """
    session.confirm(f"Store {number:,} jobs on {session.place}, run them here, and delete them?")
    show(session, FIGURES, asyncio.run(_measured(session, number, concurrency)))


async def _measured(session: Session, number: int, slots: int) -> list[Figure]:
    jobs = session.bare()
    try:
        return await measure(jobs, number=number, slots=slots)
    finally:
        await jobs.close()
