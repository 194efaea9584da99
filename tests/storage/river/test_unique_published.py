"""Unique keys and masks are those of River's own fixture files, which are read where they are present."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ferryman.errors import InvalidJob
from ferryman.job import State, Unique
from ferryman.storage.river.unique import mask, unique_key

OFFICIAL = Path(__file__).parents[3] / ".." / "shared" / "vectors" / "river-official"
FILES = ["rust-fixtures/unique_keys.json", "fixtures/unique_keys.json"]


class Options(msgspec.Struct):
    by_args: bool
    by_period_nanos: int
    by_queue: bool
    exclude_kind: bool
    by_state: list[State] | None = None


class Published(msgspec.Struct):
    name: str
    args: msgspec.Raw
    kind: str
    now: datetime
    options: Options
    queue: str
    scheduled_at: datetime | None
    expected_state_mask: int
    expected_sha256: str | None = None
    selected_unique_paths: tuple[str, ...] | None = None

    @property
    def encoded(self) -> bytes:
        """Return the arguments as Go had them: the file only indents them."""
        return re.sub(rb'("(?:[^"\\]|\\.)*")|\s+', rb"\1", bytes(self.args))

    @property
    def unique(self) -> Unique:
        options = self.options
        return Unique(
            by_args=options.by_args and (self.selected_unique_paths or True),
            by_period=timedelta(microseconds=options.by_period_nanos // 1000) or None,
            by_queue=options.by_queue,
            by_states=frozenset(options.by_state) if options.by_state else None,
            exclude_kind=options.exclude_kind,
        )


class PublishedFile(msgspec.Struct):
    cases: list[Published]
    typed_only_cases: list[Published]


def published(file: str) -> list[Any]:
    """Return the cases of one of River's own files, or one case that skips where the file is absent."""
    path = OFFICIAL / file
    if not path.exists():
        absent = pytest.mark.skip(reason=f"River's {file} is not on this machine")
        return [pytest.param(None, id=file, marks=absent)]
    content = msgspec.json.decode(path.read_bytes(), type=PublishedFile)
    return [pytest.param(case, id=f"{file[:4]}-{case.name}") for case in content.cases + content.typed_only_cases]


@pytest.mark.parametrize("case", [case for file in FILES for case in published(file)])
def test_every_published_job_has_its_published_key_and_mask(case: Published) -> None:
    job: dict[str, Any] = {
        "kind": case.kind,
        "args": case.encoded,
        "queue": case.queue,
        "at": case.scheduled_at or case.now,
    }
    if case.expected_sha256 is None:
        with pytest.raises(InvalidJob, match="a JSON object"):
            unique_key(case.unique, **job)
        return

    assert unique_key(case.unique, **job).hex() == case.expected_sha256
    assert mask(case.unique.by_states or ()) == case.expected_state_mask
