# /// script
# requires-python = ">=3.11"
# dependencies = ["dramatiq[redis]"]
# ///
"""dramatiq: one process with its usual eight threads."""

import dramatiq
from counted import JOBS, URL, command, counted
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=URL))


@dramatiq.actor
def noop(n: int) -> None:
    counted()


def enqueue() -> None:
    for n in range(JOBS):
        noop.send(n)


def work() -> None:
    command("dramatiq", "dramatiq_peer", "--processes", "1", "--threads", "8")
