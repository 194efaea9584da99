"""The command `ferryman`: what there is, and how everything that goes wrong leaves."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from ferryman import __version__
from ferryman.cli.failures import CLOSED_PIPE, INTERRUPTED, asks_for_json, report, say
from ferryman.cli.grammar import Group, Lazy
from ferryman.cli.session import Session
from ferryman.errors import FerrymanError

__all__ = ["COMMANDS", "cli"]

_HERE = "ferryman.cli.commands"
COMMANDS: Lazy = {
    "worker": (f"{_HERE}.worker:worker", "Run an app's jobs until told to stop."),
    "dev": (f"{_HERE}.dev:dev", "Run web, worker and dashboard together, and anew at each change of the code."),
    "dashboard": (f"{_HERE}.dashboard:dashboard", "Serve the dashboard, until told to stop."),
    "enqueue": (f"{_HERE}.enqueue:enqueue", "Store a job, and print its id."),
    "job": (f"{_HERE}.job:job", "Look at jobs, and act on them."),
    "bulk": (f"{_HERE}.bulk:bulk", "Look at actions on many jobs, stop and continue them."),
    "failed": (f"{_HERE}.failed:failed", "Show what gave up, gathered by what went wrong."),
    "queue": (f"{_HERE}.queue:queue", "Look at queues, pause, resume and delete them."),
    "periodic": (f"{_HERE}.periodic:periodic", "Look at what is enqueued by the clock, run it now, pause it."),
    "top": (f"{_HERE}.top:top", "Watch queues, workers, running and failed jobs on one screen."),
    "workers": (f"{_HERE}.workers:workers", "List the workers that are alive."),
    "stats": (f"{_HERE}.stats:stats", "Show how much is worked, how fast, and how much of it fails."),
    "metrics": (f"{_HERE}.metrics:metrics", "Show what waits in the storage to Prometheus, until told to stop."),
    "health": (f"{_HERE}.health:health", "Ask a worker's health port how it is: 0 is well, 1 is not."),
    "doctor": (f"{_HERE}.doctor:doctor", "Look for what may lose, delay or hide jobs."),
    "bench": (f"{_HERE}.bench:bench", "Measure how fast jobs are stored and worked here, with jobs that do nothing."),
    "migrate": (f"{_HERE}.migrate:migrate", "Bring the database's tables up to date, or back."),
    "config": (f"{_HERE}.config:config", "Look at the settings."),
    "completion": (
        f"{_HERE}.completion:completion",
        "Write a script that completes our commands, options, queues and kinds; load it with eval.",
    ),
    "version": (f"{_HERE}.version:version", "Say which ferryman this is, and what it can talk to."),
}


class Root(Group):
    """Turns what goes wrong into one sentence and an exit code."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line, and end the process with its exit code."""
        given = list(sys.argv[1:] if args is None else args)
        session = Session(json_errors=asks_for_json(given, os.environ.get("FERRYMAN_OUTPUT")))
        extra.setdefault("obj", session)
        extra.setdefault("terminal_width", _width())
        try:
            code = super().main(given, prog_name, complete_var, standalone_mode=False, **extra)
        except (FerrymanError, click.ClickException) as error:
            code = report(error, safe=session.safe, as_json=session.json_errors, color=session.color)
        except click.Abort:
            code = INTERRUPTED
        except OSError as error:
            detail = session.safe(f"The system refused: {error}.")
            say("os_error", detail, None, as_json=session.json_errors, color=session.color)
            _let_go_of_stdout()
            code = 1
        sys.exit(code or 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and close what it opened."""
        session = ctx.ensure_object(Session)
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _let_go_of_stdout()
            ctx.exit(CLOSED_PIPE)
        finally:
            session.close()
        return code


def _width() -> int:
    """Return how wide help may be.  Asked by hand: what click asks loads every compression there is."""
    try:
        return min(int(os.environ.get("COLUMNS") or os.get_terminal_size().columns), 100)
    except (OSError, ValueError):
        return 80


def _let_go_of_stdout() -> None:
    """Write the rest into nothing: the interpreter flushes once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


@click.group("ferryman", cls=Root, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="ferryman %(version)s")
def cli() -> None:
    """Background jobs that share their queues with Go.

    Data goes to stdout, everything else to stderr.
    """
