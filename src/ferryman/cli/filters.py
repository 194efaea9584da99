"""Which jobs: the options that choose them, the same wherever jobs are chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from ferryman.cli.completing import complete_kinds, complete_queues, complete_states
from ferryman.cli.failures import Refused
from ferryman.cli.session import Session
from ferryman.errors import ConfigError
from ferryman.state_words import read_states
from ferryman.storage.filters import JobFilter

__all__ = ["choosing", "read_filter"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "-Q",
        "--queue",
        "queues",
        multiple=True,
        metavar="QUEUE",
        shell_complete=complete_queues,
        help="Only of this queue.",
    ),
    click.option(
        "--kind", "kinds", multiple=True, metavar="KIND", shell_complete=complete_kinds, help="Only of this kind."
    ),
    click.option("--since", metavar="TIME", help="Created since then: 24h, or 2026-11-22T08:00."),
    click.option("--older-than", metavar="TIME", help="Created before then."),
    click.option("--error", metavar="TEXT", help="Only where the latest error contains this."),
    click.option("--fp", metavar="FP", help="Only of this group of failures; ferryman failed names them."),
    click.option("--args", "args", multiple=True, metavar="PATH=VALUE", help="Only with this argument, as user.id=7."),
    click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only with this tag."),
    click.option("--worker", metavar="NAME", help="Only what a worker of this name ran."),
    click.option("--group", metavar="GROUP", help="Only of this group of jobs that become one; on Redis."),
)


def choosing(function: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return click.option(
        "--state",
        "states",
        multiple=True,
        metavar="STATE",
        shell_complete=complete_states,
        help="Only in this state; failed means discarded.",
    )(function)


def read_filter(
    session: Session,
    *,
    states: Sequence[str] = (),
    queues: tuple[str, ...] = (),
    kinds: tuple[str, ...] = (),
    since: str | None = None,
    older_than: str | None = None,
    error: str | None = None,
    fp: str | None = None,
    args: Sequence[str] = (),
    tags: tuple[str, ...] = (),
    worker: str | None = None,
    group: str | None = None,
) -> JobFilter:
    """Return what the options say.  Raises ConfigError."""
    return JobFilter(
        states=read_states(states),
        queues=queues,
        kinds=kinds,
        since=session.times.since(since, "--since") if since else None,
        before=session.times.since(older_than, "--older-than") if older_than else None,
        error=error or "",
        fingerprint=fp or "",
        args=_arguments(session, args, kinds),
        tags=tags,
        worker=worker or "",
        group=group or "",
    )


def _arguments(session: Session, texts: Sequence[str], kinds: Sequence[str]) -> dict[str, str]:
    args = dict(map(_argument, texts))
    if args and session.redaction and (why := session.redaction.guesses(args, kinds)):
        raise Refused(why, hint="To do it all the same: --show-secrets")
    return args


def _argument(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise ConfigError(f'--args is "{text}". It takes a path and a value, such as user.id=7.')
    return path, value
