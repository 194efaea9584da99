"""How the storage is: the checks of `ferryman doctor`, and what it says of itself (spec/dashboard.md 2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from ferryman.facts import Fact
from ferryman.findings import Finding, Level
from ferryman.storage.way import Step
from ferryman.web import replies
from ferryman.web.visit import Visit

__all__ = ["page"]

_TONES = {Level.OK: "ok", Level.WARNING: "warn", Level.ERROR: "bad"}
_PATIENCE = 2.0
"""For how many seconds a page waits for what is tried on the way to a storage."""
_WORST = ("bad", "warn", "ok")
NAMES = {
    "A-IMPORT": "Program",
    "A-KIND": "Kinds",
    "A-PERIODIC": "Schedules",
    "A-QUEUE": "Queues",
    "A-SECRET": "Secrets",
    "A-SHUT": "Stopping",
    "A-STUCK": "Progress",
    "A-WORKER": "Workers",
    "C-CLOCK": "Clock",
    "P-BLOAT": "Dead rows",
    "P-CLEAN": "Cleaning",
    "P-INDEX": "Indexes",
    "P-LEADER": "Leader",
    "P-MIGR": "Migrations",
    "P-NOTIFY": "Notices",
    "P-PERMS": "Permissions",
    "P-POOL": "Pooler",
    "P-REPL": "Replication slots",
    "P-SCHEMA": "Schema",
    "P-TZ": "Time zone",
    "P-VERSION": "Version",
    "P-XACT": "Long transactions",
    "R-AOF": "Persistence",
    "R-ARCHIVE": "Kept failures",
    "R-CLIENTS": "Connections",
    "R-CLUSTER": "Cluster",
    "R-EVICT": "Eviction",
    "R-EVICTED": "Evicted keys",
    "R-FRAG": "Fragmentation",
    "R-MEM": "Memory",
    "R-PERMS": "Permissions",
    "R-REPLICA": "Replicas",
    "R-ROLE": "Role",
    "R-SLOW": "Slow scripts",
    "R-STRAY": "Stray records",
    "R-VERSION": "Version",
    "S-CLEAN": "Cleaning",
    "S-FS": "File system",
    "S-LEADER": "Leader",
    "S-LOCK": "Locking",
    "S-MEM": "Kept in memory",
    "S-MIGR": "Migrations",
    "S-SYNC": "Durability",
    "S-WAL": "Write-ahead log",
    "U-CONN": "Connection",
    "U-URL": "Address",
}
"""What people call what a check looks at; its id is what `doctor --skip` and the documentation say."""


@dataclass(frozen=True)
class Check:
    """What one check found."""

    id: str
    name: str
    tone: str
    text: str
    fix: str


@dataclass(frozen=True)
class Problem:
    """Why it cannot be reached."""

    text: str
    steps: Sequence[Check]


@dataclass(frozen=True)
class Topic:
    """The facts of one topic; those about several things of a kind are a table, a row to each."""

    title: str
    facts: Sequence[Fact]
    columns: Sequence[str] = ()
    rows: Sequence[tuple[str, Sequence[Fact]]] = ()


@dataclass(frozen=True)
class Storage:
    """The page."""

    location: str
    server: str
    checked_at: datetime | None
    text: str
    problem: Problem | None
    checks: Sequence[Check]
    topics: Sequence[Topic]
    facts_missing: str


async def page(visit: Visit) -> Response:
    """Show how the storage is."""
    sight = await visit.place.collector.sight()
    if replies.unchanged(visit, sight.number):
        return replies.same(visit)
    checks = sorted(map(_check, sight.findings.value), key=lambda each: _WORST.index(each.tone))
    why = sight.findings.why or (sight.queues.why if not sight.reachable else "")
    shown = Storage(
        location=visit.place.location,
        server=visit.place.format,
        checked_at=sight.at if checks else None,
        text=_text(checks),
        problem=Problem(why, await _steps(visit)) if why else None,
        checks=checks,
        topics=_topics(sight.facts.value),
        facts_missing=sight.facts.why,
    )
    return await replies.page(visit, "storage.html", shown, sight.number)


async def _steps(visit: Visit) -> list[Check]:
    """Return the steps that were tried on the way there; while that goes on, those of the last time."""
    seen = await visit.place.history.latest("way", visit.place.admin.storage.way, patience=_PATIENCE)
    return list(map(_step, seen.value or ()))


def _step(step: Step) -> Check:
    text = f"{step.text} ({step.seconds * 1000:.0f} ms)"
    return Check("U-CONN", step.name[:1].upper() + step.name[1:], "bad" if step.failed else "ok", text, step.fix)


def _check(finding: Finding) -> Check:
    return Check(finding.id, NAMES.get(finding.id, finding.id), _TONES[finding.level], finding.text, finding.fix)


def _text(checks: Sequence[Check]) -> str:
    bad, warned = (sum(each.tone == tone for each in checks) for tone in ("bad", "warn"))
    words = [_plural(bad, "problem"), _plural(warned, "warning"), f"{len(checks) - bad - warned} fine"]
    return ", ".join(word for word in words if word)


def _plural(number: int, word: str) -> str:
    return "" if not number else f"1 {word}" if number == 1 else f"{number} {word}s"


def _topics(facts: Sequence[Fact]) -> list[Topic]:
    names = dict.fromkeys(each.topic for each in facts)
    return [_topic(name, [each for each in facts if each.topic == name]) for name in names]


def _topic(name: str, facts: Sequence[Fact]) -> Topic:
    rows: dict[str, list[Fact]] = {}
    for each in facts:
        rows.setdefault(each.of, []).append(each)
    alone = rows.pop("", [])
    columns = [each.name for each in next(iter(rows.values()), [])]
    return Topic(name.capitalize(), alone, columns, list(rows.items()))
