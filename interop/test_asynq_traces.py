"""A trace goes on between the two sides: it travels in a task's headers."""

from __future__ import annotations

from ferryman import Ferryman
from ferryman.testing import run_until_empty
from programs import Asker, Work
from spans import Spans


async def test_a_trace_that_go_began_goes_on_here(go: Asker, jobs: Ferryman) -> None:
    spans = Spans(jobs)

    @jobs.task("note")
    async def note(payload: bytes) -> None: ...

    enqueued = await go.ask("enqueue", job={"kind": "note", "payload": b"", "traced": True})

    await run_until_empty(jobs)

    assert enqueued["headers"]["traceparent"] == f"00-{spans.parent.replace('/', '-')}-01"


async def test_a_trace_that_we_began_goes_on_in_go(jobs: Ferryman, work: Work) -> None:
    spans = Spans(jobs)
    await jobs.kind("note").enqueue(b"")

    async with work("go") as program:
        seen = await program.hears("seen")

    assert seen["trace"] == spans.context
