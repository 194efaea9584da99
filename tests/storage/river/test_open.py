"""Opening a database: a new one gets its tables, one that does not fit is refused."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from tables import connected

from ferryman.errors import ConfigError, SchemaOutOfDate, StorageError, StorageUnavailable
from ferryman.job import State
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.river.sqlite.location import Location
from ferryman.storage.values import LineStatus
from storage._sync.acts import run, states
from storage.samples import NOW

LATEST = [LineStatus("main", 8, 8), LineStatus("ferryman", 3, 3)]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "jobs.db")


def migrated(path: str, **lines: int) -> None:
    """Make a database with these versions of its lines."""
    storage = SqliteStorage(Location(path))
    for line, version in lines.items():
        storage.schema.migrate(line, up=True, target=version)
    storage.__exit__()


def versions(path: str) -> list[tuple[str, int]]:
    with closing(connected(path)) as db:
        return [tuple(each) for each in db.execute("select line, version from river_migration order by line, version")]


def test_a_new_file_gets_its_tables(path: str) -> None:
    with SqliteStorage(Location(path)) as storage:
        assert storage.schema.status() == LATEST
        assert run(storage).attempt == 1


def test_an_empty_file_gets_its_tables_too(path: str) -> None:
    Path(path).touch()

    with SqliteStorage(Location(path)) as storage:
        assert storage.schema.status() == LATEST


def test_tables_of_the_users_own_do_not_matter(path: str) -> None:
    with closing(connected(path)) as db:
        db.execute("create table briefings (id integer primary key)")

    with SqliteStorage(Location(path)) as storage:
        assert storage.schema.status() == LATEST


def test_what_is_there_stays_when_it_is_opened_again(path: str) -> None:
    with SqliteStorage(Location(path)) as storage:
        run(storage)

    with SqliteStorage(Location(path)) as storage:
        assert states(storage) == {State.RUNNING: 1}


@pytest.mark.parametrize("version", [1, 4, 5, 6])
def test_an_older_schema_is_refused_with_the_line_to_type_and_stays_as_it_is(path: str, version: int) -> None:
    migrated(path, main=version)

    with pytest.raises(SchemaOutOfDate, match=rf"migration {version} and .* needs 7. Run: ferryman migrate up"):
        SqliteStorage(Location(path)).__enter__()

    storage = SqliteStorage(Location(path))
    assert storage.schema.status()[0].version == version
    storage.__exit__()


def test_version_7_is_as_good_as_8(path: str) -> None:
    migrated(path, main=7, ferryman=1)

    with SqliteStorage(Location(path)) as storage:
        assert run(storage).attempt == 1

    assert ("main", 8) not in versions(path)


def test_a_newer_schema_is_refused(path: str) -> None:
    migrated(path, main=8)
    with closing(connected(path)) as db:
        db.execute("insert into river_migration (line, version) values ('main', 9)")

    with pytest.raises(SchemaOutOfDate, match=r"has version 9 .* knows 1 to 8.*upgrade ferryman"):
        SqliteStorage(Location(path)).__enter__()


def test_a_database_that_rivers_own_tools_made_works_without_our_registry(path: str) -> None:
    migrated(path, main=8)
    ada = WorkerInfo(id="ada", host="ada", pid=1, started_at=NOW)

    with SqliteStorage(Location(path)) as storage:
        storage.workers.beat(ada, expires_in=timedelta(minutes=1), now=NOW)
        storage.workers.leave(ada.id)

        assert storage.workers.list(now=NOW) == []
        assert run(storage).attempt == 1
    assert ("ferryman", 1) not in versions(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match=r"nowhere/jobs\.db cannot be opened.* Is there such a folder"):
        SqliteStorage(Location(str(tmp_path / "nowhere" / "jobs.db"))).__enter__()


def test_a_file_that_is_no_database_is_refused(path: str) -> None:
    Path(path).write_text("This is a letter, and not a database at all. " * 100)

    with pytest.raises(StorageError, match="not a database"):
        SqliteStorage(Location(path)).__enter__()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite://jobs.db", "sqlite:///jobs.db"),
        ("sqlite:///jobs.db?synchronous=off", "synchronous=off. It takes full"),
        ("sqlite:///jobs.db?cache=shared", "unknown option cache"),
    ],
)
def test_a_url_that_means_nothing_is_refused_with_what_would(url: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Location.parse(url)


@pytest.mark.parametrize(("option", "level"), [("", 2), ("?synchronous=normal", 1), ("?synchronous=FULL", 2)])
def test_writes_are_durable_unless_the_url_chooses_speed(tmp_path: Path, option: str, level: int) -> None:
    with closing(Location.parse(f"sqlite:///{tmp_path}/a%20b.db{option}").open()) as db:
        assert db.execute("pragma synchronous").fetchone() == (level,)
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
    assert (tmp_path / "a b.db").exists()


ROUNDS, PROCESSES = 20, 4


@pytest.mark.slow
def test_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier, answers = spawn.Barrier(PROCESSES), spawn.SimpleQueue()
    processes = [spawn.Process(target=open_together, args=(str(tmp_path), barrier, answers)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()

    said = [answers.get() for _ in processes]
    for process in processes:
        process.join()

    assert said == [[LATEST] * ROUNDS] * PROCESSES


def open_together(folder: str, barrier, answers) -> None:
    """Open one new file after the other, each at the same moment as the other processes."""
    found: list[object] = []
    for number in range(ROUNDS):
        barrier.wait(30)
        try:
            with SqliteStorage(Location(f"{folder}/{number}.db")) as storage:
                found.append(storage.schema.status())
        except Exception as error:
            found.append(repr(error))
    answers.put(found)
