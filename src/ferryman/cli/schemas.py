"""The JSON Schema of what each command writes with --json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ferryman.admin.throughput import Throughput
from ferryman.cli import shapes
from ferryman.cli.measuring import Figure
from ferryman.errors import Unsupported
from ferryman.storage.infos import DayCounts, PeriodicInfo
from ferryman.storage.values import LineStatus

__all__ = ["SHAPES", "schema_of"]

SHAPES: Mapping[str, tuple[type[msgspec.Struct], ...]] = {
    "worker": (shapes.Task,),
    "enqueue": (shapes.Stored,),
    "job list": (shapes.Job,),
    "job show": (shapes.Job, shapes.Attempt, shapes.StoredJob),
    "job retry": (shapes.Acted, shapes.ActedOnAll, shapes.Job),
    "job update": (shapes.Acted,),
    "job run": (shapes.Acted,),
    "job reschedule": (shapes.Acted,),
    "job cancel": (shapes.Acted, shapes.ActedOnAll, shapes.Job),
    "job discard": (shapes.Acted, shapes.ActedOnAll, shapes.Job),
    "job delete": (shapes.Acted, shapes.ActedOnAll, shapes.Job),
    "bulk list": (shapes.Bulk,),
    "bulk show": (shapes.Bulk,),
    "bulk stop": (shapes.Bulk,),
    "bulk continue": (shapes.ActedOnAll,),
    "failed": (shapes.FailedGroup, shapes.Job),
    "failed retry": (shapes.ActedOnAll,),
    "failed delete": (shapes.ActedOnAll,),
    "queue list": (shapes.Queue,),
    "queue show": (shapes.QueueShown,),
    "queue history": (DayCounts,),
    "queue pause": (shapes.Queue,),
    "queue resume": (shapes.Queue,),
    "queue delete": (shapes.Queue,),
    "periodic list": (PeriodicInfo,),
    "periodic history": (shapes.Run,),
    "periodic run": (shapes.Ref,),
    "periodic pause": (PeriodicInfo,),
    "periodic resume": (PeriodicInfo,),
    "top": (shapes.Overview,),
    "workers": (shapes.Worker, shapes.RunningOn),
    "stats": (Throughput,),
    "metrics": (shapes.Sample,),
    "health": (shapes.Health,),
    "doctor": (shapes.Finding,),
    "bench": (Figure,),
    "migrate list": (shapes.KnownMigration,),
    "migrate up": (shapes.Migration,),
    "migrate down": (shapes.Migration,),
    "migrate status": (LineStatus,),
    "migrate sql": (shapes.MigrationText,),
    "config show": (shapes.Setting,),
    "completion": (shapes.Script,),
    "version": (shapes.Version,),
}
"""What the items of `data` are, by command; one of several, as its options ask.  Those that are not here write none."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(command: str) -> dict[str, Any]:
    """Return the schema of a command's envelope, such as that of `job list`.  Raises Unsupported where it has none."""
    if command not in SHAPES:
        raise Unsupported(f"ferryman {command} writes no data, and so no JSON.")
    items, components = msgspec.json.schema_components(SHAPES[command], ref_template="#/$defs/{name}")
    envelope = {
        "v": {"const": 1},
        "data": {"type": "array", "items": {"anyOf": items}},
        "next": {"type": ["string", "null"], "description": "The cursor of the page that follows."},
        "truncated": {"type": "boolean", "description": "Whether there is more than this."},
        "scanned": {"type": "integer", "description": "How many things were looked at."},
        "of": {"type": ["integer", "null"], "description": "Of how many; null where nobody counted."},
        "warnings": {"type": "array", "items": {"type": "string"}},
    }
    return {
        "$schema": _DIALECT,
        "title": f"ferryman {command} --json",
        "type": "object",
        "properties": envelope,
        "required": list(envelope),
        "$defs": components,
    }
