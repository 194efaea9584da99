"""Pages of the documentation, as those who try them read them: blocks of code, and what they say.

A block with a title is a file, and is written.  What follows a `$` in a console block is
run beside it, and must say what the page says; `…` stands for anything.  A block that fetches
packages, or whose title says "not run", is for another machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "Block", "blocks", "play"]

DOCS = Path(__file__).parent.parent / "docs"
NOT_RUN = "not run"


@dataclass(frozen=True)
class Block:
    """A block of code; its title is the file that it is, or a remark."""

    language: str
    title: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """Yield the page's blocks of code, indented ones too."""
    for indent, language, title, text in re.findall(
        r'^( *)```(\w*)(?: title="([^"]*)")?[^\n]*\n(.*?)^\1```$', page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        yield Block(language, title, re.sub(f"^{indent}", "", text, flags=re.MULTILINE))


def play(page: Path, folder: Path, **env: str) -> None:
    """Do what a page tells its reader to do, in a folder of their own."""
    for block in blocks(page):
        if NOT_RUN in block.title or "pip install" in block.text:
            continue
        if block.title and block.language != "go":
            (folder / block.title).write_text(block.text)
        elif block.language == "console":
            for command, said in _commands(block):
                heard = _typed(command, folder, env)
                assert _matches(said, heard), f"$ {command}\nsaid:\n{heard}\nand not:\n{said}"


def _commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what it says."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, said = part.partition("\n")
        yield re.sub(r"\s+# .*", "", command), said.strip()


def _matches(said: str, heard: str) -> bool:
    """Whether what is heard is what the page says; spaces that only align count as one."""
    said, heard = (re.sub(r"^ | $", "", re.sub(r" +", " ", text), flags=re.MULTILINE).strip() for text in (said, heard))
    return not said or bool(re.fullmatch(r"[\s\S]*".join(map(re.escape, said.split("…"))), heard))


def _typed(command: str, folder: Path, env: dict[str, str]) -> str:
    """Type a command, and return what appears on the screen."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FERRYMAN_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{clean.get('PATH', '')}"
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**clean, "PATH": path, "LOG_FORMAT": "text", "COLUMNS": "100", **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done.stdout
