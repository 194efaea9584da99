"""`ferryman version`."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import click

from ferryman import __version__
from ferryman.cli.grammar import command
from ferryman.cli.output import Listing, Row, show
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.connect import schemes

__all__ = ["version"]


def _lines(facts: Row, times: Times) -> Iterator[str]:
    urls = ", ".join(f"{scheme}://" for scheme in facts["schemes"])
    yield f"ferryman {facts['ferryman']} on Python {facts['python']}; keeps jobs at {urls}"


VERSION = Listing[Row](lambda facts: facts, lambda facts: str(facts["ferryman"]), lines=_lines)


@command("version", examples=["ferryman version", "ferryman version --json"])
@click.pass_obj
def version(session: Session) -> None:
    """Say which ferryman this is, and what it can talk to."""
    show(session, VERSION, [{"ferryman": __version__, "python": platform.python_version(), "schemes": schemes()}])
