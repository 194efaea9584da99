"""The page of workers: who is alive, who fell silent, and how each is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from ferryman import Ferryman
from ferryman.storage.infos import WorkerInfo
from web.asking import Asking

NOW = datetime.now(UTC).replace(microsecond=0)  # what is kept of it is rounded
WELL = WorkerInfo(
    id="w-well",
    host="well",
    pid=1,
    started_at=NOW,
    queues={"mail": 1},
    memory=84 * 2**20,
    version="0.1.0",
)
STUCK = msgspec.structs.replace(WELL, id="w-stuck", host="stuck", blocked=75.0)
LOST = msgspec.structs.replace(WELL, id="w-lost", host="lost", started_at=NOW - timedelta(minutes=10))


async def test_a_worker_says_how_it_is(jobs: Ferryman, board: Asking) -> None:
    workers = (await jobs.connections.storage()).workers
    await workers.beat(WELL, expires_in=timedelta(minutes=9))
    await workers.beat(STUCK, expires_in=timedelta(minutes=9))
    await workers.beat(LOST, expires_in=timedelta(seconds=10), now=NOW - timedelta(minutes=1))

    page = (await board.get("/s/main/workers")).text

    assert "84.0 MiB" in page
    assert "Its event loop has stood still for 1 m 15 s." in page
    assert "It fell silent without a word; what it ran goes back to its queue." in page
    assert "2 processes" in page
    assert 'data-label="Up">9 m<' in page  # as long as it was heard of
