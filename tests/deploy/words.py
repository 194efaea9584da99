"""Whether what the kit says is what our programs understand: their commands, and their variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache

import click

from deploy.kit import ROOT
from ferryman.cli import main as command_line
from ferryman.settings import Settings

__all__ = ["not_understood", "unknown_variables"]

_FERRYMANS = {f"FERRYMAN_{each.name.upper()}" for each in fields(Settings)} | {"FERRYMAN_APP", "FERRYMAN_ENV"}
_FOREIGN = re.compile(r"AWS_|POSTGRES_|REDISCLI_|COMPOSE_|PYTHON|PIP_|PATH$")
_EXAMPLE = ROOT / "examples/briefings/briefings"


def not_understood(words: list[str]) -> Iterator[str]:
    """Say what is wrong with a command of ours; of others' commands, nothing."""
    if words[0].endswith("ferryman"):
        yield from _as_ferryman(words)
    elif words[:3] == ["python", "-m", "briefings"]:
        known = set(re.findall(r"\"(--[a-z-]+|[a-z]+-?[a-z]+)\"", (_EXAMPLE / "__main__.py").read_text()))
        yield from (f"`{' '.join(words)}`: briefings has no {word}" for word in words[3:] if word not in known)


def _as_ferryman(words: list[str]) -> Iterator[str]:
    name, *rest = words[1:]
    with click.Context(command_line) as context:
        command = command_line.get_command(context, name) if name in command_line.list_commands(context) else None
        if command is None:
            yield f"`{' '.join(words)}`: ferryman has no command {name}"
            return
        try:
            command.make_context(name, list(rest), parent=context)
        except click.ClickException as error:
            yield f"`{' '.join(words)}`: {error.format_message()}"


def unknown_variables(names: Iterable[str]) -> Iterator[str]:
    """Say which variables nobody here reads."""
    for name in names:
        if name not in _FERRYMANS | _dashboards() | _briefings() and not _FOREIGN.match(name):
            yield f"nobody reads the variable {name}"


@cache
def _briefings() -> set[str]:
    text = "".join(each.read_text() for each in _EXAMPLE.glob("*.py"))
    secrets = re.findall(r'_secret\("([A-Z_]+)"', text)
    files = (f"{each}_FILE" for each in secrets)
    return {*re.findall(r'"([A-Z][A-Z0-9_]+)"', text), *secrets, *files, "LOG_FORMAT", "LOG_LEVEL", "APP_ENV"}


@cache
def _dashboards() -> set[str]:
    with click.Context(command_line) as context:
        command = command_line.get_command(context, "dashboard")
    assert command is not None
    return {str(option.envvar) for option in command.params if option.envvar}
