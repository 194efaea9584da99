"""`ferryman failed`: what is broken, in one command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from ferryman.admin.failures import FailedGroup, FailedGroups
from ferryman.cli.bulk import act_on_all
from ferryman.cli.completing import complete_kinds, complete_queues
from ferryman.cli.failures import GroupNotFound
from ferryman.cli.filters import read_filter
from ferryman.cli.grammar import Branch
from ferryman.cli.jobs_shown import FAILED, RETRYING
from ferryman.cli.output import Column, Listing, show
from ferryman.cli.session import Session
from ferryman.errors import ConfigError
from ferryman.job import State
from ferryman.redaction import Redaction
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action

__all__ = ["failed"]

F = TypeVar("F", bound=Callable[..., Any])


def group_without_secrets(redaction: Redaction, group: FailedGroup) -> FailedGroup:
    """Return a group as it may be shown."""
    return msgspec.structs.replace(group, error=redaction.text(group.error))


GROUPS = Listing[FailedGroup](
    lambda group: {**msgspec.structs.asdict(group), "latest": [str(ref) for ref in group.latest]},
    lambda group: group.fingerprint,
    (
        Column("JOBS", lambda group, times: f"{group.count:,}", right=True),
        Column("1H", lambda group, times: f"{group.last_hour:,}", right=True),
        Column("24H", lambda group, times: f"{group.last_day:,}", right=True),
        Column("LAST", lambda group, times: times.ago(group.last_at), right=True),
        Column("FP", lambda group, times: group.fingerprint),
        Column("KIND", lambda group, times: group.kind),
        Column("QUEUES", lambda group, times: " ".join(group.queues), wide=True),
        Column("FIRST", lambda group, times: times.clock(group.first_at), wide=True),
        Column("ERROR", lambda group, times: group.error),
    ),
    none="No job has given up.",
    safe=group_without_secrets,
)


@click.group(
    "failed",
    cls=Branch,
    examples=[
        "ferryman failed",
        "ferryman failed --since 24h --kind email:send",
        "ferryman failed --fp 9f31c2ab04de",
        "ferryman failed -o ids | ferryman job retry -",
        "ferryman failed retry --fp 9f31c2ab04de",
    ],
)
@click.option("--list", "listed", is_flag=True, help="Each job by itself; so are -o ids, --fp and --cursor.")
@click.option("--retrying", is_flag=True, help="Also the jobs that failed and will be tried again.")
@click.option("--since", metavar="TIME", help="Failed since then: 24h, or 2026-11-22T08:00.")
@click.option(
    "-Q",
    "--queue",
    "queues",
    multiple=True,
    metavar="QUEUE",
    shell_complete=complete_queues,
    help="Only of this queue.",
)
@click.option(
    "--kind", "kinds", multiple=True, metavar="KIND", shell_complete=complete_kinds, help="Only of this kind."
)
@click.option("--fp", metavar="FP", help="Only of this group.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True, metavar="N", help="How many at most."
)
@click.option("--cursor", help="Go on where the page before ended.")
@click.pass_context
def failed(context: click.Context, /, listed: bool, limit: int, cursor: str | None, **said: Any) -> None:
    """Show what gave up, gathered by what went wrong."""
    session = context.ensure_object(Session)
    if context.invoked_subcommand:
        _refuse_options(context)
        return
    which = _filter(session, **said)
    if listed or said["fp"] or cursor or session.format == "ids":
        _list(session, which, limit, cursor, retrying=said["retrying"])
    else:
        _gather(session, which, limit)


def _filter(session: Session, *, retrying: bool, since: str | None, **said: Any) -> JobFilter:
    states = (State.DISCARDED, State.RETRYABLE) if retrying else (State.DISCARDED,)
    ended = session.times.since(since, "--since") if since else None
    return msgspec.structs.replace(read_filter(session, **said), states=states, ended_since=ended)


def _gather(session: Session, which: JobFilter, limit: int) -> None:
    found = session.admin.failed.groups(which)
    looked_at = (found.scanned, found.of)
    for_people = found.groups and session.format in ("table", "wide")
    if for_people:
        count = sum(group.count for group in found.groups)
        session.note(f"{count:,} job{'s' if count > 1 else ''} gave up ({session.place})")
    show(session, GROUPS, found.groups[:limit], looked_at=looked_at, warnings=_left_out(found, limit))
    if for_people:
        first = found.groups[0].fingerprint
        session.note(f"\nLook at one group:  {session.to_type(f'ferryman failed --fp {first}')}")
        session.note(f"Run it again:       {session.to_type(f'ferryman failed retry --fp {first}')}")


def _left_out(found: FailedGroups, limit: int) -> list[str]:
    said = []
    if found.truncated:
        said.append(
            f"Only {found.scanned:,} jobs of {found.of:,} were looked at, the latest. Narrow it: --since, --kind."
        )
    if len(found.groups) > limit:
        said.append(f"{len(found.groups) - limit} more groups are not shown: --limit {len(found.groups)}.")
    return said


def _list(session: Session, which: JobFilter, limit: int, cursor: str | None, *, retrying: bool) -> None:
    page = session.admin.jobs.list(which, limit=limit, cursor=cursor)
    show(session, RETRYING if retrying else FAILED, page.items, next=page.next)
    if page.items and session.format in ("table", "wide"):
        first = page.items[0].ref
        session.note(f"\nLook at one:    {session.to_type(f'ferryman job show {first}')}")
        session.note(f"Run one again:  {session.to_type(f'ferryman job retry {first}')}")


def _refuse_options(context: click.Context) -> None:
    """Raise ConfigError for what was said in front of a subcommand, which would not hear it."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in _OWN and source is click.core.ParameterSource.COMMANDLINE:
            word = context.invoked_subcommand
            raise ConfigError(f"{option.opts[0]} stands before {word}. Say it behind: ferryman failed {word} …")


_OWN = {"listed", "retrying", "since", "queues", "kinds", "fp", "limit", "cursor"}


def _of_a_group(function: F) -> F:
    """Add the options that say which jobs of which failure are meant."""
    for option in (
        click.option("--expect", type=click.IntRange(min=0), metavar="N", help="How many it should be, in a script."),
        click.option("--rate", metavar="N/s", help="No more than so many a second, such as 10/s."),
        click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only of this kind."),
        click.option("-Q", "--queue", "queues", multiple=True, metavar="QUEUE", help="Only of this queue."),
        click.option("--fp", required=True, metavar="FP", help="The group; ferryman failed names them."),
    ):
        function = option(function)
    return function


@failed.command("retry", examples=["ferryman failed retry --fp 9f31c2ab04de --rate 10/s"])
@_of_a_group
@click.pass_obj
def retry(session: Session, /, **said: Any) -> int:
    """Run every job of one group again, now.  Asks first; in a script say --yes --expect N."""
    return _act(session, Action.RETRY, said)


@failed.command("delete", examples=["ferryman failed delete --fp 9f31c2ab04de"])
@_of_a_group
@click.pass_obj
def delete(session: Session, /, **said: Any) -> int:
    """Delete every job of one group.  Asks first; in a script say --yes --expect N."""
    return _act(session, Action.DELETE, said)


def _act(session: Session, action: Action, said: dict[str, Any]) -> int:
    return act_on_all(session, action, {**said, "states": ("failed",)}, otherwise=GroupNotFound(said["fp"]))
