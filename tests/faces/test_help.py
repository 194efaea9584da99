"""Every command explains itself."""

from __future__ import annotations

import shlex

import click
import pytest

from faces.tree import EVERY, LEAVES
from faces.typed import Typed
from ferryman import __version__
from ferryman.cli.grammar import Command, Group
from ferryman.cli.root import COMMANDS, cli
from ferryman.cli.session import Session


@pytest.mark.parametrize("path", EVERY)
def test_a_command_says_what_it_does_and_what_each_option_is(path: str, ferryman: Typed) -> None:
    command = EVERY[path]
    assert isinstance(command, Command | Group)
    assert command.help
    assert command.help.split("\n")[0].endswith(".")
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []

    answer = ferryman(f"{path.removeprefix('ferryman ')} --help")

    assert (answer.code, answer.err) == (0, "")
    assert "--json" in answer.out


@pytest.mark.parametrize("path", LEAVES)
def test_a_command_has_examples_and_each_can_be_typed(path: str, ferryman: Typed) -> None:
    examples = LEAVES[path].examples
    assert examples
    for example in examples:
        assert example in ferryman(f"{path.removeprefix('ferryman ')} --help").out
        for typed in example.split(" | "):
            program, *words = shlex.split(typed)
            assert program == "ferryman"
            context = cli.make_context("ferryman", words, obj=Session())
            while context.args or context._protected_args:
                assert isinstance(context.command, click.Group)
                name, command, rest = context.command.resolve_command(context, context._protected_args + context.args)
                assert name is not None
                assert command is not None
                context = command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    assert COMMANDS[name][1] == EVERY[f"ferryman {name}"].get_short_help_str(limit=100)


def test_nothing_asked_for_is_help(ferryman: Typed) -> None:
    for words in ("", "job", "queue", "migrate"):
        answer = ferryman(words)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out.startswith("Usage: ferryman")


def test_a_misspelt_command_is_named_with_the_nearest(ferryman: Typed) -> None:
    assert ferryman("jobs").err == "error: No such command 'jobs'. Did you mean 'job'?\nTry: ferryman --help\n"


def test_the_version_is_told(ferryman: Typed) -> None:
    assert ferryman("--version").out == f"ferryman {__version__}\n"
    assert ferryman("version").out.startswith(f"ferryman {__version__} on Python 3.")
    assert ferryman("version --json").data[0]["ferryman"] == __version__
    assert "sqlite" in ferryman("version --json").data[0]["schemes"]
