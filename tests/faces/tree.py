"""Every command there is."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ferryman.cli.grammar import Command
from ferryman.cli.root import cli

__all__ = ["EVERY", "LEAVES"]


def _commands(group: click.Group, path: str = "ferryman") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


EVERY = dict(_commands(cli))
"""Groups and commands by what is typed; a second name of one is here too."""
LEAVES = {path: command for path, command in EVERY.items() if isinstance(command, Command)}
