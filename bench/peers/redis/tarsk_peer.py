# /// script
# requires-python = ">=3.11"
# dependencies = ["tarsk-redis"]
# ///
"""tarsk: a supervisor in Rust, and one child that runs Python."""

from counted import JOBS, SLOTS, URL, command, counted
from tarsk import App

app = App(broker=URL)


@app.task()
async def noop(n: int) -> None:
    counted()


def enqueue() -> None:
    for n in range(JOBS):
        noop.send(n)


def work() -> None:
    command("tarsk", "worker", "--app", "tarsk_peer:app", "--broker", URL, "--children", "1", "--slots", str(SLOTS))
