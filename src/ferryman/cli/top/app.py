"""The screen of `ferryman top`.

It stands on the admin API alone.  A look is a task beside the screen, and at most one is
under way: a storage that is slow or away leaves the last picture and a word about it, and
every key goes on working.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import DataTable, Input, Static

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.cli.times import Times
from ferryman.cli.top.acts import Act, card_of, pausing, retrying
from ferryman.cli.top.overview import Overview, look
from ferryman.cli.top.panel import Panel
from ferryman.cli.top.screens import HELP, Card, Question
from ferryman.cli.top.shown import PANELS, head, safe, things
from ferryman.errors import FerrymanError
from ferryman.redaction import Redaction

__all__ = ["Top"]

_KEYS = "1 queues 2 running 3 failed 4 periodic 5 workers  / filter r retry p pause ? q"
_BELOW = ("running", "failed", "periodic")
_MESSAGE_SECONDS = 6.0
_GATHER_EVERY = 5
"""Every how many looks what failed is gathered anew."""


class Top(App[None]):
    """Looks every `interval` seconds; without an `actor` it only looks."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: transparent; }
    #head, #line { height: 1; }
    #above { height: 40%; }
    Panel { height: 1fr; width: 1fr; border: round $foreground 40%; background: transparent; scrollbar-size: 1 1; }
    Panel:focus { border: round $foreground; }
    #words { display: none; height: 1; border: none; padding: 0 1; }
    """
    BINDINGS: ClassVar = [
        *((str(number), f"show('{name}')", name) for number, name in enumerate(PANELS, 1)),
        ("slash", "filter", "filter"),
        ("escape", "all", "all"),
        ("r", "retry", "retry"),
        ("p", "pause", "pause"),
        ("question_mark", "help", "help"),
        ("q", "quit", "quit"),
        Binding("ctrl+c", "quit", "quit", priority=True),
    ]

    def __init__(
        self,
        admin: AsyncAdmin,
        *,
        place: str,
        zone: tzinfo | None,
        interval: float,
        actor: str | None,
        hides: Redaction | None,
    ) -> None:
        super().__init__(ansi_color=True)
        self.admin = admin
        self.place = place
        self.zone = zone
        self.interval = interval
        self.actor = actor
        self.hides = hides
        self.panels = {name: Panel(name, listing) for name, listing in PANELS.items()}
        self._overview: Overview | None = None
        self._looks = 0
        self._asked_at: float | None = None
        self._trouble = ""
        self._words = ""
        self._said_at = 0.0

    def compose(self) -> ComposeResult:
        """Put the panels in their places."""
        yield Static(id="head")
        yield Horizontal(self.panels["queues"], self.panels["workers"], id="above")
        for name in _BELOW:
            yield self.panels[name]
        yield Input(id="words", placeholder="words to look for; Enter keeps them, Escape shows all again", compact=True)
        yield Static(Text(_KEYS), id="line")

    def on_mount(self) -> None:
        """Begin to look."""
        self.action_show("running")
        self.action_show("queues")
        self.set_interval(self.interval, self.tick)
        self.tick()

    def tick(self) -> None:
        """Look once more, unless the last look is not over yet."""
        if self._asked_at is None:
            self._asked_at = time.monotonic()
            self.run_worker(self._look())
        if time.monotonic() - self._said_at > _MESSAGE_SECONDS:
            self.query_one("#line", Static).update(Text(_KEYS))
        self._show_head()

    async def _look(self) -> None:
        known = self._overview.failed if self._overview and self._looks % _GATHER_EVERY else None
        try:
            overview = await look(self.admin, place=self.place, failed=known)
            self._overview = safe(self.hides, overview) if self.hides else overview
            self._looks += 1
            self._trouble = ""
        except FerrymanError as error:
            self._trouble = str(error)
        finally:
            self._asked_at = None
        self._fill()

    def _fill(self) -> None:
        if self._overview is not None:
            times = Times(self.zone, self._overview.at)
            for name, panel in self.panels.items():
                panel.fill(things(self._overview, name), times, self._words)
        self._show_head()

    def _show_head(self) -> None:
        waited = time.monotonic() - self._asked_at if self._asked_at else 0.0
        late = f"no answer for {waited:.0f} s" if waited >= self.interval else ""
        trouble = self._trouble or late
        numbers = head(self._overview) if self._overview else self.place
        line = Text(f" {trouble} ", style="bold red reverse") if trouble else Text()
        self.query_one("#head", Static).update(Text.assemble(line, f" {numbers}"))

    def say(self, text: str) -> None:
        """Write something on the last line, for a few seconds."""
        self._said_at = time.monotonic()
        self.query_one("#line", Static).update(Text(text))

    def action_show(self, name: str) -> None:
        """Bring a panel to the front."""
        if name in _BELOW:
            for each in _BELOW:
                self.panels[each].display = each == name
        self.panels[name].focus()

    def action_filter(self) -> None:
        """Ask for words."""
        words = self.query_one("#words", Input)
        words.display = True
        words.focus()

    def action_all(self) -> None:
        """Show every line again."""
        self.query_one("#words", Input).value = ""
        self._end_filter()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what has these words."""
        self._words = event.value
        self._fill()

    def on_input_submitted(self) -> None:
        """Keep the words, and go back to the lines."""
        self._end_filter()

    def _end_filter(self) -> None:
        self.query_one("#words", Input).display = False
        self.panels["queues"].focus()

    def action_help(self) -> None:
        """Say what each key does."""
        self.push_screen(Card("ferryman top", HELP))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open what the cursor is on."""
        if isinstance(panel := event.data_table, Panel) and panel.chosen is not None:
            self.run_worker(self._open(str(panel.id), panel.chosen))

    async def _open(self, panel: str, thing: Any) -> None:
        times = Times(self.zone, datetime.now(UTC))
        try:
            text = await card_of(self.admin, panel, thing, times, hides=self.hides)
        except FerrymanError as error:
            self.say(str(error))
        else:
            self.push_screen(Card(PANELS[panel].id(thing), text))

    def action_retry(self) -> None:
        """Run a group of failed jobs again."""
        self._offer("failed", "Choose a group of failed jobs first: 3", retrying)

    def action_pause(self) -> None:
        """Pause a queue, or let it go on."""
        self._offer("queues", "Choose a queue first: 1", pausing)

    def _offer(self, panel: str, otherwise: str, act: Callable[[AsyncAdmin, Any, str], Act]) -> None:
        chosen = self.panels[panel].chosen if self.panels[panel].has_focus else None
        if self.actor is None:
            self.say("Nothing is changed from here: --read-only")
        elif chosen is None:
            self.say(otherwise)
        else:
            self.run_worker(self._act(act(self.admin, chosen, self.actor)))

    async def _act(self, act: Act) -> None:
        if not await self.push_screen_wait(Question(act.question)):
            self.say("Nothing was changed.")
            return
        self.say("…")
        try:
            self.say(await act.do())
        except FerrymanError as error:
            self.say(str(error))
        self._looks = 0
        self.tick()
