# /// script
# requires-python = ">=3.11"
# dependencies = ["celery[redis]"]
# ///
"""celery: one child process."""

from celery import Celery
from counted import JOBS, URL, command, counted

app = Celery("celery_peer", broker=URL)
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=100)


@app.task
def noop(n: int) -> None:
    counted()


def enqueue() -> None:
    for n in range(JOBS):
        noop.delay(n)


def work() -> None:
    command("celery", "-A", "celery_peer", "worker", "--concurrency", "1")
