"""What is said about a Postgres server and River's tables in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import psycopg
import pytest

from ferryman.connect import connect
from ferryman.facts import NOT_PERMITTED
from ferryman.findings import Finding, Level
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.river.bundle import LINES
from ferryman.storage.river.postgres import checks
from ferryman.storage.river.postgres._sync import storage as postgres_storage
from ferryman.storage.river.postgres.facts import QUESTIONS
from ferryman.storage.values import HowWoken, JobsAvailable, Retention
from servers import PgBouncer, postgres
from storage._sync.acts import run, states, store, take
from storage.samples import completed

pytestmark = pytest.mark.slow


@pytest.fixture
def url() -> Iterator[str]:
    """A database of its own, with all tables."""
    with postgres().database() as url:
        with opened(url, enter=False) as storage:
            for line in LINES:
                storage.schema.migrate(line, up=True)
        yield url


@contextmanager
def opened(url: str, *, enter: bool = True) -> Iterator[Storage]:
    """A storage that is closed at the end; not entered, it may be without tables."""
    storage = connect(url).twin()
    try:
        yield storage.__enter__() if enter else storage
    finally:
        storage.__exit__(None, None, None)


@pytest.fixture
def storage(url: str) -> Iterator[Storage]:
    with opened(url) as storage:
        yield storage


@pytest.fixture
def db(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def found(storage: Storage, id: str, now: datetime | None = None, keep: Retention | None = None) -> Finding:
    return next(each for each in storage.health.check(production=True, keep=keep, now=now) if each.id == id)


def test_a_new_database_passes_every_check(storage: Storage) -> None:
    findings = storage.health.check(production=True)

    wanted = "VERSION TZ POOL MIGR LEADER INDEX SCHEMA PERMS XACT BLOAT CLEAN"
    assert {each.id: each.level for each in findings} == {
        "C-CLOCK": Level.OK,
        **{f"P-{name}": Level.OK for name in wanted.split()},
    }


@pytest.mark.parametrize(("minutes", "level"), [(4, Level.OK), (6, Level.WARNING), (61, Level.ERROR)])
def test_a_transaction_that_stays_open_is_said(url: str, storage: Storage, minutes: int, level: Level) -> None:
    with psycopg.connect(url, application_name="report") as other:
        other.execute("select 1")
        finding = found(storage, "P-XACT", datetime.now(UTC) + timedelta(minutes=minutes))

    assert finding.level is level
    assert level is Level.OK or "of report, idle in transaction" in finding.text


def test_dead_rows_that_nobody_clears_away_are_said(storage: Storage, db: psycopg.Connection[Any]) -> None:
    db.execute("alter table river_job set (autovacuum_enabled = off)")
    db.execute("insert into river_job (kind, args, max_attempts) select 'x', '{}', 1 from generate_series(1, 10001)")
    db.execute("delete from river_job")
    db.execute("select pg_stat_force_next_flush()")
    db.execute("select 1")

    assert found(storage, "P-BLOAT").level is Level.WARNING


@pytest.mark.parametrize(("active", "fix"), [(True, ""), (False, "select pg_drop_replication_slot('standby');")])
def test_a_replication_slot_that_holds_dead_rows_is_said(active: bool, fix: str) -> None:
    """It takes a replica that falls behind to make one: what the server would say is given here."""
    looking = checks._slots()
    next(looking)
    with pytest.raises(StopIteration) as said:
        looking.send([("standby", active, 250_000)])

    assert (said.value.value.level, said.value.value.fix) == (Level.WARNING, fix)
    assert "250,000 transactions" in said.value.value.text


def test_how_long_jobs_are_kept_is_what_the_settings_say(storage: Storage) -> None:
    now = datetime.now(UTC)
    storage.jobs.finish([completed(run(storage, now=now))], now=now)
    late = now + timedelta(days=2)

    assert found(storage, "P-CLEAN", late, Retention(completed=timedelta(days=3))).level is Level.OK
    assert found(storage, "P-CLEAN", late, Retention(completed=None)).level is Level.OK
    assert found(storage, "P-CLEAN", late, Retention(kinds={"mail": 1e6})).level is Level.OK
    assert "keep such for 1d" in found(storage, "P-CLEAN", late).text


def test_completed_jobs_that_nobody_deletes_are_said(storage: Storage) -> None:
    now = datetime.now(UTC)
    storage.jobs.finish([completed(run(storage, now=now))], now=now)

    assert found(storage, "P-CLEAN", now + timedelta(hours=24, minutes=59)).level is Level.OK
    assert found(storage, "P-CLEAN", now + timedelta(hours=25, minutes=1)).level is Level.WARNING


def test_a_second_set_of_tables_on_the_search_path_is_said(url: str, db: psycopg.Connection[Any]) -> None:
    db.execute("create schema other")
    db.execute("create table other.river_job (id bigint)")
    path = f"{url}?options={quote('-csearch_path=public,other')}"

    with opened(path) as storage:
        finding = found(storage, "P-SCHEMA")
        assert (finding.level, "in public and in other" in finding.text) == (Level.WARNING, True)
    with opened(f"{path}&schema=public") as storage:
        assert found(storage, "P-SCHEMA").level is Level.OK


@pytest.fixture
def guest(db: psycopg.Connection[Any]) -> Iterator[str]:
    """A user who may read River's tables, and no more."""
    role = f"guest_{db.info.backend_pid}"
    db.execute(f"create role {role} login")
    db.execute(f"grant select on all tables in schema public to {role}")
    yield role
    db.execute(f"drop owned by {role}")
    db.execute(f"drop role {role}")


