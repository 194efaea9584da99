# /// script
# requires-python = ">=3.11"
# dependencies = ["wakaq"]
# ///
"""wakaq: lists in Redis; one process."""

from urllib.parse import urlsplit

from counted import JOBS, SLOTS, URL, command, counted
from wakaq import WakaQ

_at = urlsplit(URL)
app = WakaQ(
    queues=["default"],
    host=_at.hostname,
    port=_at.port,
    db=int(_at.path[1:]),
    concurrency=1,
    async_concurrency=SLOTS,
    worker_log_level=30,
)


@app.task
async def noop(n: int) -> None:
    counted()


def enqueue() -> None:
    for n in range(JOBS):
        noop.delay(n)


def work() -> None:
    command("wakaq-worker", "--app", "wakaq_peer.app")
