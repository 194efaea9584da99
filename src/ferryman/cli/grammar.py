"""What our commands have beyond click's: lazy groups, examples, and options that every command takes.

A group knows its commands by name and sentence, and imports one when it is used: help is
on the screen before anything else of ferryman is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from importlib import import_module
from typing import Any

import click

from ferryman.cli.session import FORMATS, Session
from ferryman.cli.texts import only_text

__all__ = ["Branch", "Command", "Group", "Lazy", "command"]


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep what was said, wherever in the line; the command itself comes last and wins."""
    if value is not None and parameter.name:
        setattr(context.ensure_object(Session), parameter.name, value)


def _say_where(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    _remember(context, parameter, value)
    context.ensure_object(Session).refuse_two_places()


def _names_of_storages(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from ferryman.cli.completing import complete_storages

    return complete_storages(context, parameter, incomplete)


def _seconds(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        from ferryman.duration import parse_duration
        from ferryman.errors import ConfigError

        try:
            seconds = parse_duration(value).total_seconds()
        except ConfigError as error:
            raise click.BadParameter(str(error), context, parameter) from error
        if not seconds:
            raise click.BadParameter("It takes more than no time at all, such as 10s.", context, parameter)
        _remember(context, parameter, seconds)


def _option(*names: str, keep: Callable[..., None] = _remember, **declared: Any) -> click.Option:
    return click.Option(names, default=None, expose_value=False, callback=keep, **declared)


def shared_options() -> list[click.Parameter]:
    """Return the options that every command takes."""
    return [
        _option(
            "-s",
            "--storage",
            keep=_say_where,
            metavar="NAME",
            shell_complete=_names_of_storages,
            help="Where jobs are kept, by its name in the settings file.  [FERRYMAN_STORAGE]",
        ),
        _option(
            "--url",
            keep=_say_where,
            metavar="URL",
            help="Where jobs are kept, such as sqlite:///jobs.db.  [FERRYMAN_URL]",
        ),
        _option("--app", metavar="MODULE:NAME", help="The program whose tasks to use.  [FERRYMAN_APP]"),
        _option(
            "-c",
            "--config",
            metavar="FILE",
            help="The settings file.  [FERRYMAN_CONFIG; ferryman.toml or pyproject.toml]",
        ),
        _option(
            "-o",
            "--output",
            type=click.Choice(FORMATS),
            metavar="FORMAT",
            help=f"{', '.join(FORMATS)}; ids is made for pipes.  [FERRYMAN_OUTPUT]",
        ),
        _option("--json", "output", flag_value="json", type=str, help="Short for -o json."),
        _option("--tz", metavar="ZONE", help="Show times in local, UTC or a zone.  [local]"),
        _option("--within", metavar="TIME", keep=_seconds, help="Give up after this time, with exit code 124."),
        _option("-y", "--yes", is_flag=True, help="Ask nothing."),
        _option("-q", "--quiet", is_flag=True, help="Only data and errors."),
        _option("--show-secrets", is_flag=True, help="Show also what looks like a password, a token or a key."),
        _option("--no-color", "plain", is_flag=True, help="No colour.  [NO_COLOR]"),
        _option("--no-progress", is_flag=True, help="Say how far it is in lines of their own, every 10 s.  [CI]"),
    ]


def _show_schema(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        import msgspec

        from ferryman.cli.schemas import schema_of

        click.echo(msgspec.json.format(msgspec.json.encode(schema_of(_path(context))), indent=2).decode())
        context.exit()


def _path(context: click.Context) -> str:
    """Return which command it is, by its first name: `job list`."""
    names = []
    at: click.Context | None = context
    while at is not None and at.parent is not None:
        names.append(at.command.name or "")
        at = at.parent
    return " ".join(reversed(names))


def _schema_option() -> click.Option:
    return _option(
        "--json-schema",
        keep=_show_schema,
        is_flag=True,
        is_eager=True,
        help="Show the JSON Schema of what --json writes, and end.",
    )


class Command(click.Command):
    """A command with examples, which its help shows and tests parse."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), endless: bool = False, **declared: Any) -> None:
        super().__init__(*args, **declared)
        self.examples = tuple(examples)
        self.endless = endless
        """It ends by itself when its time is up, so nobody must end it."""
        own = {name for each in self.params for name in each.opts}
        self.shared = [each for each in (*shared_options(), _schema_option()) if not own.intersection(each.opts)]
        self.params = [*self.params, *self.shared]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; whatever is wrong with them is this command's, also where click does not say so."""
        try:
            left = super().parse_args(ctx, args)
            only_text(ctx, self.params)
            return left
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, within the time that was given."""
        session = ctx.ensure_object(Session)
        if session.within is None or self.endless:
            return super().invoke(ctx)
        from ferryman.cli.within import time_limit

        with time_limit(session.within, as_json=session.json_errors, color=session.color):
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, examples, and the options of every command."""
        _write_options("Options", [each for each in self.get_params(ctx) if each not in self.shared], ctx, formatter)
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example}\n")
        _write_options("Options of every command", self.shared, ctx, formatter)


def command(name: str, *, examples: Sequence[str], endless: bool = False) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command; its docstring is the help."""

    def decorate(function: Callable[..., Any]) -> Command:
        return click.command(name, cls=Command, examples=examples, endless=endless)(function)

    return decorate


Lazy = Mapping[str, tuple[str, str]]
"""Name of each command → where it is (`module:attribute`), and its sentence."""


class _Commands(MutableMapping[str, click.Command]):
    """A group's commands, each imported when it is looked up."""

    def __init__(self, lazy: Lazy) -> None:
        self.lazy = lazy
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            module, _, attribute = self.lazy[name][0].partition(":")
            self._loaded[name] = getattr(import_module(module), attribute)
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self.lazy or name in self._loaded

    def __iter__(self) -> Iterator[str]:
        return iter({**self.lazy, **self._loaded})

    def __len__(self) -> int:
        return len({**self.lazy, **self._loaded})


class Group(click.Group):
    """A group that lists its commands in their order without importing them."""

    command_class = Command

    def __init__(self, *args: Any, lazy: Lazy | None = None, **declared: Any) -> None:
        super().__init__(*args, **declared)
        self.lazy = lazy or {}
        if lazy is not None:
            self.commands = _Commands(lazy)
        self.shared = shared_options()
        self.params = [*self.params, *self.shared]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help when nothing is asked for."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which people meet them."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command's sentence, without importing what has one here.  A second name is not listed."""
        rows = [(name, sentence) for name in self.list_commands(ctx) if (sentence := self._sentence(name))]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _sentence(self, name: str) -> str:
        if name in self.lazy:
            return self.lazy[name][1]
        command = self.commands[name]
        return command.get_short_help_str(limit=100) if command.name == name else ""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        _write_options("Options", [each for each in self.get_params(ctx) if each not in self.shared], ctx, formatter)
        _write_options("Options of every command", self.shared, ctx, formatter)


class Branch(Group):
    """A group that does something by itself too, when none of its commands is named."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **declared: Any) -> None:
        super().__init__(*args, invoke_without_command=True, **declared)
        self.examples = tuple(examples)
        self.shared = [*self.shared, _schema_option()]
        self.params = [*self.params, self.shared[-1]]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; none at all are no question for help here."""
        left = click.Group.parse_args(self, ctx, args)
        only_text(ctx, self.params)
        return left

    def invoke(self, ctx: click.Context) -> Any:
        """Run what is asked for, within the time that was given."""
        session = ctx.ensure_object(Session)
        if session.within is None or ctx._protected_args:
            return super().invoke(ctx)
        from ferryman.cli.within import time_limit

        with time_limit(session.within, as_json=session.json_errors, color=session.color):
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples, then what every group has."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"  {example}\n")
        super().format_options(ctx, formatter)


def _write_options(
    title: str, options: Sequence[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    shown = [option for option in options if isinstance(option, click.Option)]
    rows = [row for option in shown if (row := option.get_help_record(ctx)) is not None]
    with formatter.section(title):
        formatter.write_dl(rows)
