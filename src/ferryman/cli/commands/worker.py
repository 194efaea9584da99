"""`ferryman worker`: run an app's jobs, alone, in several processes, or anew at each change of the code."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from ferryman import logs
from ferryman.cli.failures import Refused
from ferryman.cli.grammar import command
from ferryman.cli.output import show
from ferryman.cli.session import Session
from ferryman.cli.tasks_shown import tasks_of
from ferryman.errors import ConfigError
from ferryman.events import EventBus
from ferryman.findings import Level
from ferryman.health.systemd import asked_by_systemd
from ferryman.log_lines import whence
from ferryman.sizes import parse_size

if TYPE_CHECKING:
    from ferryman.app import Ferryman
    from ferryman.cli.crew import Crew
    from ferryman.settings import Settings

__all__ = ["child_command", "worker"]

_SETTINGS = ("concurrency", "strict", "shutdown_timeout", "periodic", "health_addr", "heartbeat_file")


def _bytes(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    return None if value is None else parse_size(value)


@command(
    "worker",
    endless=True,
    examples=[
        "ferryman worker app.main:jobs",
        "ferryman worker app.main:jobs -Q critical:6 -Q default:3 --concurrency 20",
        "ferryman worker app.main:jobs --migrate",
        "ferryman worker app.main:jobs --reload",
        "ferryman worker app.main:jobs --burst",
        "ferryman worker app.main:jobs --processes 4 --max-rss 512MiB",
    ],
)
@click.argument("named", required=False, metavar="[MODULE:NAME]")
@click.option("-Q", "--queue", "queues", multiple=True, metavar="NAME[:WEIGHT]", help="A queue to take jobs from.")
@click.option("--concurrency", metavar="N", help="How many jobs to run at a time.")
@click.option("--strict", is_flag=True, default=None, help="A heavier queue always goes before a lighter one.")
@click.option("--shutdown-timeout", metavar="TIME", help="How long to wait for running jobs when told to stop.")
@click.option("--periodic/--no-periodic", default=None, help="Whether to enqueue jobs by the clock.")
@click.option("--health-addr", "--health-port", metavar="ADDR:PORT", help="Where to tell how it is, over HTTP.")
@click.option("--heartbeat-file", metavar="PATH", help="A file to write every few seconds while it is live.")
@click.option("--burst", is_flag=True, help="End when there is nothing to do.")
@click.option("--max-jobs", type=click.IntRange(min=1), metavar="N", help="End after so many jobs.")
@click.option(
    "--max-rss",
    callback=_bytes,
    metavar="SIZE",
    help="Stop, with exit code 75, when the process has grown beyond this; with --processes another follows.",
)
@click.option("--processes", type=click.IntRange(min=1), default=1, metavar="N", help="Run so many worker processes.")
@click.option("--migrate", is_flag=True, help="Apply the migrations that are missing first.")
@click.option("--strict-start", is_flag=True, help="Do not start when doctor finds an error in the storage.")
@click.option("--reload", is_flag=True, help="Start anew when a Python file changes; for development.")
@click.option("--check", is_flag=True, help="Import the app, list its tasks, and end.")
@click.pass_obj
def worker(
    session: Session, /, named: str | None, processes: int, strict_start: bool, reload: bool, check: bool, **said: Any
) -> int:
    """Run an app's jobs until told to stop.

    The first SIGTERM or Ctrl-C lets running jobs end, the second stops now and the jobs go back.  SIGUSR1 and
    Ctrl-Z take no more jobs, but stay.
    """
    session.app = named or session.app
    if session.app_name is None:
        raise ConfigError("No app is named. Write it like: ferryman worker app.main:jobs, or set FERRYMAN_APP.")
    if reload and processes > 1:
        raise ConfigError("--reload runs one process, and --processes several. Give one of them.")
    if check:
        return _check(session, said)
    if strict_start:
        _refuse_what_is_wrong(session, migrates=said["migrate"])
    if reload:
        return _reload(session, said)
    if processes > 1:
        return _supervise(session, said, processes)
    return _serve(session, said)


def _refuse_what_is_wrong(session: Session, *, migrates: bool) -> None:
    """Raise Refused for an error that `ferryman doctor` finds in the storage; who works its jobs is not asked yet."""
    from ferryman.cli.examination import application, examine

    for found in examine(session):
        waits_for_us = application(found) or (migrates and found.id.endswith("-MIGR"))
        if found.level is Level.ERROR and not waits_for_us:
            fix = f"To fix it: {found.fix}" if found.fix else "See: ferryman doctor"
            raise Refused(f"The worker was not started (--strict-start). {found.id}: {found.text}.", hint=fix)


def _serve(session: Session, said: Mapping[str, Any]) -> int:
    from ferryman.cli.serving import fastest_loop, serve

    jobs = _steered(session, said)
    _log(session, jobs, jobs.events)
    worker = jobs.worker(burst=said["burst"], max_jobs=said["max_jobs"])
    worker.max_rss = said["max_rss"]
    worker.origin = session.origin
    worker.systemd = asked_by_systemd()

    async def run() -> int:
        try:
            if said["migrate"]:
                await jobs.admin.storage.migrate_all(actor=session.actor)
            return await serve(worker, within=session.within)
        finally:
            await jobs.close()

    with asyncio.Runner(loop_factory=fastest_loop()) as runner:
        return runner.run(run())


def _supervise(session: Session, said: Mapping[str, Any], processes: int) -> int:
    from ferryman.cli.supervisor import Supervisor

    events, bare = EventBus(), session.bare()
    bare.override(health_addr=said["health_addr"], heartbeat_file=said["heartbeat_file"])
    _log(session, bare, events)
    command = child_command(session, {**said, "health_addr": "", "heartbeat_file": ""})

    async def run() -> int:
        async with _crew(bare.settings, processes) as crew:
            return await Supervisor(command, processes, events, crew).run()

    return asyncio.run(run())


@asynccontextmanager
async def _crew(settings: Settings, count: int) -> AsyncIterator[Crew | None]:
    """Tell from one place how all processes are, if they are to tell at all."""
    systemd = asked_by_systemd()
    if not (settings.health_addr or settings.heartbeat_file or systemd):
        yield None
        return
    from ferryman.cli.crew import Crew
    from ferryman.health.showing import showing

    with TemporaryDirectory(prefix="ferryman-") as folder:
        crew = Crew(Path(folder), count)
        more = {"/metrics": crew.numbers}
        async with showing(
            crew, address=settings.health_addr, file=settings.heartbeat_file, systemd=systemd, more=more
        ):
            yield crew


def _reload(session: Session, said: Mapping[str, Any]) -> int:
    from ferryman.cli.reload import DRAIN, Reloader
    from ferryman.cli.watching import need_watchfiles

    need_watchfiles("--reload", "reload")
    events = EventBus()
    _log(session, session.bare(), events)
    hasty = {**said, "shutdown_timeout": said["shutdown_timeout"] or f"{DRAIN:g}s"}

    async def run() -> int:
        return await Reloader(child_command(session, hasty), Path.cwd(), events).run()

    return asyncio.run(run())


def _steered(session: Session, said: Mapping[str, Any]) -> Ferryman:
    """Return the app with the settings that were said here."""
    jobs = session.jobs
    settings = {name: said[name] for name in _SETTINGS}
    jobs.override(**settings, queues=",".join(said["queues"]) or None)
    return jobs


def _log(session: Session, jobs: Ferryman, events: EventBus) -> None:
    level = "warn" if session.quiet else jobs.settings.log_level
    logs.configure(level, jobs.settings.log_format, development=logs.in_development())
    logs.subscribe(events, jobs.redaction)


def child_command(session: Session, said: Mapping[str, Any]) -> list[str]:
    """Return the command line of one worker process that does what was said here."""
    words = [sys.executable, "-m", "ferryman", "worker", str(session.app_name)]
    shared = {
        "url": session.url,
        "storage": session.storage,
        "config": session.config,
        "within": session.within,
        "output": session.output,
        "quiet": session.quiet,
        "no_color": session.plain,
    }
    for name, value in {**shared, **said}.items():
        words += _words(f"--{name.replace('_', '-')}", value)
    return words


def _words(option: str, value: Any) -> Iterator[str]:
    if isinstance(value, tuple):
        for each in value:
            yield from (option.removesuffix("s"), str(each))
    elif value is True:
        yield option
    elif value is False:
        if option == "--periodic":
            yield "--no-periodic"
    elif value is not None:
        yield from (option, str(value))


def _check(session: Session, said: Mapping[str, Any]) -> int:
    """Find out what would be wrong at the start, without connecting."""
    jobs = _steered(session, said)
    for task in jobs.tasks.values():
        _ = task.arguments
    settings, _ = jobs.settings, jobs.connections
    show(session, tasks_of(jobs), jobs.tasks.values())
    session.note(
        f"\n{session.app_name} is fine: {len(jobs.tasks)} tasks, queues {' '.join(settings.queues)}, "
        f"{settings.concurrency} slots, storage {session.place}{whence(session.origin)}"
    )
    return 0
