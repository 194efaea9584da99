"""URLs: which storage they name, and what a wrong one hears (A15)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ferryman.connect import connect
from ferryman.errors import ConfigError
from ferryman.redaction import without_password


def test_a_url_names_a_file_beside_the_program_or_anywhere_or_nothing_but_memory(tmp_path: Path) -> None:
    assert connect("sqlite:///jobs.db").location == "sqlite:///jobs.db"
    assert connect(f"sqlite:///{tmp_path}/jobs.db").location == f"sqlite:///{tmp_path}/jobs.db"
    assert connect("sqlite://").location == "sqlite:// (in memory)"


def test_connecting_opens_nothing(tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/jobs.db")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("jobs.db", 'FERRYMAN_URL is "jobs.db", which has no scheme.'),
        ("", 'FERRYMAN_URL is "", which has no scheme.'),
        ("localhost:6379", "For Redis write redis://localhost:6379."),
        ("mongodb://localhost/jobs", "there is no storage for mongodb://."),
        ("sqlite://jobs.db", "SQLite's URLs have three: sqlite:///jobs.db"),
        ("sqlite:///jobs.db?synchronous=of", "synchronous=of. It takes full (the default) or normal."),
        ("sqlite:///jobs.db?cache=shared", "the unknown option cache."),
    ],
)
def test_a_wrong_url_says_what_is_wrong_and_how_to_write_it(url: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        connect(url, "FERRYMAN_URL")

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:secret@localhost:6379/0", "redis://:***@localhost:6379/0"),
        ("postgres://ada:secret@db/app?schema=x", "postgres://ada:***@db/app?schema=x"),
        ("postgres://ada@db/app", "postgres://ada@db/app"),
        ("postgres://db/app?PASSWORD=secret", "postgres://db/app?PASSWORD=***"),
        (":secret@localhost:6379", ":***@localhost:6379"),
        ("sqlite:///jobs.db", "sqlite:///jobs.db"),
    ],
)
def test_a_password_is_never_printed(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_a_refusal_does_not_print_the_password() -> None:
    with pytest.raises(ConfigError) as caught:
        connect("mongodb://ada:secret@db/jobs")

    assert "secret" not in str(caught.value)
    assert "ada:***@db" in str(caught.value)
