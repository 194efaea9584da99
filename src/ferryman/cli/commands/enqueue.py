"""`ferryman enqueue`: store one job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from ferryman.cli.grammar import command
from ferryman.cli.output import Listing, show
from ferryman.cli.session import Session
from ferryman.errors import DuplicateJob, InvalidJob
from ferryman.job import Inserted, NewJob
from ferryman.options import Options

__all__ = ["enqueue"]

STORED = Listing[Inserted](
    lambda stored: {"ref": str(stored.ref), "state": stored.state, "duplicate": stored.duplicate},
    lambda stored: str(stored.ref),
    lines=lambda stored, times: [str(stored.ref)],
)


@command(
    "enqueue",
    examples=[
        """ferryman enqueue email:send '{"to": "ada@example.com"}'""",
        "ferryman enqueue report --in 10m --unique 1h -l @report.json",
        "ferryman enqueue report --app app.main:jobs --at 2026-11-22T08:00 -l -",
    ],
)
@click.argument("kind")
@click.argument("positional", metavar="[ARGS]", required=False)
@click.option("-l", "--args", "args", metavar="JSON", help="Arguments: JSON, @file, or - for stdin.")
@click.option("-Q", "--queue", metavar="QUEUE", help="The queue.")
@click.option("--in", "delay", metavar="TIME", help="Run it after this time, such as 10m.")
@click.option("--at", metavar="TIME", help="Run it then, such as 2026-11-22T08:00.")
@click.option("--retries", type=int, help="How often to try again if it fails.")
@click.option("--timeout", metavar="TIME", help="How long one attempt may take; 0 is no limit.")
@click.option("--deadline", metavar="TIME", help="When it is no longer worth running.")
@click.option("--unique", metavar="TIME", help="No second one within this time; always is without end.")
@click.option("--id", help="An id of your own, where the storage takes one.")
@click.option("--priority", type=int, help="1 (first) to 4.")
@click.option("--tag", "tags", multiple=True, help="A label.")
@click.option("--retention", metavar="TIME", help="How long to keep it once it has completed.")
@click.pass_obj
def enqueue(session: Session, /, kind: str, positional: str | None, args: str | None, **said: Any) -> None:
    """Store a job, and print its id.

    With an app given, its task of this kind checks the arguments and adds its own options.
    """
    if positional is not None and args is not None:
        raise InvalidJob(f"The arguments are given twice, as {positional} and with -l. Give them once.")
    payload = _payload(next((given for given in (positional, args) if given is not None), "{}"))
    job = _job(session, kind, payload, _options(session, said))
    stored = session.jobs.sync.enqueue(job)
    show(session, STORED, [stored], warnings=_ignored(payload, job))
    if stored.duplicate:
        raise DuplicateJob(
            f"A job of this kind is there already: {stored.ref}, which is {stored.state}. Nothing was stored.",
            ref=stored.ref,
        )


def _options(session: Session, said: dict[str, Any]) -> Options:
    options = {name: value for name, value in said.items() if value is not None and value != ()}
    if "delay" in options:
        options["delay"] = session.times.length(options["delay"], "--in")
    for name, option in (("at", "--at"), ("deadline", "--deadline")):
        if name in options:
            options[name] = session.times.read(options[name], option)
    if options.get("unique") == "always":
        options["unique"] = True
    if "tags" in options:
        options["tags"] = list(options["tags"])
    return options  # type: ignore[return-value]


def _payload(args: str) -> bytes:
    """Return the arguments as compact JSON, its numbers and names untouched.  Raises InvalidJob."""
    text = _read(args)
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJob(f'--args is not JSON: {error}. It takes an object, such as {{"to": "ada"}}.') from error


def _read(args: str) -> bytes:
    if args == "-":
        return sys.stdin.buffer.read()
    if not args.startswith("@"):
        return args.encode()
    try:
        return Path(args[1:]).read_bytes()
    except OSError as error:
        raise InvalidJob(f"--args names the file {args[1:]}, which cannot be read: {error.strerror}.") from error


def _job(session: Session, kind: str, payload: bytes, options: Options) -> NewJob:
    if session.app_name is None:
        return session.jobs.kind(kind).using(**options).job(payload)
    task = session.jobs.tasks[kind]
    positional, named = task.arguments.decode(payload)
    return task.using(**options).job(*positional, **named)


def _ignored(payload: bytes, job: NewJob) -> list[str]:
    """Say which arguments the task has no use for; a misspelt one is among them."""
    ignored = sorted(_names(payload) - _names(job.args))
    return [f'The task "{job.kind}" takes no argument {", ".join(ignored)}.'] if ignored else []


def _names(payload: bytes) -> set[str]:
    try:
        found = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return set()
    return set(found) if isinstance(found, dict) else set()
