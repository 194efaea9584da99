"""What Go's asynq left in Redis, as tests/vectors/asynq has it: messages, names of keys, calls."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ferryman.storage.asynq.messages import Timestamp

RECORDED = sorted((Path(__file__).parents[2] / "vectors" / "asynq").glob("*.json"))
SCENARIOS = [path.stem for path in RECORDED]

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z")


def recording(scenario: str) -> dict[str, Any]:
    """Return everything that was recorded of a scenario."""
    (path,) = [path for path in RECORDED if path.stem == scenario]
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def dumps(recorded: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was in Redis after each step, and at the end."""
    return [step["keys"] for step in recorded.get("steps", [])] + [recorded["keys"]]


def calls(scenario: str, api: str = "") -> list[dict[str, Any]]:
    """Return the calls that were made, all or those of one kind."""
    return [call for call in recording(scenario)["calls"] or [] if not api or call.get("api") == api]


def messages(recorded: Any) -> Iterator[tuple[str, bytes, dict[str, Any]]]:
    """Yield the kind, the bytes and the content of every message in a recording."""
    if isinstance(recorded, dict):
        if "proto" in recorded:
            yield recorded["proto"].removeprefix("asynq."), b64decode(recorded["b64"]), recorded["decoded"]
        recorded = list(recorded.values())
    if isinstance(recorded, list):
        for each in recorded:
            yield from messages(each)


def texts(value: dict[str, Any]) -> list[str]:
    """Return the members of a recorded set, list or sorted set."""
    return [member.get("member", member)["text"] for member in value["value"]]


def stamp(text: str) -> Timestamp:
    """Read a time as Go writes it in JSON, to the nanosecond."""
    found = _TIME.fullmatch(text)
    assert found is not None
    whole = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    return Timestamp(
        int((whole - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()), int((found[2] or "0").ljust(9, "0"))
    )
