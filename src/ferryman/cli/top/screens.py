"""What comes over the panels for a moment: a question on one line, and a thing in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import click
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from ferryman.cli.output import Row, plain

__all__ = ["HELP", "Card", "Question", "facts"]

HELP = """\
1 queues    2 running    3 failed    4 periodic    5 workers
Arrows choose a line, Enter opens it, Escape closes it.

/   show only lines with some words; Escape shows all again
r   run a group of failed jobs again (3)
p   pause a queue, or let it go on (1)
?   this page
q   end
"""


class Question(ModalScreen[bool]):
    """Asks on the last line; y is yes, and any other key no."""

    CSS = """
    Question { background: transparent; align: left bottom; }
    Question Static { height: 1; text-style: reverse; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        """Put the question at the bottom."""
        yield Static(Text(f" {self.question} [y/N] "))

    def on_key(self, event: Key) -> None:
        """Take the answer."""
        event.stop()
        self.dismiss(event.key in ("y", "Y"))


class Card(ModalScreen[None]):
    """Shows a text, which may be long."""

    CSS = """
    Card { background: transparent; align: center middle; }
    Card VerticalScroll { width: 100%; height: 100%; border: round $foreground 50%; padding: 0 1; }
    Card Static { width: 100%; }
    """
    BINDINGS: ClassVar = [("escape,enter,q,question_mark", "dismiss", "close")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self.heading = title
        self.text = text

    def compose(self) -> ComposeResult:
        """Put the text into a frame."""
        frame = VerticalScroll(Static(Text.from_ansi(self.text)))
        frame.border_title = plain(self.heading)
        frame.border_subtitle = "Escape closes"
        yield frame


def facts(view: Row) -> Iterator[str]:
    """Return a thing's view line by line."""
    for name, value in view.items():
        if value not in (None, "", (), [], {}):
            yield f"{click.style(f'{name:<12}', dim=True)} {plain(_text(value))}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {each}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return str(value)
