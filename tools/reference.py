"""Write the reference pages that are made from the code: settings, and the command line."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
from itertools import pairwise
from pathlib import Path

import click

from ferryman import settings
from ferryman.cli import main as command_line

ROOT = Path(__file__).parent.parent
MADE = "<!-- Made from the code by tools/reference.py: run `make docs`. -->\n"


def settings_page() -> str:
    """Describe every setting: what it is, its default, how it is written elsewhere."""
    docs = _field_docs(settings.Settings)
    lines = [MADE, "# Settings\n", (inspect.getdoc(settings) or "") + "\n"]
    for field in dataclasses.fields(settings.Settings):
        default = field.default if field.default is not dataclasses.MISSING else field.default_factory()  # type: ignore[misc]
        lines.append(f"### `{field.name}`\n\n{docs[field.name]}\n")
        lines.append(f"Default `{default}`; environment `FERRYMAN_{field.name.upper()}`.\n")
    return "\n".join(lines)


def _field_docs(owner: type) -> dict[str, str]:
    tree = ast.parse(inspect.getsource(owner))
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            found[ast.unparse(field.target)] = str(text.value.value)
    return found


def command_page() -> str:
    """Print every command's own help."""
    lines = [MADE, "# The command line\n"]
    for path, command in _commands(command_line, ["ferryman"]):
        context = click.Context(command, info_name=" ".join(path), max_content_width=100)
        context.terminal_width = 100
        lines.append(f"## `{' '.join(path)}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(lines)


def _commands(command: click.Command, path: list[str]) -> list[tuple[list[str], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                found += _commands(child, [*path, name])
    return found


PAGES = {"docs/reference/settings.md": settings_page, "docs/reference/cli.md": command_page}


def main() -> int:
    stale = 0
    for name, make in PAGES.items():
        path, text = ROOT / name, make()
        if path.exists() and path.read_text() == text:
            continue
        if "--check" in sys.argv:
            print(f"{name} is out of date: run `make docs`")
            stale = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return stale


if __name__ == "__main__":
    sys.exit(main())
