"""What readers see: templates, and the words for times and for waiting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from briefings import settings
from briefings.briefing import Briefing
from briefings.database import Connection
from briefings.guard import is_operator
from briefings.tasks import jobs
from ferryman import QueueNotFound, StorageUnavailable

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}


def page(request: Request, template: str, code: int = 200, headers: Any = None, **values: Any) -> Response:
    """Render a page."""
    values |= {"operator": is_operator(request), "development": settings.development}
    return _templates.TemplateResponse(request, template, values, code, HEADERS | (headers or {}))


def last_beat(connection: Connection) -> datetime | None:
    """Return when a worker last said that it works."""
    return _time(connection.run("last_beat"))


async def waiting_for(briefings: Iterable[Briefing], connection: Connection) -> dict[UUID, str]:
    """Say what queued briefings wait for, if it is more than their turn."""
    queued = [briefing for briefing in briefings if briefing.status == "queued"]
    held_up = await _held_up(connection) if queued else ""
    idle = not alive(last_beat(connection))
    return {
        briefing.id: held_up or ("waiting for a worker" if idle and _since(briefing.created_at) > 10 else "")
        for briefing in queued
    }


async def _held_up(connection: Connection) -> str:
    oldest = _time(connection.run("oldest_unsent"))
    if oldest and _since(oldest) > 2:
        return f"the queue has not answered for {_since(oldest):.0f} s, and the job is kept here until it does"
    try:
        return "the queue is paused" if (await jobs.admin.queues.get("default")).paused_at else ""
    except QueueNotFound:
        return ""  # no worker has ever run
    except StorageUnavailable:
        return "the queue does not answer"


def _time(found: Any) -> datetime | None:
    (at,) = dict(found.fetchone()).values()
    return at and datetime.fromisoformat(at)


def alive(beat: datetime | None) -> bool:
    """Whether a worker has beaten in time; it does so every minute."""
    return beat is not None and _since(beat) < 90


def ago(then: datetime) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (5, "s")):
        if _since(then) >= size:
            return f"{_since(then) // (size if size > 5 else 1):.0f} {unit} ago"
    return "just now"


def until(then: datetime) -> str:
    return f"in {-_since(then):.0f} s" if _since(then) <= -1 else "now"


def clock(at: datetime) -> str:
    return f"{at.astimezone():%H:%M:%S}"


def _since(then: datetime) -> float:
    return (datetime.now(UTC) - then).total_seconds()


_templates = Jinja2Templates(HERE / "templates")
_templates.env.trim_blocks = _templates.env.lstrip_blocks = True
_templates.env.filters |= {"ago": ago, "alive": alive, "clock": clock, "until": until}
