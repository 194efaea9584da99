"""Pages of the documentation, as those who try them read them: blocks of code, and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "Block", "blocks", "commands", "matches"]

DOCS = Path(__file__).parent.parent / "docs"


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


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what it says."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, said = part.partition("\n")
        yield re.sub(r"\s+# .*", "", command), said.strip()


def matches(said: str, heard: str) -> bool:
    """Whether what is heard is what the page says; spaces that only align count as one."""
    said, heard = (re.sub(r"^ | $", "", re.sub(r" +", " ", text), flags=re.MULTILINE).strip() for text in (said, heard))
    return not said or bool(re.fullmatch(r"[\s\S]*".join(map(re.escape, said.split("…"))), heard))
