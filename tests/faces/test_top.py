"""`ferryman top`: the screen, driven by keys, and one look in plain text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from faces.terminal import on_a_terminal
from faces.there import There
from faces.typed import Typed
from ferryman import Ferryman
from ferryman.cli.top.app import Top
from ferryman.cli.top.screens import Card
from ferryman.cli.top.shown import PANELS
from ferryman.errors import StorageUnavailable
from ferryman.redaction import USUAL

pytestmark = pytest.mark.slow


class Screen:
    """A screen of 80 by 24 that only looks when it is told to."""

    def __init__(self, app: Top, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until nothing more comes of them."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def look(self) -> None:
        """Look once more, and wait for it."""
        self.app.tick()
        await self.settled()

    async def settled(self) -> None:
        await self.app.workers.wait_for_complete()
        await self.pilot.pause()

    def line(self, name: str) -> str:
        """Return what stands on the first line (head) or on the last (line)."""
        return str(self.app.screen_stack[0].query_one(f"#{name}", Static).render())

    def rows(self, panel: str) -> list[str]:
        """Return what stands in a panel, its words with one space between.

        Seconds are always 0s here: how many have passed is up to the machine.
        """
        table = self.app.panels[panel]
        rows: list[Sequence[Any]] = [table.get_row_at(number) for number in range(table.row_count)]
        lines = (" ".join(" ".join(cell.plain for cell in row).split()) for row in rows)
        return [re.sub(r"\b\d+s\b", "0s", line) for line in lines]


@asynccontextmanager
async def screen(
    folder: Path, *, read_only: bool = False, secrets: bool = False, admin: Any = None
) -> AsyncIterator[Screen]:
    """Show the folder's own database."""
    async with Ferryman(f"sqlite:///{folder}/ferryman.db") as jobs:
        actor = None if read_only else "ada"
        hides = None if secrets else USUAL
        app = Top(admin or jobs.admin, place="main · sqlite:///", zone=UTC, interval=3600, actor=actor, hides=hides)
        async with app.run_test(size=(80, 24)) as pilot:
            shown = Screen(app, pilot)
            if admin is None:
                await shown.settled()
            yield shown


async def test_one_screen_shows_what_waits_runs_and_failed(folder: Path, there: There) -> None:
    there.failed("TimeoutError: took 3 s")
    there.failed("TimeoutError: took 4 s")
    running = there.running(kind="report")
    there.worker()
    there.available(queue="critical")

    async with screen(folder) as shown:
        assert shown.line("head").strip().startswith("ready 1  running 1/5  retry 0  failed 2  main · sqlite:///")
        assert shown.rows("queues") == ["critical 1 0s no worker!", "default 0"]
        assert shown.rows("workers") == ["box:71 0/5 0s active"]
        assert shown.rows("running") == [f"0s report {running} default box:71 1 of 25"]
        assert shown.rows("failed") == ["2 0s ago mail:send TimeoutError: took <n> s"]
        assert len(shown.line("line")) <= 80


@pytest.mark.parametrize(("key", "panel"), [(str(number), name) for number, name in enumerate(PANELS, 1)])
async def test_a_number_brings_a_panel_to_the_front(key: str, panel: str, folder: Path) -> None:
    async with screen(folder) as shown:
        await shown.press(key)

        assert shown.app.focused is shown.app.panels[panel]
        assert shown.app.panels[panel].display


async def test_a_group_of_failed_jobs_is_run_again_after_a_yes(folder: Path, there: There) -> None:
    twice = [there.failed("TimeoutError: took 3 s"), there.failed("TimeoutError: took 4 s")]
    other = there.failed("ValueError: no")
    async with screen(folder) as shown:
        await shown.press("3", "r", "n")
        await shown.settled()
        assert shown.line("line") == "Nothing was changed."
        assert [there.state(ref) for ref in (*twice, other)] == ["discarded"] * 3

        await shown.press("r", "y")
        await shown.settled()

        assert shown.line("line") == "retried 2, skipped 0"
        assert [there.state(ref) for ref in (*twice, other)] == ["available", "available", "discarded"]
        assert shown.rows("failed") == ["1 0s ago mail:send ValueError: no"]


async def test_a_queue_is_paused_and_goes_on(folder: Path, there: There) -> None:
    there.available()
    async with screen(folder) as shown:
        await shown.press("1", "p", "y")
        await shown.settled()
        assert shown.rows("queues") == ["default 1 0s paused 0s ago"]

        await shown.press("p", "y")
        await shown.settled()

        assert shown.rows("queues") == ["default 1 0s no worker!"]


@pytest.mark.parametrize(("keys", "sentence"), [("2r", "failed jobs first: 3"), ("5p", "a queue first: 1")])
async def test_a_key_that_means_nothing_here_says_where_it_does(keys: str, sentence: str, folder: Path) -> None:
    async with screen(folder) as shown:
        await shown.press(*keys)

        assert sentence in shown.line("line")


async def test_with_read_only_nothing_is_changed(folder: Path, there: There) -> None:
    ref = there.failed()
    async with screen(folder, read_only=True) as shown:
        await shown.press("3", "r", "y")
        await shown.settled()

        assert shown.line("line") == "Nothing is changed from here: --read-only"
    assert there.state(ref) == "discarded"


