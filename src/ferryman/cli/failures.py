"""What went wrong, as a sentence (or JSON) on stderr and an exit code (spec/cli.md 4.2).

This is the only place that knows exit codes.  An error without a line of its own in the
table takes that of its nearest ancestor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress

import click

from ferryman import errors

__all__ = [
    "CLOSED_PIPE",
    "INTERRUPTED",
    "OUTGROWN",
    "PARTLY",
    "TIMED_OUT",
    "GroupNotFound",
    "Refused",
    "asks_for_json",
    "code_of",
    "exit_code",
    "report",
]

PARTLY, TIMED_OUT, INTERRUPTED = 7, 124, 130
OUTGROWN = 75
"""Nothing failed, but another process is to go on with the work; whoever restarts on failure alone does so too."""
CLOSED_PIPE = 141
"""What a shell shows for any program that wrote into a closed pipe: 128 and SIGPIPE."""


class Refused(errors.FerrymanError):
    """We do not do this without being told to: a confirmation is missing."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class GroupNotFound(errors.FerrymanError, LookupError):
    """No failed job has this fingerprint."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        there = "ferryman failed shows those there are"
        super().__init__(f'No failed job that fits has the fingerprint "{fingerprint}"; {there}.')


_EXITS: dict[type[BaseException], int] = {
    errors.ConfigError: 2,
    errors.InvalidJob: 2,
    errors.InvalidArguments: 2,
    errors.MissingExtra: 2,
    errors.Unsupported: 2,
    errors.JobNotFound: 3,
    errors.QueueNotFound: 3,
    errors.ScheduleNotFound: 3,
    errors.BulkNotFound: 3,
    errors.UnknownTask: 3,
    GroupNotFound: 3,
    errors.DuplicateJob: 4,
    errors.WrongState: 4,
    errors.StorageUnavailable: 5,
    errors.Forbidden: 5,
    Refused: 6,
    errors.FerrymanError: 1,
}


def exit_code(error: errors.FerrymanError) -> int:
    """Return the exit code for an error."""
    return next(_EXITS[kind] for kind in type(error).__mro__ if kind in _EXITS)


def code_of(error: errors.FerrymanError) -> str:
    """Return the name of an error in JSON: `job_not_found` for JobNotFound."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def asks_for_json(args: Sequence[str], otherwise: str | None) -> bool:
    """Whether these arguments ask for JSON.  Looked up by hand, since they may be what could not be parsed."""
    chosen = otherwise
    for place, word in enumerate(args):
        if word == "--":
            break
        if word == "--json":
            chosen = "json"
        elif word in ("-o", "--output"):
            chosen = args[place + 1] if place + 1 < len(args) else chosen
        elif word.startswith(("-ojson", "--output=")):
            chosen = word.removeprefix("--output=").removeprefix("-o")
    return chosen in ("json", "jsonl")


def report(
    error: errors.FerrymanError | click.ClickException,
    *,
    safe: Callable[[str], str],
    as_json: bool,
    color: bool | None,
) -> int:
    """Say on stderr what went wrong, made `safe`, and return the exit code."""
    if isinstance(error, click.ClickException):
        code, name, detail, hint = error.exit_code, "usage", error.format_message(), _help_for(error)
    else:
        code, name, detail, hint = exit_code(error), code_of(error), str(error), getattr(error, "hint", None)
    say(name, safe(detail), hint, as_json=as_json, color=color)
    return code


def say(name: str, detail: str, hint: str | None, *, as_json: bool, color: bool | None) -> None:
    """Write an error to stderr: a sentence and what to do next, or the same as JSON; color None is on terminals."""
    if as_json:
        import json

        body = {"v": 1, "error": {"code": name, "detail": detail, "hint": hint}}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    else:
        text = f"{click.style('error:', fg='red', bold=True)} {_one_line(detail)}"
        text += f"\n{hint}" if hint else ""
    with suppress(OSError):  # where nobody can read it, the exit code still tells
        click.echo(text, err=True, color=color)


def _help_for(error: click.ClickException) -> str | None:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"Try: {context.command_path} --help" if context else None


def _one_line(text: str) -> str:
    return " ".join(text.split())
