"""What every command writes with --json is what its schema says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from faces.there import There
from faces.tree import LEAVES
from faces.typed import Typed
from ferryman.cli.schemas import SHAPES
from ferryman.job import JobRef, NewJob
from ferryman.storage.infos import Running, ScheduleInfo

WITHOUT_DATA = {"dev", "dashboard"}
"""Servers: they say where they are, and write no data."""

TYPED = {
    "worker": ["worker shop:jobs --check"],
    "enqueue": ["enqueue mail:send"],
    "job list": ["job list"],
    "job show": ["job show {failed} {running}", "job show {failed} {running} --attempts", "job show {failed} --raw"],
    "job retry": ["job retry {failed} 4711", "job retry --kind mail:send --all-matching --yes --expect 1"],
    "job update": [],
    "job reschedule": ["job reschedule {scheduled} --in 2h"],
    "job run": ["job run {scheduled}"],
    "job cancel": [
        "job cancel --state scheduled --all-matching --dry-run",
        "job cancel {scheduled}",
        "job cancel --state scheduled --all-matching --yes --expect 1",
    ],
    "job discard": ["job discard {scheduled}"],
    "job delete": ["job delete {failed} --yes", "job delete --state failed --all-matching --yes --expect 1"],
    "bulk list": ["bulk list"],
    "bulk show": ["bulk show {bulk}"],
    "bulk stop": [],
    "bulk continue": [],
    "failed": ["failed", "failed --list", "failed --retrying --limit 1"],
    "failed retry": ["failed retry --fp {fp} --yes --expect 1"],
    "failed delete": ["failed delete --fp {fp} --yes --expect 1"],
    "queue list": ["queue list"],
    "queue show": ["queue show default"],
    "queue history": ["queue history default"],
    "queue pause": ["queue pause default --reason why"],
    "queue resume": ["queue resume default"],
    "queue delete": ["queue delete old --yes"],
    "periodic list": ["periodic list"],
    "periodic history": ["periodic history report"],
    "periodic run": ["periodic run report"],
    "periodic pause": ["periodic pause report"],
    "periodic resume": ["periodic resume report"],
    "top": ["top --once"],
    "workers": ["workers", "workers --running"],
    "stats": ["stats", "stats --stored"],
    "metrics": ["metrics --once"],
    "health": ["health --file shop.py"],
    "doctor": ["doctor --app shop:jobs"],
    "bench": ["bench -n 300 --yes"],
    "migrate list": ["migrate list"],
    "migrate up": ["migrate up --url sqlite:///new.db"],
    "migrate down": ["migrate down --dry-run"],
    "migrate status": ["migrate status"],
    "migrate sql": ["migrate sql"],
    "config show": ["config show"],
    "completion": ["completion bash"],
    "version": ["version"],
}


def test_every_command_that_writes_data_has_a_schema() -> None:
    commands = {path.removeprefix("ferryman ") for path, command in LEAVES.items() if path.endswith(f" {command.name}")}

    assert set(SHAPES) | WITHOUT_DATA == {*commands, "failed"}
    assert set(TYPED) == set(SHAPES)


@pytest.mark.parametrize("command", SHAPES)
def test_what_a_command_writes_is_what_its_schema_says(command: str, ferryman: Typed, stock: Stock) -> None:
    schema = json.loads(ferryman(f"{command} --json-schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    shutil.copy(stock.database, "ferryman.db")

    for words in TYPED[command]:
        answer = ferryman(f"{words.format(**stock.names)} --json")

        assert answer.out, answer.err
        assert answer.data
        jsonschema.validate(answer.json, schema, format_checker=jsonschema.FormatChecker())
        for row in answer.data:
            assert min((set(row) - set(shape.__struct_fields__) for shape in SHAPES[command]), key=len) == set()


@dataclass(frozen=True)
class Stock:
    """A database with something of everything in it, and how each is called."""

    database: Path
    names: Mapping[str, str]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    database = tmp_path_factory.mktemp("stock") / "ferryman.db"
    url = f"sqlite:///{database}"
    ferryman = Typed()
    with There(url) as there:
        there.storage.queues.announce(["old"])
        there.worker(
            schedules=(every_hour(),), kinds=("report",), running=(Running(ref=JobRef("4711"), kind="report"),)
        )
        ferryman(f"periodic run report --url {url}")
        there.completed(queue="done")
        bulk = ferryman(f"job delete --queue done --all-matching --yes --expect 1 --json --url {url}").data[0]["bulk"]
        names = {
            "failed": there.failed(queue="failed"),
            "fp": ferryman(f"failed --json --url {url}").data[0]["fingerprint"],
            "running": there.running(queue="running"),
            "scheduled": there.scheduled(),
            "bulk": bulk,
        }
    return Stock(database, names)


def every_hour() -> ScheduleInfo:
    job = NewJob(kind="report", args=b"{}")
    return ScheduleInfo(id="report", spec="@every 1h", job=job, next_at=datetime.now(UTC) + timedelta(hours=1))
