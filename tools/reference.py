"""Write the reference pages that are made from the code: settings, the command line, and every public name."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
from enum import EnumType
from itertools import pairwise
from pathlib import Path

import click

import ferryman
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


def names_page() -> str:
    """Tell of every name that `import ferryman` gives, from its docstring."""
    lines = [MADE, "# Names\n", (inspect.getdoc(ferryman) or "") + "\n"]
    for name in ferryman.__all__:
        value = getattr(ferryman, name)
        if name.startswith("__"):
            continue
        lines.append(f"## `{name}`\n\n{_signature(name, value)}{inspect.getdoc(value) or ''}\n")
        lines += _members(value)
    return "\n".join(lines)


def _signature(name: str, value: object) -> str:
    is_error = isinstance(value, type) and issubclass(value, Exception)
    if is_error or isinstance(value, EnumType) or _is_options(value) or not callable(value):
        return ""
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(value)))
    text = re.sub(r"<factory>|<function .*?>|<object object at .*?>", "…", text)
    text = re.sub(r"<(\w+\.\w+): [^>]*>", r"\1", text)
    text = re.sub(r"\b(?:ferryman\.job|collections\.abc|datetime|typing)\.(?=[A-Za-z])", "", text)
    return f"```text\n{name}{text}\n```\n\n"


def _members(value: object) -> list[str]:
    """Tell of a class's public methods, of an enumeration's members, or of the options of a job."""
    if isinstance(value, EnumType):
        return [", ".join(f"`{member.value}`" for member in value) + ".\n"]
    if not isinstance(value, type) or issubclass(value, Exception):
        return []
    if _is_options(value) or dataclasses.is_dataclass(value):
        docs = _field_docs(value)
        return (
            ["\n".join(f"- `{field}`: {' '.join(text.split())}" for field, text in docs.items()) + "\n"] if docs else []
        )
    found = []
    ours = [each for each in value.__mro__ if each.__module__.startswith("ferryman")]
    for name, method in {name: each for owner in reversed(ours) for name, each in vars(owner).items()}.items():
        first, _, _ = (inspect.getdoc(method) or "").partition("\n\n")
        if not name.startswith("_") and first and (inspect.isfunction(method) or isinstance(method, property)):
            found.append(f"- `{name}`: {' '.join(first.split())}")
    return ["\n".join(found) + "\n"] if found else []


def _is_options(value: object) -> bool:
    return value is ferryman.Options


PAGES = {
    "docs/reference/settings.md": settings_page,
    "docs/reference/cli.md": command_page,
    "docs/reference/api.md": names_page,
}


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
