"""Every address, what it needs, and who answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ferryman.web.addresses import PATHS
from ferryman.web.answering import Endpoint
from ferryman.web.api.calls import CALLS, PREFIX
from ferryman.web.entrance.access import Level
from ferryman.web.entrance.door import Needs
from ferryman.web.pages import (
    about,
    acting,
    bulk,
    enqueue,
    entry,
    failed,
    job,
    jobs,
    overview,
    periodic,
    queue,
    queues,
    storage,
    workers,
)
from ferryman.web.scraping import metrics

__all__ = ["ROUTES", "Way"]

_LOOK = Needs(Level.VIEW)
_OPERATE = Needs(Level.OPERATE, changes=True)
_ADMIN = Needs(Level.ADMIN, changes=True)


@dataclass(frozen=True)
class Way:
    """One address and method."""

    name: str
    method: str
    path: str
    needs: Needs
    endpoint: Endpoint


def _page(name: str, endpoint: Endpoint) -> Way:
    return Way(name, "GET", PATHS[name], _LOOK, endpoint)


def _form(name: str, endpoint: Endpoint, needs: Needs = _OPERATE) -> Way:
    return Way(name, "POST", PATHS[name], needs, endpoint)


ROUTES: Sequence[Way] = (
    _page("overview", overview.page),
    _page("queues", queues.page),
    _page("queue", queue.page),
    _page("jobs", jobs.page),
    _page("job", job.page),
    _page("failed", failed.page),
    _page("group", failed.group),
    _page("periodic", periodic.page),
    _page("entry", entry.page),
    _page("workers", workers.page),
    _page("storage", storage.page),
    _page("bulks", bulk.all),
    _page("bulk", bulk.page),
    _page("bulk_preview", bulk.preview),
    Way("enqueue", "GET", PATHS["enqueue"], Needs(Level.ADMIN), enqueue.page),
    _page("about", about.page),
    _page("settings", about.settings),
    # Preferences are kept in the browser, so whoever may look may have them.
    _form("settings", about.keep, _LOOK),
    _form("act", acting.act),
    _form("enqueue", enqueue.store, _ADMIN),
    _form("pause", acting.pause),
    _form("resume", acting.resume),
    _form("delete_queue", acting.delete_queue, _ADMIN),
    _form("run", acting.run),
    _form("pause_periodic", acting.pause_periodic),
    _form("resume_periodic", acting.resume_periodic),
    _form("reveal", acting.reveal, Needs(Level.VIEW, changes=True)),
    _form("bulk_start", bulk.start),
    _form("bulk_stop", bulk.stop),
    _form("bulk_continue", bulk.resume),
    Way("metrics", "GET", "/-/metrics", _LOOK, metrics),
    *(Way(each.name, each.method, PREFIX + each.path, each.needs, each.endpoint) for each in CALLS),
)
