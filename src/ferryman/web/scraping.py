"""What Prometheus reads of a dashboard at /-/metrics: its storages as they were seen last, and what was done from here.

Whoever may look at the pages may read it, and nobody else: it names queues and workers.  No
storage is asked for it; where nobody watches, the collector looks every half minute.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from ferryman.metrics.moment import Moment
from ferryman.metrics.page import LACKS_PACKAGE
from ferryman.web.places import Place
from ferryman.web.sharing import Seen
from ferryman.web.visit import Visit

__all__ = ["metrics"]

_PATIENCE = 5.0
"""Seconds to wait for what was never seen: Prometheus itself waits for ten."""


async def metrics(visit: Visit) -> Response:
    """Return the numbers of every storage, and what was done from here."""
    try:
        from ferryman.metrics.families import Families, actions, families
        from ferryman.metrics.written import written
    except ModuleNotFoundError:
        return Response(LACKS_PACKAGE.body, LACKS_PACKAGE.status, media_type=LACKS_PACKAGE.kind)
    moments = await asyncio.gather(*map(_moment, visit.board.places.values()))
    text, kind = written(Families([*families(moments), actions(visit.board.deeds.counts)]))
    return Response(text, media_type=kind)


async def _moment(place: Place) -> Moment:
    sight = await place.collector.unhurried(_PATIENCE)
    return Moment(
        name=place.name,
        is_asynq=place.asynq,
        queues=_known(sight.queues),
        workers=_known(sight.workers),
        periodic=_known(sight.schedules),
        leader=sight.leader,
        findings=_known(sight.findings),
        facts=_known(sight.facts),
        answered_at=sight.queues.at.timestamp() if sight.queues.at else 0.0,
        took=sight.took,
    )


def _known(part: Seen[Any]) -> Any:
    """Return what was seen, but not what is only remembered because it cannot be read now."""
    return None if part.why else part.value
