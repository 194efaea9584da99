"""The address of every page, below wherever the dashboard is mounted (spec/dashboard.md 2.0.1).

Names of queues and jobs ride behind the question mark: proxies disagree on what a slash
within a path is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from starlette.requests import Request

from ferryman.web.entrance.proxies import Proxies

__all__ = ["PATHS", "asked_for", "path_below", "root_of", "url_for"]

PATHS: Mapping[str, str] = {
    "overview": "/s/{storage}/",
    "queues": "/s/{storage}/queues",
    "queue": "/s/{storage}/queue",
    "jobs": "/s/{storage}/jobs",
    "job": "/s/{storage}/job",
    "failed": "/s/{storage}/failed",
    "group": "/s/{storage}/failed/group",
    "periodic": "/s/{storage}/periodic",
    "entry": "/s/{storage}/periodic/entry",
    "workers": "/s/{storage}/workers",
    "storage": "/s/{storage}/storage",
    "bulks": "/s/{storage}/bulks",
    "bulk": "/s/{storage}/bulk",
    "act": "/s/{storage}/act",
    "pause": "/s/{storage}/queues/pause",
    "resume": "/s/{storage}/queues/resume",
    "delete_queue": "/s/{storage}/queues/delete",
    "bulk_preview": "/s/{storage}/bulk/new",
    "bulk_start": "/s/{storage}/bulk/start",
    "bulk_continue": "/s/{storage}/bulk/continue",
    "bulk_stop": "/s/{storage}/bulk/stop",
    "run": "/s/{storage}/periodic/run",
    "pause_periodic": "/s/{storage}/periodic/pause",
    "resume_periodic": "/s/{storage}/periodic/resume",
    "enqueue": "/s/{storage}/enqueue",
    "reveal": "/s/{storage}/job/reveal",
    "settings": "/settings",
    "about": "/about",
    "login": "/login",
    "logout": "/logout",
}


def root_of(request: Request, proxies: Proxies) -> str:
    """Return the path at which the dashboard is mounted, as browsers write it."""
    return proxies.prefix(request) + quote(request.scope.get("root_path", "").rstrip("/"))


def path_below(request: Request) -> str:
    """Return the path that is asked for, from where the dashboard is mounted on."""
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", "").rstrip("/"))


def asked_for(request: Request, proxies: Proxies) -> str:
    """Return the address that was asked for, as the browser knows it."""
    query = request.url.query
    return f"{root_of(request, proxies)}{quote(path_below(request))}{'?' if query else ''}{query}"


def url_for(root: str, name: str, storage: str, query: Mapping[str, object]) -> str:
    """Return an address.  What is None or empty in the query is left out; several values are several words."""
    words = [(key, each) for key, value in query.items() for each in _each(value)]
    path = PATHS[name].replace("{storage}", storage)
    return f"{root}{path}{'?' if words else ''}{urlencode(words)}"


def _each(value: object) -> Sequence[object]:
    if value is None or value == "":
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)
