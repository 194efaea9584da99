"""The rights that docs/postgres.md names are enough for everything but migrating."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from ferryman.errors import StorageError
from ferryman.job import State
from ferryman.storage.filters import JobFilter
from ferryman.storage.infos import WorkerInfo
from ferryman.storage.river.bundle import LINES
from ferryman.storage.river.postgres._sync.storage import PostgresStorage
from ferryman.storage.river.postgres.location import Location
from ferryman.storage.values import Retention
from servers import postgres
from storage.samples import NOW, completed, later, mail, mail_at

DOCS = Path(__file__).parents[3] / "docs" / "postgres.md"
USER = "ferryman_with_few_rights"
WORKER = WorkerInfo(id="w", host="h", pid=1, started_at=NOW)


@pytest.fixture
def few() -> Iterator[PostgresStorage]:
    """A storage whose user has just those rights."""
    (grants,) = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), flags=re.DOTALL)
    with postgres().database() as url, psycopg.connect(url, autocommit=True) as owner:
        migrating = PostgresStorage(Location.parse(url))
        for line in LINES:
            migrating.schema.migrate(line, up=True)
        migrating.__exit__(None, None, None)
        owner.execute(f"create role {USER} login")
        try:
            owner.execute(grants.replace(" to ferryman;", f" to {USER};").encode())
            with PostgresStorage(Location.parse(re.sub(r"//[^@]*@", f"//{USER}@", url))) as storage:
                yield storage
        finally:
            owner.execute(f"drop owned by {USER}".encode())
            owner.execute(f"drop role {USER}".encode())


def test_they_are_enough_to_enqueue_and_work(few: PostgresStorage) -> None:
    few.jobs.insert([mail(), mail_at(later(hours=1))], now=NOW)
    few.queues.announce(["default"], now=NOW)
    jobs = few.jobs.fetch([("default", 10)], limit=10, kinds=None, worker="w", now=NOW)

    assert few.jobs.finish([completed(job) for job in jobs], now=NOW) == [State.COMPLETED]


def test_they_are_enough_to_lead(few: PostgresStorage) -> None:
    term = few.leaders.elect("w", term=None)
    assert term is not None
    few.workers.beat(WORKER, expires_in=timedelta(minutes=1), now=NOW)
    few.jobs.insert([mail_at(later(hours=1))], now=NOW)

    assert few.jobs.promote(limit=10, now=later(hours=1)) == 1
    assert few.jobs.prune(Retention(), limit=10, now=NOW) == 0
    assert few.queues.prune(older_than=timedelta(hours=1), limit=10, now=NOW) == 0
    few.leaders.resign("w", term=term)


def test_they_are_enough_to_look_and_act(few: PostgresStorage) -> None:
    (inserted,) = few.jobs.insert([mail()], now=NOW)

    few.jobs.cancel(inserted.ref, now=NOW)
    few.jobs.retry(inserted.ref, now=NOW)
    few.queues.pause("default", now=NOW)
    few.jobs.delete(inserted.ref)
    assert few.jobs.count(JobFilter()) == {}


def test_they_are_not_enough_to_migrate(few: PostgresStorage) -> None:
    with pytest.raises(StorageError, match="Postgres"):
        few.schema.migrate("ferryman", up=False)
