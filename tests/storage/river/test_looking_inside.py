"""What a filter costs that looks inside rows: those that it passes over are never made jobs."""

from __future__ import annotations

from typing import Any

import pytest

from ferryman.storage.filters import JobFilter
from ferryman.storage.river.rows import job_from
from ferryman.storage.river.sqlite._sync.storage import SqliteStorage
from ferryman.storage.river.verbs import manage
from storage.samples import NOW, mail


@pytest.mark.parametrize("which", [JobFilter(error="nobody said this"), JobFilter(args={"to": "nobody"})])
def test_what_is_passed_over_is_never_made_a_job(
    storage: SqliteStorage, which: JobFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(manage, "job_from", lambda row: made.append(row) or job_from(row))
    storage.jobs.insert([mail()] * 30, now=NOW)

    page = storage.jobs.list(which, limit=10)

    assert (page.items, page.next) == ([], None)
    assert len(made) == 1  # where the list goes on, behind the first ten
