"""The transcript as a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from accept.script import Played

__all__ = ["page"]

NAMES = {"sqlite": "SQLite", "redis": "Redis", "postgres": "Postgres"}
HEAD = """\
# What was seen to work

For whoever wants to know what ferryman was seen to do: the acceptance script of
[Briefings](../examples/briefings/README.md), played with real processes: the web, workers, the dashboard, a mock of the
briefing service, an S3 server, and Redis or Postgres. On your own machine, in a few minutes, it is

```console
$ make accept
```

Each line is a step, what was seen, and how long it took. The storages are played side by side, so a step takes longer
than it would alone. What every program said is in `.run/accept/` afterwards.
"""


def page(played: Sequence[Played], seconds: float) -> str:
    """Return the page, which `make accept` writes."""
    parts = [HEAD]
    for storage, steps in groupby(played, lambda each: each.storage):
        rows = [f"| {each.step.number} | {each.step.title} | {each.saw} | {each.seconds:.1f} s |" for each in steps]
        parts.append(
            "\n".join(
                [f"## {NAMES[storage]}\n", "| # | Step | What was seen | Took |", "| --- | --- | --- | --- |", *rows]
            )
            + "\n"
        )
    parts.append(f"All {len(played)} steps took {seconds:.0f} s.\n")
    return "\n".join(parts)