def test_a_right_that_is_missing_is_said_with_the_grant(url: str, db: psycopg.Connection[Any], guest: str) -> None:
    ours = "ferryman_worker, ferryman_schedule, ferryman_note"
    db.execute(f"grant insert, update, delete on river_job, {ours} to {guest}")
    with opened(url.replace("//ferryman@", f"//{guest}@")) as storage:
        finding = found(storage, "P-PERMS")

    assert finding.level is Level.ERROR
    assert finding.sql == " ".join(
        f"grant delete, insert, update on {table} to {guest};" for table in ("river_leader", "river_queue")
    )


def test_dates_that_cannot_be_read_are_said(url: str) -> None:
    with opened(f"{url}?options={quote('-cdatestyle=German')}") as storage:
        assert found(storage, "P-TZ").level is Level.ERROR


def test_an_index_that_is_missing_is_said(storage: Storage, db: psycopg.Connection[Any]) -> None:
    db.execute("drop index river_job_prioritized_fetching_index")

    assert found(storage, "P-INDEX").level is Level.ERROR


def test_indexes_that_are_missing_or_invalid_come_with_what_mends_them(
    url: str, storage: Storage, db: psycopg.Connection[Any]
) -> None:
    whole = definitions(db)
    db.execute("drop index river_job_unique_idx, river_job_args_index")
    db.execute("update pg_index set indisvalid = false where indexrelid = 'river_job_kind'::regclass")

    with opened(f"{url}?schema=public") as named:
        for statement in found(named, "P-INDEX").sql.split("; "):
            db.execute(statement.encode())

    assert found(storage, "P-INDEX").level is Level.OK
    assert definitions(db) == whole


def definitions(db: psycopg.Connection[Any]) -> set[Any]:
    return set(db.execute("select indexdef from pg_indexes where tablename = 'river_job'"))


# Behind a proxy


@pytest.fixture
def behind(url: str) -> Iterator[Callable[[str], str]]:
    """Give the URL of the database through a proxy that runs in one of its modes."""
    proxies = []

    def start(mode: str) -> str:
        proxy = PgBouncer(url, mode).running()
        proxies.append(proxy)
        return proxy.__enter__().url(url)

    yield start
    for proxy in proxies:
        proxy.__exit__(None, None, None)


def test_a_proxy_that_shares_connections_is_an_error_and_jobs_are_worked_all_the_same(behind) -> None:
    with opened(behind("transaction")) as storage:
        for _ in range(10):  # often enough for a driver to want statements prepared
            store(storage)
            storage.jobs.finish([completed(job) for job in take(storage)])
        assert states(storage) == {"completed": 10}
        assert found(storage, "P-POOL").level is Level.ERROR

        with closing(storage.notices.listen()) as heard:  # type: ignore[type-var]
            first, how = next(heard), next(heard)
        assert first == JobsAvailable()
        assert isinstance(how, HowWoken)
        assert how.by == "polling"
        assert "LISTEN is not heard" in how.lacking


def test_a_proxy_that_keeps_connections_is_as_good_as_none(behind) -> None:
    with opened(behind("session")) as storage:
        assert found(storage, "P-POOL").level is Level.OK


def test_what_a_user_may_not_read_is_said_and_keeps_no_other_fact_back(
    url: str, db: psycopg.Connection[Any], guest: str
) -> None:
    db.execute("revoke execute on function pg_notification_queue_usage() from public")
    with opened(url.replace("//ferryman@", f"//{guest}@")) as storage:
        facts = {(each.of, each.name): each for each in storage.health.facts()}

    unknown = {name: each.why for (_, name), each in facts.items() if each.why == NOT_PERMITTED}
    # The owner's own session, of which a guest sees no more than that it is there, may have a transaction open.
    assert unknown.keys() == {"oldest transaction", "notification queue"}
    assert facts["river_job", "size"].value


def test_what_takes_too_long_is_said_and_keeps_no_other_fact_back(
    url: str, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = [msgspec.structs.replace(each, seconds=0.05) if each.topic == "tables" else each for each in QUESTIONS]
    monkeypatch.setattr(postgres_storage, "QUESTIONS", hasty)
    with psycopg.connect(url) as other:
        other.execute("lock table river_job in access exclusive mode")
        facts = {each.name: each for each in storage.health.facts() if not each.of}

    assert (facts["size"].value, facts["size"].why) == (None, "it took too long to read")
    assert facts["oldest transaction"].value
    assert facts["connections"].value
