"""`ferryman migrate`: the database's tables, up, down and where they stand.

It works where nothing else does: on a schema that does not fit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click

from ferryman.admin._async.admin import AsyncStorageAdmin
from ferryman.cli.grammar import Group
from ferryman.cli.migrations import DIALECTS, SQL, known, place_of, planned, texts
from ferryman.cli.output import Column, Listing, show
from ferryman.cli.session import Session
from ferryman.duration import parse_duration
from ferryman.errors import ConfigError
from ferryman.storage.river.rules import check_schema
from ferryman.storage.values import LineStatus
from ferryman.views import line_view

__all__ = ["migrate"]

T = TypeVar("T")
LINES = ("main", "ferryman")
_RIVERS_LIMIT = 10.0

STATUS = Listing[LineStatus](
    line_view,
    lambda line: line.line,
    (
        Column("LINE", lambda line, times: line.line),
        Column("VERSION", lambda line, times: str(line.version), right=True),
        Column("NEWEST", lambda line, times: str(line.latest), right=True),
        Column("MISSING", lambda line, times: " ".join(map(str, line.pending)), style=lambda text: "yellow"),
    ),
    none="No migrations.",
)
KNOWN = Listing[tuple[str, str, bool]](
    lambda each: {"line": each[0], "migration": each[1], "applied": each[2]},
    lambda each: f"{each[0]} {each[1]}",
    (
        Column("LINE", lambda each, times: each[0]),
        Column("MIGRATION", lambda each, times: each[1]),
        Column(
            "APPLIED",
            lambda each, times: "yes" if each[2] else "no",
            style=lambda text: "yellow" if text == "no" else "",
        ),
    ),
    none="No migrations.",
)
DONE = Listing[tuple[str, str]](
    lambda done: {"line": done[0], "migration": done[1]},
    lambda done: f"{done[0]} {done[1]}",
    (Column("LINE", lambda done, times: done[0]), Column("MIGRATION", lambda done, times: done[1])),
    none="Nothing to do.",
)


@click.group("migrate", cls=Group)
def migrate() -> None:
    """Bring the database's tables up to date, or back.

    Line main is River's own, line ferryman holds what is ours beside it.
    """


_to = click.option("--to", "target", type=click.IntRange(min=0), metavar="VERSION", help="Stop at this version.")
_steps = click.option("--max-steps", type=click.IntRange(min=1), metavar="N", help="At most so many migrations.")


_timeout = click.option(
    "--statement-timeout",
    metavar="TIME",
    help="On Postgres, how long each statement may take; 0 is no limit.  [as the URL says, or 10s]",
)
_schema = click.option(
    "--schema",
    metavar="NAME",
    expose_value=False,
    callback=lambda context, option, name: setattr(context.ensure_object(Session), "schema", name),
    help="On Postgres, in which schema the tables are.  [as the URL says, or the search_path]",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be done.")


@migrate.command("list", examples=["ferryman migrate list", "ferryman migrate list --json"])
@_schema
@click.pass_obj
def list_(session: Session) -> None:
    """List every migration there is, and whether the database has it."""
    lines = _with_storage(session, lambda storage: storage.status())
    show(session, KNOWN, list(known(session.jobs.settings.url, lines)))


@migrate.command(
    "up",
    examples=[
        "ferryman migrate up",
        "ferryman migrate up --line main --to 7",
        "ferryman migrate up --statement-timeout 10m",
    ],
)
@click.option("--line", type=click.Choice([*LINES, "all"]), default="all", show_default=True, help="Which line.")
@_to
@_steps
@_schema
@_timeout
@_dry_run
@click.pass_obj
def up(
    session: Session,
    line: str,
    target: int | None,
    max_steps: int | None,
    statement_timeout: str | None,
    dry_run: bool,
) -> None:
    """Apply the migrations that are missing, each in a transaction of its own."""
    lines = LINES if line == "all" else (line,)
    if len(lines) > 1 and (target is not None or max_steps is not None):
        raise ConfigError("--to and --max-steps are of one line. Name it: --line main, or --line ferryman.")
    limit = _limit(session, statement_timeout)
    if dry_run:
        _show_plan(session, lines, up=True, target=target, max_steps=max_steps)
        return

    async def do(storage: AsyncStorageAdmin) -> list[tuple[str, str]]:
        done = []
        for name in lines:
            applied = await storage.migrate(
                name, up=True, target=target, max_steps=max_steps, statement_timeout=limit, actor=session.actor
            )
            done += [(name, migration) for migration in applied]
        return done

    show(session, DONE, _with_storage(session, do))


@migrate.command(
    "down", examples=["ferryman migrate down --max-steps 1", "ferryman migrate down --line ferryman --to 0 --yes"]
)
@click.option("--line", type=click.Choice(LINES), default="main", show_default=True, help="Which line.")
@_to
@_steps
@_schema
@_timeout
@_dry_run
@click.pass_obj
def down(
    session: Session,
    line: str,
    target: int | None,
    max_steps: int | None,
    statement_timeout: str | None,
    dry_run: bool,
) -> None:
    """Revert migrations, one unless told otherwise.  Asks first; in a script say --yes."""
    limit = _limit(session, statement_timeout)
    if dry_run:
        _show_plan(session, [line], up=False, target=target, max_steps=max_steps)
        return
    lines = _with_storage(session, lambda storage: storage.status())
    reverting = _reverting([each for each in lines if each.line == line], target, max_steps)
    if reverting:
        session.confirm(_question(line, reverting))

    async def do(storage: AsyncStorageAdmin) -> Sequence[str]:
        return await storage.migrate(
            line, up=False, target=target, max_steps=max_steps, statement_timeout=limit, actor=session.actor
        )

    show(session, DONE, [(line, migration) for migration in _with_storage(session, do)])


@migrate.command("status", examples=["ferryman migrate status", "ferryman migrate status --check --schema jobs"])
@_schema
@click.option("--check", is_flag=True, help="Exit with 1 when something is missing.")
@click.pass_obj
def status(session: Session, check: bool) -> int:
    """Say where each line of migrations stands."""
    lines = _with_storage(session, lambda storage: storage.status())
    show(session, STATUS, lines)
    missing = any(line.pending for line in lines)
    if missing:
        session.note(f"To apply what is missing: {session.to_type('ferryman migrate up')}")
    return 1 if check and missing else 0


@migrate.command(
    "sql",
    examples=[
        "ferryman migrate sql --dialect postgres --schema jobs",
        "ferryman migrate sql --line main --version 7 --version 8 --down",
    ],
)
@click.option("--dialect", type=click.Choice(DIALECTS), help="For which database.  [as the URL says]")
@click.option("--line", type=click.Choice([*LINES, "all"]), default="all", show_default=True, help="Which line.")
@click.option(
    "--version", "versions", type=int, multiple=True, metavar="N", help="Only this one; say it again for more."
)
@click.option("--down", is_flag=True, help="What reverts them, the newest first.")
@click.option("--schema", metavar="NAME", help="Where the tables are, unless the connection finds them by itself.")
@click.pass_obj
def sql(
    session: Session, dialect: str | None, line: str, versions: tuple[int, ...], down: bool, schema: str | None
) -> None:
    """Print the SQL of the migrations and of their records, for another tool to run.

    It needs no database.  Run each migration in a transaction of its own: on Postgres they cannot share one.
    """
    if versions and line == "all":
        raise ConfigError("--version is of one line. Name it: --line main, or --line ferryman.")
    if schema is not None:
        check_schema(schema, "--schema")
    lines = LINES if line == "all" else (line,)
    database, there = (dialect, None) if dialect else place_of(session.jobs.settings.url)
    show(session, SQL, texts(database, lines, versions, down=down, schema=schema or there))


def _show_plan(session: Session, names: Sequence[str], *, up: bool, target: int | None, max_steps: int | None) -> None:
    """Show what would be done, and do nothing."""
    url, lines = session.jobs.settings.url, _with_storage(session, lambda storage: storage.status())
    chosen = [line for line in lines if line.line in names]
    plans = [planned(url, line, up=up, target=target, max_steps=max_steps) for line in chosen]
    show(session, DONE, [step for plan in plans for step in plan])
    session.note("Nothing was changed: this was a dry run.")


def _with_storage(session: Session, do: Callable[[AsyncStorageAdmin], Awaitable[T]]) -> T:
    jobs = session.jobs
    storage = jobs.admin.storage

    async def run() -> T:
        try:
            return await do(storage)
        finally:
            await jobs.close()

    return asyncio.run(run())


def _limit(session: Session, said: str | None) -> float | None:
    """Return how many seconds a statement may take: as said, as the URL has it, or as for River's own command."""
    if said is not None:
        return parse_duration(said).total_seconds()
    return None if "statement_timeout" in session.jobs.settings.url else _RIVERS_LIMIT


def _reverting(lines: Sequence[LineStatus], target: int | None, max_steps: int | None) -> range:
    """Return the versions of a line that go, the newest first; a storage without tables has no lines."""
    if not lines:
        return range(0)
    (standing,) = lines
    steps = 1 if target is None and max_steps is None else max_steps
    last = max(target or 0, 0 if steps is None else standing.version - steps)
    return range(standing.version, last, -1)


def _question(line: str, reverting: range) -> str:
    which = f"migration {reverting[0]}" if len(reverting) == 1 else f"migrations {reverting[0]} to {reverting[-1]}"
    lost = "every job" if line == "main" and reverting[-1] <= 2 else "what only these versions can hold"
    return f"Revert {which} of line {line}? This loses {lost}."
