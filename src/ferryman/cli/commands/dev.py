"""`ferryman dev`: web and worker side by side, anew at each change of the code (spec/cli.md 4.5)."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ferryman.cli.commands.worker import child_command
from ferryman.cli.grammar import command
from ferryman.cli.session import Session
from ferryman.errors import ConfigError

if TYPE_CHECKING:
    from ferryman.cli.console import Console
    from ferryman.cli.part import Part

__all__ = ["dev"]

_WEB, _WORKER = "web", "worker"
_DRAIN = 5.0
"""How many seconds running jobs and requests have when the code has changed."""
_WORKER_PATIENCE = 2 * _DRAIN + 5.0


@command(
    "dev",
    endless=True,
    examples=[
        "ferryman dev app.main:jobs",
        'ferryman dev app.main:jobs --web "uvicorn app.main:web --port 8080"',
    ],
)
@click.argument("named", required=False, metavar="[MODULE:NAME]")
@click.option("--web", metavar="COMMAND", help="What serves the program's pages.  [FERRYMAN_WEB; ferryman.toml]")
@click.option(
    "--reload-dir",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where to watch Python files, instead of here.",
)
@click.option("-Q", "--queue", "queues", multiple=True, metavar="NAME[:WEIGHT]", help="A queue to take jobs from.")
@click.option("--concurrency", metavar="N", help="How many jobs to run at a time.")
@click.pass_obj
def dev(session: Session, /, named: str | None, web: str | None, folders: Sequence[Path], **said: Any) -> int:
    """Run web and worker together, and anew at each change of the code.

    The first Ctrl-C lets requests and running jobs end, the second is passed on and means now.
    """
    from ferryman.cli.watching import need_watchfiles

    session.app = named or session.app
    if session.app_name is None:
        raise ConfigError("No app is named. Write it like: ferryman dev app.main:jobs, or set FERRYMAN_APP.")
    need_watchfiles("ferryman dev")
    serving = _words(web or session.bare().settings.web)
    worker = child_command(session, {**said, "shutdown_timeout": f"{_DRAIN:g}s"})
    return asyncio.run(_develop(session, serving, worker, folders or (Path.cwd(),)))


async def _develop(session: Session, web: Sequence[str], worker: Sequence[str], folders: Sequence[Path]) -> int:
    from ferryman.cli.console import Console
    from ferryman.cli.development import RELOAD, Development

    environment = _environment()
    names = [*([_WEB] if web else []), _WORKER, RELOAD]
    console = Console(names, color=session.color)
    parts = _parts(web, worker, console, environment)
    modules = _modules([str(session.app_name), *web])
    return await Development(parts, console, folders=folders, modules=modules, environment=environment).run()


def _parts(
    web: Sequence[str], worker: Sequence[str], console: Console, environment: Mapping[str, str]
) -> Sequence[Part]:
    """Return what is to run, in the order in which it stops: pages first, so that no new job comes."""
    from ferryman.cli.part import Part

    pages = [Part(_WEB, web, console, environment=environment, patience=_DRAIN)] if web else []
    return [*pages, Part(_WORKER, worker, console, environment=environment, patience=_WORKER_PATIENCE)]


def _words(web: str) -> Sequence[str]:
    try:
        return shlex.split(web)
    except ValueError as error:
        raise ConfigError(f"The web command is {web!r}, which cannot be read: {error}.") from error


def _modules(words: Sequence[str]) -> Sequence[str]:
    """Return the modules that words such as app.main:web name."""
    named = (re.fullmatch(r"([A-Za-z_][\w.]*):[A-Za-z_][\w.]*(\(\))?", word) for word in words)
    return list(dict.fromkeys(match[1] for match in named if match))


def _environment() -> Mapping[str, str]:
    """Return the environment of the parts: lines at once, for people, and our own Python's programs first."""
    programs = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    return {"FERRYMAN_ENV": "development", **os.environ, "PYTHONUNBUFFERED": "1", "PATH": programs}
