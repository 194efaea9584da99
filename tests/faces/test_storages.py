"""Storages by name on the command line: `-s billing`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faces.there import There
from faces.typed import Typed
from ferryman.cli.completing import complete_storages
from ferryman.cli.root import cli
from ferryman.cli.session import Session

FILE = '[storages.main]\nurl = "sqlite:///main.db"\n[storages.billing]\nurl = "sqlite:///billing.db"\n'


@pytest.fixture(autouse=True)
def file(folder: Path) -> Path:
    path = folder / "ferryman.toml"
    path.write_text(FILE)
    return path


@pytest.fixture
def billing(folder: Path) -> Iterator[There]:
    with There(f"sqlite:///{folder}/billing.db?synchronous=normal") as there:
        yield there


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The storages that a dashboard would have shown, by name."""
    found: dict[str, str] = {}

    def serve(app: Any, *args: Any, **said: Any) -> int:
        found.update({name: place.location for name, place in app.board.places.items()})
        return 0

    monkeypatch.setattr("ferryman.cli.pages.serve", serve)
    return found


MAIN, BILLING = {"main": "sqlite:///main.db"}, {"billing": "sqlite:///billing.db"}


def test_a_storage_is_chosen_by_its_name(ferryman: Typed, billing: There) -> None:
    ref = billing.failed()

    assert ferryman("job list -s billing -o ids").lines == [ref]
    assert ferryman("-s billing job list -o ids").lines == [ref]
    assert ferryman("job list -o ids").lines == []


def test_what_is_said_names_the_storage(ferryman: Typed, billing: There) -> None:
    billing.failed()

    assert "1 job gave up (billing · sqlite:///billing.db)" in ferryman("failed -s billing").err
    assert "storage billing · sqlite:///billing.db" in ferryman("doctor -s billing").err
    assert ferryman("top --once -s billing").lines[0].endswith("billing · sqlite:///billing.db")
    checked = ferryman("worker shop:jobs --check -s billing").err
    assert "storage billing · sqlite:///billing.db (from storages.billing.url in ferryman.toml)" in checked
    (label,) = {each["labels"]["storage"] for each in ferryman("metrics --once --json -s billing").data[:1]}
    assert label == "billing"


def test_a_line_to_copy_means_the_same_storage(ferryman: Typed, billing: There, folder: Path) -> None:
    billing.failed()
    (folder / "main.db").touch()

    assert "ferryman failed retry --fp" in (said := ferryman("failed -s billing").err)
    assert [line[-10:] for line in said.splitlines() if "ferryman" in line] == ["-s billing"] * 2
    assert ferryman("doctor -s main --only S-MIGR").lines[-1].strip() == "fix: ferryman migrate up -s main"
    assert ferryman("doctor --only S-MIGR").lines[-1].strip() == "fix: ferryman migrate up"


def test_a_url_and_a_name_together_are_wrong_usage(ferryman: Typed) -> None:
    for line in (
        "failed -s main --url sqlite://",
        "--url sqlite:// failed -s main",
        "dashboard --url sqlite:// -s main",
    ):
        answer = ferryman(line)

        assert answer.code == 2
        assert "--url and -s both say where jobs are kept. Say one of them." in answer.err


def test_an_unknown_name_hears_which_there_are(ferryman: Typed) -> None:
    answer = ferryman("failed -s bilings")

    assert answer.code == 2
    assert "There are: main, billing." in answer.err


def test_config_shows_which_storage_it_is_and_who_said_so(
    ferryman: Typed, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f'{FILE}[storages.cache]\nurl = "redis://:hush@cache/1"\n')
    monkeypatch.setenv("FERRYMAN_STORAGE", "billing")

    by_variable = {each["name"]: each for each in ferryman("config show --json").data}
    by_flag = {each["name"]: each for each in ferryman("config show --json -s cache").data}

    assert (by_variable["storage"]["value"], by_variable["storage"]["origin"]) == ("billing", "FERRYMAN_STORAGE")
    assert by_variable["url"]["origin"] == "storages.billing.url in ferryman.toml"
    assert (by_flag["storage"]["value"], by_flag["storage"]["origin"]) == ("cache", "-s")
    assert by_flag["url"]["value"] == by_flag["storages.cache"]["value"] == "redis://:***@cache/1"


def test_a_shell_offers_the_names(file: Path) -> None:
    def offered(incomplete: str) -> list[str]:
        context = cli.make_context("ferryman", ["version"], obj=Session())
        return complete_storages(context, cli.params[0], incomplete)

    assert offered("") == ["main", "billing"]
    assert offered("b") == ["billing"]
    file.write_text("[storages")
    assert offered("") == []


# The dashboard


def test_a_dashboard_shows_every_storage_that_has_a_name(ferryman: Typed, shown: dict[str, str]) -> None:
    assert ferryman("dashboard").code == 0
    assert shown == MAIN | BILLING
    assert list(shown) == ["main", "billing"]


def test_a_dashboard_shows_the_files_own_choice_first(ferryman: Typed, shown: dict[str, str], file: Path) -> None:
    file.write_text(f'storage = "billing"\n{FILE}')

    ferryman("dashboard")

    assert list(shown) == ["billing", "main"]


@pytest.mark.parametrize("line", ["dashboard -s billing", "-s billing dashboard"])
def test_a_dashboard_shows_the_chosen_storage_alone(line: str, ferryman: Typed, shown: dict[str, str]) -> None:
    ferryman(line)

    assert shown == BILLING


def test_the_environment_chooses_a_dashboards_storage_too(
    ferryman: Typed, shown: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERRYMAN_STORAGE", "billing")

    ferryman("dashboard")

    assert shown == BILLING


def test_several_storages_can_be_chosen_and_others_added_by_their_urls(ferryman: Typed, shown: dict[str, str]) -> None:
    ferryman("dashboard -s billing -s main -s other=sqlite:///other.db")

    assert list(shown.items()) == [*BILLING.items(), *MAIN.items(), ("other", "sqlite:///other.db")]


def test_a_url_is_shown_alone_as_before(ferryman: Typed, shown: dict[str, str]) -> None:
    ferryman("dashboard --url sqlite:///jobs.db -s other=sqlite:///other.db")

    assert shown == {"main": "sqlite:///jobs.db", "other": "sqlite:///other.db"}
