"""The pages under docs/ work as they are read: from top to bottom, in one empty folder.

tests/pages.py says how a page is read.  Python without a title runs by itself (test_docs.py),
Go is compiled and run by `make interop`.
"""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest

from ferryman.cli import main as command_line
from pages import DOCS, blocks, play

ELSEWHERE = {"reference", "integrations"}  # made from the code; read by tests of their own
PAGES = sorted(page for page in DOCS.rglob("*.md") if not ELSEWHERE & set(page.parts))
LANGUAGES = {"", "python", "console", "toml", "go", "sql", "json", "sh", "text"}


def named(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(b.language == "console" for b in blocks(page))], ids=named
)
def test_what_a_page_tells_to_type_does_what_it_says(page: Path, tmp_path: Path) -> None:
    play(page, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert [block.language for block in blocks(page) if block.language not in LANGUAGES] == []
    for block in blocks(page):
        if block.language == "python" and block.title:
            compile(block.text, block.title, "exec")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_of_ours_is_one_that_there_is(page: Path) -> None:
    for typed in re.findall(r"`(ferryman [^`\n]+)`", page.read_text("utf-8")):
        name, *words = shlex.split(typed)[1:]
        with click.Context(command_line) as context:
            command = command_line.get_command(context, name)
            assert command is not None, typed
            with suppress(click.exceptions.Exit):  # a group by itself shows its help
                command.make_context(name, words, parent=context)
