"""`ferryman health`: the probe, with everything that the short way in `__main__` leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from ferryman import probe
from ferryman.cli.grammar import command
from ferryman.cli.output import Listing, Row, show
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.duration import parse_duration
from ferryman.errors import ConfigError, FerrymanError

__all__ = ["health"]


class NotWell(FerrymanError):
    """The worker is not as it should be, or does not say how it is."""


def _lines(found: Row, times: Times) -> Iterator[str]:
    yield found["text"]


FOUND = Listing[Row](lambda found: found, lambda found: found["asked"], lines=_lines)


@command(
    "health",
    examples=[
        "ferryman health",
        "ferryman health http://127.0.0.1:8082/readyz",
        "ferryman health --file /tmp/ferryman.alive --max-age 60s",
    ],
)
@click.argument("address", required=False, metavar="[URL]")
@click.option("--file", metavar="PATH", help="Look at a worker's heartbeat file instead.")
@click.option("--max-age", metavar="TIME", help="How old that may be.  [60s]")
@click.pass_obj
def health(session: Session, /, address: str | None, file: str | None, max_age: str | None) -> int:
    """Ask a worker's health port how it is: 0 is well, 1 is not.

    Without a URL it asks FERRYMAN_HEALTH_ADDR, or 127.0.0.1:8082, whether the worker is live.
    """
    if address and file:
        raise ConfigError("A health port and a heartbeat file are named. Give one of them.")
    if max_age and not file:
        raise ConfigError("--max-age is how old a heartbeat file may be, and none is named. Name it: --file PATH.")
    if file:
        asked, found = file, probe.look_at_file(file, _seconds(max_age))
    else:
        asked = address or probe.default_url()
        found = probe.look_at_url(asked)
    row: dict[str, Any] = {"asked": asked, "ok": not found.code, "text": found.text}
    if found.code and session.format in ("table", "wide"):
        raise NotWell(found.text) if found.code == 1 else ConfigError(found.text)
    show(session, FOUND, [row])
    return found.code


def _seconds(max_age: str | None) -> float:
    return parse_duration(max_age).total_seconds() if max_age else probe.MAX_AGE
