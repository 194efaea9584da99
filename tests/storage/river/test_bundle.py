"""What runs when: the rules of River's migrator, apart from any database (spec/river.md 1.4)."""

from __future__ import annotations

import re
from importlib.resources import files
from sqlite3 import complete_statement

import pytest

from ferryman.errors import ConfigError, SchemaOutOfDate
from ferryman.storage.river.bundle import (
    LINES,
    Migration,
    bookkeeping_down,
    bookkeeping_up,
    bundle,
    in_schema,
    line_of,
    refuse_to_lose_lines,
    to_apply,
    to_revert,
)

MAIN, SIDE = (bundle("sqlite")[line] for line in LINES)

# What a name of ours follows in SQL, where its schema belongs between them.
THINGS = "table|from|into|update|references|on|type|function|drop index"

NAMES = [
    "create river migration",
    "initial schema",
    "river job tags non null",
    "pending and more",
    "migration unique client",
    "bulk unique",
    "notification outbox sqlite jsonb and sql cleanup",
    "job id autoincrement",
]


def test_a_schema_is_quoted_and_no_schema_is_nothing() -> None:
    assert in_schema("drop table /* schema */river_job", "Jobs") == 'drop table "Jobs".river_job'
    assert in_schema("drop table /* schema */river_job", None) == "drop table river_job"


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_the_bundle_has_rivers_versions_and_names_and_our_own_line(dialect: str) -> None:
    main, side = (bundle(dialect)[line] for line in LINES)

    assert [(m.line, m.version, m.name) for m in main] == [
        ("main", number, name) for number, name in enumerate(NAMES, start=1)
    ]
    assert [(m.line, m.version, m.name) for m in side] == [
        ("ferryman", 1, "process registry"),
        ("ferryman", 2, "durable schedules"),
        ("ferryman", 3, "notebook"),
    ]


@pytest.mark.parametrize("migration", [*MAIN, *SIDE], ids=lambda m: f"{m.line}-{m.version}")
@pytest.mark.parametrize("way", ["up", "down"])
def test_every_file_is_whole_statements_with_a_blank_line_between(migration: Migration, way: str) -> None:
    folder = files("ferryman.storage.river") / "migrations" / "sqlite"
    folder = folder if migration.line == "main" else folder / migration.line
    name = f"{migration.version:03}_{migration.name.replace(' ', '_')}.{way}.sql"
    text = (folder / name).read_text(encoding="utf-8").strip()

    statements = migration.up if way == "up" else migration.down
    assert "\n\n".join(statements) == ("" if only_comments(text) else text)
    assert all(complete_statement(each) for each in statements)


@pytest.mark.parametrize("line", LINES)
def test_on_postgres_a_file_is_one_text_that_names_the_schema_of_everything_it_touches(line: str) -> None:
    for migration in bundle("postgres")[line]:
        for texts in (migration.up, migration.down):
            (text,) = texts
            assert not re.findall(rf"(?:{THINGS}) (?:if (?:not )?exists )?(?:river|ferryman)_", text)


def test_the_record_has_a_line_from_version_5_on_and_goes_with_a_lines_first_version() -> None:
    assert bookkeeping_up(MAIN[3]).endswith("river_migration (version) values (4)")
    assert bookkeeping_up(MAIN[4]).endswith("river_migration (line, version) values ('main', 5)")
    assert bookkeeping_down(MAIN[3]).endswith("where version = 4")
    assert bookkeeping_down(MAIN[4]).endswith("where line = 'main' and version = 5")
    assert bookkeeping_down(SIDE[0]).endswith("where line = 'ferryman'")


def test_an_unknown_line_is_refused_with_the_nearest_name() -> None:
    assert line_of("sqlite", "ferryman") == SIDE
    with pytest.raises(ConfigError, match=r'no migration line "mian"\. Did you mean "main"\?'):
        line_of("sqlite", "mian")
    with pytest.raises(ConfigError, match="There are: main, ferryman"):
        line_of("sqlite", "workflow")


@pytest.mark.parametrize(
    ("existing", "options", "versions"),
    [
        ([], {}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ([1, 2, 3, 4, 5, 6], {}, [7, 8]),
        ([1, 2], {"target": 4}, [3, 4]),
        ([1, 2], {"max_steps": 1}, [3]),
        ([1, 2], {"target": 4, "max_steps": 5}, [3, 4]),
        ([1, 2], {"max_steps": -1, "target": 3}, [3]),
        ([1, 2, 4], {"target": 4}, []),
        ([1, 2, 3], {"target": 2}, []),
    ],
)
def test_up_applies_what_is_missing_up_to_target_and_steps(existing, options, versions) -> None:
    assert [each.version for each in to_apply(MAIN, existing, **options)] == versions


@pytest.mark.parametrize(
    ("existing", "options", "versions"),
    [
        ([1, 2, 3], {}, [3]),
        ([], {}, []),
        ([1, 2, 3], {"max_steps": 2}, [3, 2]),
        ([1, 2, 3], {"max_steps": -1}, [3, 2, 1]),
        ([1, 2, 3, 4], {"target": 2}, [4, 3]),
        ([1, 2, 3, 4], {"target": 2, "max_steps": 1}, [4]),
        ([1, 2, 3], {"target": -1}, [3, 2, 1]),
        ([1, 2, 3], {"target": 0}, [3, 2, 1]),
        ([1, 2, 3], {"target": 7}, []),
    ],
)
def test_down_reverts_one_step_unless_told_how_far(existing, options, versions) -> None:
    assert [each.version for each in to_revert(MAIN, existing, **options)] == versions


@pytest.mark.parametrize("choose", [to_apply, to_revert])
def test_a_version_that_the_bundle_lacks_is_refused(choose) -> None:
    with pytest.raises(SchemaOutOfDate, match=r"has version 9 of migration line main.* knows 1 to 8"):
        choose(MAIN, [1, 2, 9])


@pytest.mark.parametrize(("choose", "target"), [(to_apply, 9), (to_apply, 0), (to_revert, 9), (to_revert, -2)])
def test_a_target_that_the_bundle_lacks_is_refused(choose, target: int) -> None:
    with pytest.raises(ConfigError, match=rf"no version {target} to stop at\. It has 1 to 8"):
        choose(MAIN, [1, 2], target=target)


def test_main_does_not_go_below_5_while_another_line_is_recorded() -> None:
    with pytest.raises(ConfigError, match=r"what is recorded of ferryman, pro: .*--line ferryman --to 0"):
        refuse_to_lose_lines(to_revert(MAIN, range(1, 9), target=4), ["main", "pro", "ferryman"])

    refuse_to_lose_lines(to_revert(MAIN, range(1, 9), target=5), ["main", "ferryman"])
    refuse_to_lose_lines(to_revert(MAIN, range(1, 9), target=0), ["main"])
    refuse_to_lose_lines(to_revert(SIDE, [1]), ["main", "ferryman"])


def only_comments(text: str) -> bool:
    return all(row.startswith("--") for row in text.splitlines())
