"""The transcript as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from accept.script import Played

__all__ = ["page"]

NAMES = {"sqlite": "SQLite", "redis": "Redis", "postgres": "Postgres"}
HEAD = """\
# What was seen to work

For whoever wants to know what ferryman was seen to do: the acceptance script of
[Briefings](../examples/briefings/README.md), played with real processes: the web, workers, the dashboard, a mock of the
briefing service, an S3 server, and Redis or Postgres. On your own machine, in a few minutes, it is

```console title="not run here"
$ make accept
```

Each line is a step, what was seen, and how long it took. The storages are played side by side, and the steps that wait
for a minute to pass (11 and 14) beside the others, so a step takes longer than it would alone. The {steps} of them took
{seconds:.0f} s in all, on a machine of two cores. What every program said is in `.run/accept/` afterwards.
"""


def page(played: Sequence[Played], seconds: float) -> str:
    """Return the page, which `make accept ACCEPT="--publish docs/accept.md"` writes."""
    head = HEAD.format(steps=len(played), seconds=seconds)
    return "\n".join(
        [head, *(_of_one(name, list(steps)) for name, steps in groupby(played, lambda each: each.storage))]
    )


def _of_one(storage: str, steps: list[Played]) -> str:
    rows = [
        f"| {each.step.number} | {each.step.title} | {escape(each.saw, quote=False)} | {each.seconds:.1f} s |"
        for each in steps
    ]
    head = [f"## {NAMES[storage]}\n", "| # | Step | What was seen | Took |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, f"\nAll {len(steps)} steps were right.\n"])
