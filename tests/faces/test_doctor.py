"""`ferryman doctor`, and what a worker says of the same at its start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faces.process import Process
from faces.there import There
from faces.typed import Typed
from servers import Server, program


@pytest.fixture
def forgetful() -> Iterator[str]:
    """The URL of a Redis that keeps nothing and may delete anything."""
    server = Server(program(), "maxmemory-policy allkeys-lru").start()
    yield server.url
    server.stop()


def ids(answer: object, level: str) -> set[str]:
    return {found["id"] for found in answer.data if found["level"] == level}  # type: ignore[attr-defined]


def test_where_all_is_well_it_says_so(ferryman: Typed, folder: Path, there: There) -> None:
    answer = ferryman("doctor")

    assert (answer.code, answer.out) == (0, "")
    assert answer.err.splitlines()[-1] == "Nothing is wrong."
    assert "storage sqlite:///ferryman.db" in answer.err


def test_what_is_in_order_is_shown_when_asked_for(ferryman: Typed, there: There) -> None:
    answer = ferryman("doctor -v --app shop:jobs")

    assert [line.split()[:2] for line in answer.lines if line.startswith(" ✓ S-")][:2] == [
        ["✓", "S-WAL"],
        ["✓", "S-SYNC"],
    ]
    assert "A-IMPORT   shop:jobs has 2 tasks" in answer.out


def test_what_is_wrong_comes_with_what_to_do(ferryman: Typed, forgetful: str) -> None:
    answer = ferryman(f"doctor --url {forgetful}")

    assert answer.code == 1
    assert " ✕ R-EVICT    maxmemory-policy is allkeys-lru; jobs may be deleted under memory pressure" in answer.lines
    assert "fix: redis-cli CONFIG SET maxmemory-policy noeviction && redis-cli CONFIG REWRITE" in answer.out
    assert answer.err.splitlines()[-1] == "2 storage errors, 1 warning"


def test_json_has_every_finding(ferryman: Typed, forgetful: str) -> None:
    answer = ferryman(f"doctor --json --url {forgetful}")

    assert answer.code == 1
    assert ids(answer, "error") == {"R-EVICT", "R-AOF"}
    assert {"U-URL", "U-CONN", "R-VERSION", "C-CLOCK"} <= ids(answer, "ok")
    assert set(answer.data[0]) == {"id", "level", "area", "text", "fix"}


def test_development_asks_less_of_the_storage(ferryman: Typed, forgetful: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_ENV", "development")

    assert ids(ferryman(f"doctor --json --url {forgetful}"), "error") == {"R-EVICT"}


def test_checks_are_chosen_by_id_or_by_their_first_letter(ferryman: Typed, forgetful: str) -> None:
    def shown(words: str) -> list[str]:
        return [found["id"] for found in ferryman(f"doctor --json --url {forgetful} {words}").data]

    assert shown("--only R-EVICT") == ["R-EVICT"]
    assert shown("--only r --skip R-EVICT")[:3] == ["R-VERSION", "R-ROLE", "R-AOF"]
    assert "R-EVICT" not in shown("--only r --skip R-EVICT")


def test_warnings_fail_only_when_that_is_asked_for(ferryman: Typed, there: There) -> None:
    url = "sqlite:///ferryman.db?synchronous=normal"

    assert [ferryman(f"doctor --url {url} {how}").code for how in ("", "--strict")] == [0, 8]


@pytest.mark.parametrize(
    ("words", "id"),
    [
        ("--url nonsense", "U-URL"),
        ("--url redis://localhost:1/x", "U-URL"),
        ("--url redis://:secret@localhost:1/0", "U-CONN"),
        ("--url sqlite:////nowhere/at/all.db", "U-CONN"),
        ("--app shop:nothing", "A-IMPORT"),
        ("--url sqlite:///empty.db", "S-MIGR"),
    ],
)
def test_as_far_as_it_gets_it_says_what_is_in_the_way(words: str, id: str, ferryman: Typed, there: There) -> None:
    answer = ferryman(f"doctor --json {words}")

    assert answer.code == 1
    assert ids(answer, "error") == {id}
    assert "secret" not in answer.out + ferryman(f"doctor {words}").err


def test_where_the_way_ends_the_steps_before_are_shown_too(ferryman: Typed) -> None:
    answer = ferryman("doctor --url redis://127.0.0.1:1/0")

    lookup, refused, fix = (line.split() for line in answer.lines)
    assert (lookup[:3], refused[:3]) == (["✓", "U-CONN", "name"], ["✕", "U-CONN", "connect,"])
    assert fix == ["fix:", "nc", "-vz", "127.0.0.1", "1"]


def test_a_queues_name_that_river_refuses_is_found(
    ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.worker(queues={"High Priority": 1})
    monkeypatch.setenv("FERRYMAN_QUEUES", "default,Low")

    first, second = ferryman("doctor --only A-QUEUE").lines

    assert 'A-QUEUE    the worker box:71 takes jobs from "High Priority". The queue name "High Priority"' in first
    assert 'A-QUEUE    this program is to take jobs from "Low". The queue name "Low" does not suit River' in second


def test_jobs_that_nobody_works_are_found(ferryman: Typed, there: There) -> None:
    there.worker(kinds=("mail:sent",))
    there.available()
    there.available(kind="report", queue="low")

    answer = ferryman("doctor --only A")

    assert answer.code == 1
    assert (
        ' ✕ A-KIND     jobs of kind "mail:send" wait in "default"; no live worker handles it. Is it "mail:sent"?'
        in (answer.lines)
    )
    assert ' ✕ A-QUEUE    jobs ready in "low": 1; no live worker takes them' in answer.lines


def test_the_app_at_hand_would_handle_its_own_kinds(ferryman: Typed, there: There) -> None:
    there.worker(kinds=("report",))
    there.available()

    assert ferryman("doctor --only A-KIND --app shop:jobs").code == 0


def test_a_worker_that_stops_before_its_tasks_are_done_is_warned_of(ferryman: Typed, there: There) -> None:
    answer = ferryman("doctor --app shop:jobs --only A-SHUT")

    assert (answer.code, 'waits 30s, and "mail:send" may take 5m' in answer.out) == (0, True)


def test_a_worker_that_is_killed_before_it_has_stopped_is_warned_of(
    ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(grace: str) -> bool:
        monkeypatch.setenv("FERRYMAN_GRACE_PERIOD", grace)
        return "takes up to 40s in all, and is killed after 30s" in ferryman("doctor --only A-SHUT").out

    assert (found("30s"), found("40s")) == (True, False)


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ({"HOST": "0.0.0.0"}, "error"),
        ({"HOST": "0.0.0.0", "AUTH": "none-i-have-a-proxy"}, "warning"),
        ({"HOST": "0.0.0.0", "AUTH": "proxy"}, "error"),
        ({"PORT": "many"}, "error"),
        ({"READ_ONLY": "1"}, "ok"),
        ({}, None),
    ],
)
def test_a_dashboard_that_would_be_open_is_found(
    said: dict[str, str], level: str | None, ferryman: Typed, there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(f"FERRYMAN_DASHBOARD_{name}", value)

    found = ferryman("doctor --json --only D-AUTH").data

    assert [each["level"] for each in found] == ([level] if level else [])


def test_a_worker_does_not_start_where_something_is_wrong_when_told_so(ferryman: Typed, forgetful: str) -> None:
    answer = ferryman(f"worker shop:jobs --strict-start --url {forgetful}")

    assert (answer.code, answer.out) == (6, "")
    assert "The worker was not started (--strict-start). R-AOF: nothing is kept on disk" in answer.err


def test_jobs_that_nobody_works_yet_are_no_reason_not_to_start(ferryman: Typed) -> None:
    with There("sqlite:///ferryman.db") as there:
        there.available(kind="nobody:knows")

    assert ferryman("worker shop:jobs --strict-start --burst").code == 0


def test_a_worker_that_makes_its_tables_starts_without_them(ferryman: Typed, folder: Path) -> None:
    assert ferryman("worker shop:jobs --strict-start --migrate --burst").code == 0


def test_a_worker_says_at_its_start_what_is_wrong(folder: Path, forgetful: str) -> None:
    with Process("worker", "shop:jobs", "--url", forgetful, folder=folder) as worker:
        heard = worker.hear("R-EVICT")
        worker.hear("R-REPLICA")

    assert "error R-EVICT: maxmemory-policy is allkeys-lru" in heard.string
    assert "To fix it: redis-cli CONFIG SET maxmemory-policy noeviction" in heard.string
