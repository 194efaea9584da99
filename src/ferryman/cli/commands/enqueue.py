"""`ferryman enqueue`: store one job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
import msgspec

from ferryman.cli.completing import complete_kinds, complete_queues
from ferryman.cli.ending import wait_for
from ferryman.cli.failures import PARTLY
from ferryman.cli.grammar import command
from ferryman.cli.output import Listing, show
from ferryman.cli.payload import read_headers, read_payload
from ferryman.cli.session import Session
from ferryman.cli.storing import store_lines
from ferryman.errors import ConfigError, DuplicateJob
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
        "ferryman enqueue email:send --jsonl people.jsonl",
        "ferryman enqueue report --wait",
        "ferryman enqueue thumbnail --bytes @photo.jpg --group photos --header trace-id=4711",
    ],
)
@click.argument("kind", shell_complete=complete_kinds)
@click.argument("positional", metavar="[ARGS]", required=False)
@click.option("-l", "--args", "args", metavar="JSON", help="Arguments: JSON, @file, or - for stdin.")
@click.option("--bytes", "raw", metavar="BYTES", help="Arguments that are no JSON: text, @file, or - for stdin.")
@click.option("--jsonl", metavar="FILE", help="Store a job for each line, which is its arguments; - for stdin.")
@click.option("--wait", is_flag=True, help="Wait until it has ended; exit code 1 unless it completed.")
@click.option("-Q", "--queue", metavar="QUEUE", shell_complete=complete_queues, help="The queue.")
@click.option("--in", "delay", metavar="TIME", help="Run it after this time, such as 10m.")
@click.option("--at", metavar="TIME", help="Run it then, such as 2026-11-22T08:00.")
@click.option("--retries", type=int, help="How often to try again if it fails.")
@click.option("--timeout", metavar="TIME", help="How long one attempt may take; 0 is no limit.")
@click.option("--deadline", metavar="TIME", help="When it is no longer worth running.")
@click.option("--unique", metavar="TIME", help="No second one within this time; always is without end.")
@click.option("--id", help="An id of your own, where the storage takes one.")
@click.option("--priority", type=int, help="1 (first) to 4.")
@click.option("--tag", "tags", multiple=True, help="A label.")
@click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="Text kept beside the arguments.")
@click.option("--group", metavar="GROUP", help="Gather it with others of this group into one job; on Redis.")
@click.option("--retention", metavar="TIME", help="How long to keep it once it has completed.")
@click.pass_obj
def enqueue(
    session: Session,
    /,
    kind: str,
    positional: str | None,
    args: str | None,
    raw: str | None,
    jsonl: str | None,
    wait: bool,
    **said: Any,
) -> int:
    """Store a job, and print its id.

    With an app given, its task of this kind checks the arguments and adds its own options.
    """
    options = _options(session, said)
    if jsonl is not None:
        if wait or positional or args or raw:
            raise ConfigError(
                "--jsonl gives many jobs their arguments, so --wait and other arguments do not go with it."
            )
        return _many(session, jsonl, lambda payload: _job(session, kind, payload, options))
    payload = read_payload(positional, args, raw)
    job = _job(session, kind, payload, options)
    stored = session.jobs.sync.enqueue(job)
    show(session, STORED, [stored], warnings=_ignored(payload, job))
    if stored.duplicate:
        raise DuplicateJob(
            f"A job of this kind is there already: {stored.ref}, which is {stored.state}. Nothing was stored.",
            ref=stored.ref,
        )
    return wait_for(session, stored.ref) if wait else 0


def _many(session: Session, file: str, make: Callable[[bytes], NewJob]) -> int:
    stored = list(store_lines(session, file, make))
    new = [each for each in stored if not each.duplicate]
    show(session, STORED, new if session.format in ("table", "wide", "ids") else stored)
    session.note(f"stored {len(new):,}, there already {len(stored) - len(new):,}")
    return 0 if len(new) == len(stored) else PARTLY


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
    if "headers" in options:
        options["headers"] = read_headers(options["headers"])
    return options  # type: ignore[return-value]


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
    except (msgspec.DecodeError, UnicodeDecodeError):
        return set()
    return set(found) if isinstance(found, dict) else set()