async def test_a_line_opens_in_full_and_closes(folder: Path, there: There) -> None:
    there.failed("ValueError: [bold]no\x1b[2J[/bold]")
    async with screen(folder) as shown:
        assert shown.rows("failed") == ["1 0s ago mail:send ValueError: [bold]no\\x1b[<n>J[/bold]"]
        await shown.press("3", "enter")
        await shown.settled()

        card = shown.app.screen
        assert isinstance(card, Card)
        assert 'args       {"to":"ada"}' in str(card.query_one(Static).render())
        assert "ValueError: [bold]no\\x1b[2J[/bold]" in str(card.query_one(Static).render())

        await shown.press("escape")
        assert shown.app.focused is shown.app.panels["failed"]


@pytest.mark.parametrize("secrets", [False, True])
async def test_secrets_are_hidden_unless_asked_for(secrets: bool, folder: Path, there: There) -> None:
    there.failed("ValueError: password=sesame")
    async with screen(folder, secrets=secrets) as shown:
        await shown.press("3", "enter")
        await shown.settled()

        text = str(shown.app.screen.query_one(Static).render())
        assert ("sesame" in text) is secrets
        assert ("sesame" in shown.rows("failed")[0]) is secrets


async def test_words_narrow_every_panel_until_escape(folder: Path, there: There) -> None:
    there.available(queue="mail")
    there.available(queue="reports")
    async with screen(folder) as shown:
        await shown.press("slash", *"rep", "enter")
        assert shown.rows("queues") == ["reports 1 0s no worker!"]
        await shown.press("escape")

        assert [row.split()[0] for row in shown.rows("queues")] == ["mail", "reports"]


async def test_the_cursor_stays_with_its_line_when_others_come_before_it(folder: Path, there: There) -> None:
    there.available(queue="mail")
    there.available(queue="reports")
    async with screen(folder) as shown:
        await shown.press("down")
        there.available(queue="alerts")
        await shown.look()

        assert [row.split()[0] for row in shown.rows("queues")] == ["alerts", "mail", "reports"]
        assert shown.app.panels["queues"].chosen.info.name == "reports"


class Queues:
    """Queues that answer as the test says."""

    def __init__(self, list: Callable[[], Awaitable[Any]]) -> None:
        self.list = list


class Admin:
    """An admin of which nothing but the queues is asked."""

    def __init__(self, list: Callable[[], Awaitable[Any]]) -> None:
        self.queues = Queues(list)


async def test_a_storage_that_does_not_answer_never_freezes_the_screen(folder: Path) -> None:
    asked, calls = asyncio.Event(), []

    async def hang() -> None:
        calls.append("list")
        asked.set()
        await asyncio.Event().wait()

    async with screen(folder, admin=Admin(hang)) as shown:
        await asked.wait()
        shown.app.interval = 0
        shown.app.tick()
        shown.app.tick()

        assert re.fullmatch(r"no answer for \d+ s  main · sqlite:///", shown.line("head").strip())
        assert calls == ["list"]
        await shown.press("question_mark")
        assert isinstance(shown.app.screen, Card)
        await shown.press("escape", "q")
    assert shown.app.return_code == 0


async def test_an_outage_leaves_the_last_picture_and_is_told(folder: Path, there: There) -> None:
    there.available()
    async with screen(folder) as shown:
        good = shown.app.admin

        async def fail() -> None:
            raise StorageUnavailable("It does not answer.")

        shown.app.admin = Admin(fail)  # type: ignore[assignment]
        await shown.look()
        assert shown.line("head").strip().startswith("It does not answer.  ready 1")
        assert shown.rows("queues") == ["default 1 0s no worker!"]

        shown.app.admin = good
        await shown.look()
        assert shown.line("head").strip().startswith("ready 1")


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_it_runs_on_a_real_terminal_and_ends_by_a_key(key: str, there: There) -> None:
    there.available(queue="critical")

    code, shown = on_a_terminal("top", answer=key, after="critical", columns=80)

    assert code == 0
    assert "Traceback" not in shown


def test_one_look_is_plain_text(there: There, ferryman: Typed) -> None:
    there.failed("TimeoutError: took 3 s")
    there.worker()

    for words in ("top --once", "top"):  # a pipe has no screen
        answer = ferryman(words)
        assert (answer.code, answer.err) == (0, "")
        assert answer.lines[0].startswith("ready 0  running 0/5  retry 0  failed 1  sqlite:///")
        assert "box:71" in answer.out
        assert "TimeoutError: took <n> s" in answer.out
        assert "\x1b" not in answer.out


def test_one_look_is_json_too(there: There, ferryman: Typed) -> None:
    running = there.running()
    there.failed("ValueError: password=sesame", queue="mail")

    (data,) = ferryman("top --json").data

    assert [queue["name"] for queue in data["queues"]] == ["default", "mail"]
    assert [job["ref"] for job in data["running"]] == [running]
    assert data["counts"] == {"running": 1, "discarded": 1}
    assert data["failed"][0]["count"] == data["failed_scanned"] == 1
    assert "sesame" not in str(data)
    assert "sesame" in str(ferryman("top --json --show-secrets").data)


def test_without_textual_it_says_what_to_install(ferryman: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ferryman.cli.commands.top.find_spec", lambda name: None)

    assert 'Run: pip install "ferryman[tui]"' in ferryman("top").err
    assert ferryman("top --once").code == 0


def test_an_interval_is_a_time(ferryman: Typed) -> None:
    for said, sentence in (("often", "--interval is wrong"), ("1ms", "It takes 0.2s or more")):
        answer = ferryman(f"top --interval {said}")
        assert answer.code == 2
        assert sentence in answer.err
