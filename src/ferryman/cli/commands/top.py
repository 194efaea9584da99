"""`ferryman top`: everything at one look."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec

import click

from ferryman.cli.grammar import command
from ferryman.cli.output import show
from ferryman.cli.session import Session
from ferryman.cli.signals import STOP, hearing
from ferryman.errors import ConfigError, MissingExtra

__all__ = ["top"]

_SHORTEST = 0.2
_GOODBYE = 2.0
"""How many seconds a storage has to let go of us; it may be hanging."""


@command("top", examples=["ferryman top", "ferryman top --interval 10s --read-only", "ferryman top --once --json"])
@click.option("--interval", default="2s", show_default=True, metavar="TIME", help="How often to look.")
@click.option("--once", is_flag=True, help="Look once, print it, and end; so does a pipe, and any -o.")
@click.option("--read-only", is_flag=True, help="Only look: nothing is retried or paused.")
@click.pass_obj
def top(session: Session, /, interval: str, once: bool, read_only: bool) -> None:
    """Watch queues, workers, running and failed jobs on one screen."""
    seconds = session.times.length(interval, "--interval").total_seconds()
    if seconds < _SHORTEST:
        raise ConfigError(f'--interval is "{interval}". It takes {_SHORTEST:g}s or more.')
    if once or session.format != "table":
        asyncio.run(_once(session))
    elif find_spec("textual") is None:
        what = "ferryman top needs the package textual, which is not installed; ferryman top --once does without."
        raise MissingExtra(what, extra="tui")
    elif not sys.stdout.isatty():
        asyncio.run(_once(session))
    else:
        asyncio.run(_watch(session, seconds, read_only=read_only))


async def _once(session: Session) -> None:
    from ferryman.cli.top.overview import look
    from ferryman.cli.top.shown import ONCE

    try:
        show(session, ONCE, [await look(session.jobs.admin, place=session.place)])
    finally:
        await session.jobs.close()


async def _watch(session: Session, interval: float, *, read_only: bool) -> None:
    from ferryman.cli.top.app import Top

    actor = None if read_only else session.actor
    app = Top(
        session.jobs.admin,
        place=session.place,
        zone=session.times.zone,
        interval=interval,
        actor=actor,
        hides=session.redaction,
    )
    try:
        with hearing(STOP, lambda heard: app.exit()):
            await app.run_async()
    finally:
        try:
            async with asyncio.timeout(_GOODBYE):
                await session.jobs.close()
        except TimeoutError:
            session.note(f"{session.place} did not answer to the end.")
