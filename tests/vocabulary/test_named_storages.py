"""Storages that the settings file names: which file that is, which of them is meant, and who has the last word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ferryman import Ferryman
from ferryman.errors import ConfigError
from ferryman.settings_sources import Loaded, load

TWO = '[storages.main]\nurl = "sqlite:///main.db"\n[storages.billing]\nurl = "redis://:hush@cache/1"\n'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "ferryman.toml"
    path.write_text(TWO)
    return path


def loaded(env: dict[str, str] | None = None, **arguments: Any) -> Loaded:
    return load(arguments, environment=env or {})


def used(found: Loaded) -> tuple[str, str]:
    return found.settings.storage, found.settings.url


MAIN = ("main", "sqlite:///main.db")
BILLING = ("billing", "redis://:hush@cache/1")


def test_the_first_is_used_unless_another_is_said(file: Path) -> None:
    found = loaded({"REDIS_URL": "redis://localhost"})

    assert used(found) == MAIN
    assert found.origins == {
        "storage": "the first in ferryman.toml",
        "url": "storages.main.url in ferryman.toml",
    }


def test_the_file_itself_can_say_which(file: Path) -> None:
    file.write_text(f'storage = "billing"\n{TWO}')

    found = loaded()

    assert used(found) == BILLING
    assert (found.origin("storage"), found.origin("url")) == ("ferryman.toml", "storages.billing.url in ferryman.toml")


@pytest.mark.parametrize(
    ("env", "arguments", "place"),
    [
        ({"FERRYMAN_STORAGE": "billing"}, {}, BILLING),
        ({"FERRYMAN_STORAGE": "main"}, {"storage": "billing"}, BILLING),
        ({"FERRYMAN_URL": "sqlite://"}, {"storage": "billing"}, BILLING),
        ({"FERRYMAN_URL": "sqlite://"}, {}, ("", "sqlite://")),
        ({"FERRYMAN_STORAGE": "billing"}, {"url": "sqlite://"}, ("", "sqlite://")),
    ],
)
def test_who_says_either_goes_before_who_said_either_earlier(
    file: Path, env: dict[str, str], arguments: dict[str, str], place: tuple[str, str]
) -> None:
    assert used(loaded(env, **arguments)) == place


def test_to_say_both_in_one_place_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="FERRYMAN_URL and FERRYMAN_STORAGE both say"):
        loaded({"FERRYMAN_URL": "sqlite://", "FERRYMAN_STORAGE": "main"})
    file.write_text(f'url = "sqlite://"\n{TWO}')
    with pytest.raises(ConfigError, match=r"ferryman.toml has a url beside its storages"):
        loaded()


def test_an_unknown_name_hears_which_there_are(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded({"FERRYMAN_STORAGE": "bilings"})

    assert str(caught.value) == (
        'FERRYMAN_STORAGE is "bilings", and ferryman.toml names no such storage. '
        "Did you mean billing? There are: main, billing."
    )


def test_a_name_where_nothing_has_one_hears_how_to_give_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match=r"there is no settings file that names storages. Write \[storages.main\]"):
        loaded(storage="main")


def test_a_url_can_be_in_a_variable_of_its_own(file: Path) -> None:
    file.write_text('[storages.billing]\nenv = "BILLING_URL"')

    found = loaded({"BILLING_URL": "redis://:hush@cache/1"})

    assert (used(found), found.origin("url")) == (BILLING, "BILLING_URL")
    with pytest.raises(ConfigError, match="The URL of the storage billing is to be in BILLING_URL, which is not set"):
        loaded()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('storages = "redis://:hush@x"', "storages in ferryman.toml is no table"),
        ('[storages]\nmain = "redis://:hush@x"', "storages.main in ferryman.toml is not a table with a url"),
        ('[storages.main]\nurl = "redis://:hush@x"\nqueues = "a"', "is not a table with a url, or an env, alone"),
        ('[storages."a b"]\nurl = "sqlite://"', 'called "a b"'),
    ],
)
def test_what_is_no_storage_is_refused_without_its_password(file: Path, text: str, said: str) -> None:
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        loaded()

    assert said in str(caught.value)
    assert "hush" not in str(caught.value)


def test_what_is_told_to_a_program_goes_before_what_it_says_itself(file: Path) -> None:
    jobs, other = Ferryman("sqlite://"), Ferryman(storage="main")

    jobs.override(storage="billing")
    other.override(url="sqlite://")

    assert used(jobs.loaded) == BILLING
    assert used(other.loaded) == ("", "sqlite://")


def test_a_worker_works_where_its_program_keeps_jobs(file: Path) -> None:
    worker = Ferryman(storage="main").worker(concurrency=3)

    assert (worker.settings.storage, worker.settings.url, worker.settings.concurrency) == (*MAIN, 3)


# Which file


def test_a_projects_own_file_does_where_there_is_no_other(file: Path) -> None:
    project = file.with_name("pyproject.toml")
    project.write_text('[project]\nname = "shop"\n[tool.ferryman]\nconcurrency = 7\n')
    assert loaded().settings.concurrency == 10

    file.unlink()

    found = loaded()
    assert (found.settings.concurrency, found.origin("concurrency")) == (7, "tool.ferryman in pyproject.toml")


def test_a_persons_own_file_comes_last(file: Path, tmp_path: Path) -> None:
    own = tmp_path / "home" / ".config" / "ferryman" / "ferryman.toml"
    own.parent.mkdir(parents=True)
    own.write_text("concurrency = 7\n")
    file.with_name("pyproject.toml").write_text('[project]\nname = "shop"\n')
    home = {"HOME": str(tmp_path / "home")}
    assert loaded(home).settings.concurrency == 10

    file.unlink()

    assert loaded(home).origin("concurrency") == str(own)
    assert loaded({"XDG_CONFIG_HOME": str(own.parent.parent)}).settings.concurrency == 7
    assert loaded({"XDG_CONFIG_HOME": str(tmp_path)} | home).settings.concurrency == 10


def test_a_home_that_cannot_be_looked_at_holds_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert loaded({"HOME": "/" + "x" * 5_000}).origins == {}


def test_a_projects_file_can_be_named_too(file: Path) -> None:
    project = file.with_name("pyproject.toml")
    project.write_text("[tool.ferryman]\nconcurrency = 7\n")

    assert load({}, environment={}, file=project).settings.concurrency == 7
