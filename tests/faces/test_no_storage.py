"""A storage that is away, or that refuses: each command says so in one sentence, and its exit code tells."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from faces.tree import LEAVES
from faces.typed import Typed
from servers import postgres, valkey

GONE = "postgres://ada:secret@127.0.0.1:1/shop"
ASK = [
    "enqueue report {}",
    "enqueue report {} --wait",
    "job list",
    "job list --error x",
    "job show 1",
    "job retry 1",
    "job retry --all-matching --kind report -y",
    "job run 1",
    "job reschedule 1 --in 1h",
    "job update 1 --args {}",
    "job cancel 1 -y",
    "job discard 1 -y",
    "job delete 1 -y",
    "job archive 1 -y",
    "bulk list",
    "bulk show 1",
    "bulk stop 1",
    "bulk continue 1",
    "failed",
    "failed retry --fp abc -y",
    "failed delete --fp abc -y",
    "queue list",
    "queue show default",
    "queue history default",
    "queue pause default",
    "queue resume default",
    "queue delete default -y",
    "periodic list",
    "periodic history hourly",
    "periodic run hourly",
    "periodic pause hourly",
    "periodic resume hourly",
    "top --once",
    "workers",
    "stats",
    "metrics --once",
    "bench -y",
    "migrate list",
    "migrate up",
    "migrate down -y",
    "migrate status",
]
GO_ON = {"worker", "dev", "dashboard", "doctor"}
NEED_NONE = {"health", "migrate sql", "config show", "completion", "version"}


def test_every_command_is_tried_without_a_storage() -> None:
    tried = {leaf for words in ASK for leaf in LEAVES if f"ferryman {words} ".startswith(f"{leaf} ")}

    assert LEAVES.keys() - tried == {f"ferryman {words}" for words in GO_ON | NEED_NONE}


@pytest.mark.parametrize("words", ASK)
def test_a_server_that_is_away_is_one_sentence(words: str, ferryman: Typed) -> None:
    answer = ferryman(*words.split(), "--url", GONE)

    assert (answer.code, answer.out) == (5, "")
    assert answer.err.startswith("error: ")
    assert answer.err.endswith("Connection refused. Is it running there?\n")
    assert answer.err.count("\n") == 1
    assert "secret" not in answer.err


@pytest.fixture
def of_a_stranger() -> Iterator[str]:
    """A database with tables, as somebody sees it who may log in and no more."""
    with postgres().database() as url:
        Typed()("migrate", "up", "--url", url)
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("create role stranger login")
            try:
                yield url.replace("//ferryman@", "//stranger@")
            finally:
                owner.execute("drop role stranger")


def test_who_may_not_look_at_the_tables_is_told_what_to_grant(of_a_stranger: str, ferryman: Typed) -> None:
    for words in ("job list", "enqueue report {}", "queue pause default", "migrate up", "migrate down -y"):
        answer = ferryman(*words.split(), "--url", of_a_stranger)

        assert (answer.code, answer.out, answer.err.count("\n")) == (5, "", 1)
        assert "permission denied for table" in answer.err
        assert "Grant the user" in answer.err


@pytest.fixture
def of_a_reader() -> Iterator[str]:
    """A Redis, as somebody sees it who may look and no more."""
    server = valkey()
    server.flush()
    client = server.client()
    client.execute_command("ACL", "SETUSER", "reader", "reset", "on", ">pw", "~*", "&*", "+@read", "+@connection")
    yield server.url.replace("redis://", "redis://reader:pw@")
    client.execute_command("ACL", "DELUSER", "reader")
    client.close()


def test_who_may_only_look_changes_nothing(of_a_reader: str, ferryman: Typed) -> None:
    answer = ferryman("enqueue", "report", "{}", "--url", of_a_reader)

    assert (answer.code, answer.out, answer.err.count("\n")) == (5, "", 1)
    assert "The user that logs in to Redis" in answer.err
    assert ferryman("queue", "list", "--json", "--url", of_a_reader).data == []


def test_where_there_are_no_tables_none_is_taken_back(ferryman: Typed) -> None:
    answer = ferryman("migrate down -y --url redis://127.0.0.1:1")

    assert (answer.code, answer.err) == (0, "Nothing to do.\n")
