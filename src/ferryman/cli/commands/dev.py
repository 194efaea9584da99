"""`ferryman dev`: web, worker and dashboard side by side, anew at each change of the code (spec/cli.md 4.5)."""

from __future__ import annotations

import asyncio
import importlib.util
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

_WEB, _DASHBOARD, _WORKER = "web", "dashboard", "worker"
_DRAIN = 5.0
"""How many seconds running jobs and requests have when the code has changed."""
_PATIENCE = {_WORKER: 2 * _DRAIN + 5.0}


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
@click.option("--dashboard/--no-dashboard", default=True, help="Whether to serve the dashboard beside them.")
@click.option(
    "--dashboard-port", type=click.IntRange(0, 65_535), default=8081, show_default=True, metavar="N", help="Its port."
)
@click.option("-Q", "--queue", "queues", multiple=True, metavar="NAME[:WEIGHT]", help="A queue to take jobs from.")
@click.option("--concurrency", metavar="N", help="How many jobs to run at a time.")
@click.pass_obj
def dev(
    session: Session,
    /,
    named: str | None,
    web: str | None,
    folders: Sequence[Path],
    dashboard: bool,
    dashboard_port: int,
    **said: Any,
) -> int:
    """Run web, worker and dashboard together, and anew at each change of the code.

    The first Ctrl-C lets requests and running jobs end, the second is passed on and means now.
    """
    from ferryman.cli.watching import need_watchfiles

    session.app = named or session.app
    if session.app_name is None:
        raise ConfigError("No app is named. Write it like: ferryman dev app.main:jobs, or set FERRYMAN_APP.")
    need_watchfiles("ferryman dev", "dev")
    commands = {
        _WEB: _words(web or session.bare().settings.web),
        _DASHBOARD: _dashboard(session, dashboard_port) if dashboard else [],
        _WORKER: child_command(session, {**said, "shutdown_timeout": f"{_DRAIN:g}s"}),
    }
    return asyncio.run(_develop(session, commands, folders or (Path.cwd(),)))


async def _develop(session: Session, commands: Mapping[str, Sequence[str]], folders: Sequence[Path]) -> int:
    from ferryman.cli.console import Console
    from ferryman.cli.development import RELOAD, Development

    environment = _environment()
    console = Console([*(name for name, command in commands.items() if command), RELOAD], color=session.color)
    parts = _parts(commands, console, environment)
    modules = _modules([str(session.app_name), *commands[_WEB]])
    return await Development(parts, console, folders=folders, modules=modules, environment=environment).run()


def _parts(commands: Mapping[str, Sequence[str]], console: Console, environment: Mapping[str, str]) -> Sequence[Part]:
    """Return what is to run, in the order in which it stops: pages first, so that no new job comes."""
    from ferryman.cli.part import Part

    return [
        Part(name, command, console, environment=environment, patience=_PATIENCE.get(name, _DRAIN))
        for name, command in commands.items()
        if command
    ]


def _dashboard(session: Session, port: int) -> list[str]:
    """Return the command line of the dashboard; none where what it needs is not installed."""
    if importlib.util.find_spec("starlette") is None:
        session.note('The dashboard is left out: it needs pip install "ferryman[web]".')
        return []
    where = [
        *(["--url", session.url] if session.url else []),
        *(["--storage", session.storage] if session.storage else []),
        *(["--config", session.config] if session.config else []),
    ]
    shown = ["--port", str(port), "--environment", "development"]
    return [sys.executable, "-m", "ferryman", "dashboard", "--app", str(session.app_name), *where, *shown]


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
