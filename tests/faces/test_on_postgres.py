"""The command line on Postgres: what is wrong with a server or its tables is one sentence and an exit code."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from faces.typed import Typed
from ferryman.errors import ConfigError
from ferryman.storage.river.postgres.location import Location
from servers import Postgres, free_port, postgres


@pytest.fixture
def server() -> Postgres:
    return postgres()


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:
    """A database without tables."""
    with server.database() as url:
        yield url


def test_a_server_that_is_not_there_is_one_sentence_and_exit_code_5(ferryman: Typed) -> None:
    answer = ferryman(f"queue list --url postgres://ada:secret@127.0.0.1:{free_port()}/shop")

    assert answer.code == 5
    assert answer.err.endswith("/shop: Connection refused. Is it running there?\n")
    assert "secret" not in answer.err
    assert answer.err.count("\n") == 1


def test_an_unknown_database_is_named(ferryman: Typed, server: Postgres) -> None:
    answer = ferryman(f"queue list --url {server.url}_of_nobody")

    assert answer.code == 5
    assert 'database "postgres_of_nobody" does not exist.' in answer.err


def test_an_unknown_user_is_named(ferryman: Typed, server: Postgres) -> None:
    answer = ferryman(f"queue list --url {server.url.replace('ferryman@', 'nobody:wrong@')}")

    assert answer.code == 5
    assert 'role "nobody" does not exist.' in answer.err
    assert "wrong" not in answer.err


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("postgres://ada:p@ss@localhost/app", "has an @ in its user or password. Write it as %40"),
        ("postgres://ada:p/ss@localhost/app", "error: The URL has a /, a ? or a # in its password. Write / as %2F"),
        ("postgres://localhost:port/app", '"port" as its port'),
        ("postgres://localhost/app?nonsense=1", 'invalid URI query parameter: "nonsense"'),
    ],
)
def test_a_url_that_cannot_be_is_a_mistake_of_the_caller(ferryman: Typed, url: str, text: str) -> None:
    answer = ferryman(f"queue list --url {url}")

    assert answer.code == 2
    assert text in answer.err


def test_migrating_in_a_schema_leaves_the_others_alone(ferryman: Typed, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("create schema jobs")

    assert ferryman(f"migrate up --schema jobs --url {url}").code == 0

    assert ferryman(f"migrate status --check --url {url}?schema=other --schema jobs").code == 0
    assert ferryman(f"migrate status --check --url {url}").code == 1
    assert ferryman("migrate up --schema jobs").err.startswith("error: --schema is for Postgres, and jobs are kept in")


@pytest.mark.parametrize(
    ("in_the_url", "said"), [("", " --statement-timeout 300ms"), ("?options=-c%20statement_timeout%3D300ms", "")]
)
def test_a_migration_that_waits_too_long_is_undone_and_says_how_to_give_it_time(
    ferryman: Typed, url: str, in_the_url: str, said: str
) -> None:
    ferryman(f"migrate up --line main --to 3 --url {url}")

    with psycopg.connect(url) as other:
        other.execute("lock table river_job in access share mode")
        answer = ferryman(f"migrate up --line main --url {url}{in_the_url}{said}")

    assert answer.code == 1
    assert answer.err.startswith("error: Migration 004 of line main was undone")
    assert "--statement-timeout 10m" in answer.err
    assert ferryman(f"migrate status --json --url {url}").data[0]["version"] == 3
    assert ferryman(f"migrate up --statement-timeout 0 --url {url}").code == 0


def test_several_hosts_sockets_and_ipv6_are_no_slips() -> None:
    for url in ("postgres://a:1,b:2/app", "postgres://[::1]:5432/app", "postgres:///app?host=/run", "postgres://"):
        assert psycopg.conninfo.conninfo_to_dict(Location.parse(url).url)["application_name"] == "ferryman"
    with pytest.raises(ConfigError, match='"x" as its port'):
        Location.parse("postgres://a:1,b:x/app")


def test_without_tables_it_says_what_to_type(ferryman: Typed, url: str) -> None:
    answer = ferryman(f"queue list --url {url}")

    assert answer.code == 1
    assert answer.err == "error: The database has no tables for jobs yet. Run: ferryman migrate up\n"


def test_tables_of_a_newer_version_are_refused(ferryman: Typed, url: str) -> None:
    assert ferryman(f"migrate up --url {url}").code == 0
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("insert into river_migration (line, version) values ('main', 99)")

    answer = ferryman(f"queue list --url {url}")

    assert answer.code == 1
    assert "99" in answer.err


def test_a_worker_refuses_a_database_without_tables_and_says_what_to_type(ferryman: Typed, url: str) -> None:
    answer = ferryman(f"worker shop:jobs --burst --url {url}")

    assert answer.code == 1
    assert answer.err.endswith("The database has no tables for jobs yet. Run: ferryman migrate up\n")


def test_a_worker_makes_the_tables_when_it_is_told_to(ferryman: Typed, url: str) -> None:
    answer = ferryman(f"worker shop:jobs --migrate --burst --url {url}")

    assert answer.code == 0, answer.err
    assert ferryman(f"migrate status --check --url {url}").code == 0
    assert ferryman(f"worker shop:jobs --migrate --burst --url {url}").code == 0


def test_doctor_writes_the_sql_that_mends_and_nothing_else(ferryman: Typed, url: str) -> None:
    unmigrated = ferryman(f"doctor --fix-sql --url {url}")
    assert (unmigrated.code, unmigrated.out) == (1, "")
    assert "To fix it: ferryman migrate up" in unmigrated.err
    ferryman(f"migrate up --url {url}")
    with psycopg.connect(url) as connection:
        connection.execute("drop index river_job_kind")

    answer = ferryman(f"doctor --fix-sql --url {url}")

    assert (answer.code, answer.lines) == (1, ["create index concurrently river_job_kind on river_job (kind);"])


def test_doctor_says_what_it_found_of_a_server(ferryman: Typed, url: str) -> None:
    ferryman(f"migrate up --url {url}")

    answer = ferryman(f"doctor -v --url {url}")

    assert answer.code == 0, answer.out
    for id in ("P-VERSION", "P-POOL", "P-XACT", "P-BLOAT", "P-CLEAN", "P-SCHEMA", "P-PERMS", "P-TZ", "P-INDEX"):
        assert id in answer.out
