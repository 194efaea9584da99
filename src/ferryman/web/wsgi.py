"""The dashboard for programs that speak WSGI: it runs in an event loop of its own, in a thread of each process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from ferryman.errors import MissingExtra
from ferryman.web.dashboard import Dashboard

if TYPE_CHECKING:
    from a2wsgi import ASGIMiddleware

__all__ = ["wsgi"]


def wsgi(dashboard: Dashboard) -> _Wsgi:
    """Return a WSGI application.  Give the dashboard a Ferryman of its own: what one loop opened no other can use.

    Raises MissingExtra without the package a2wsgi.
    """
    try:
        import a2wsgi
    except ModuleNotFoundError as error:
        raise MissingExtra("Mounting it under WSGI needs a2wsgi, which is not installed.", extra="web") from error
    dashboard.board.streams.most = 0  # each would keep one of the server's threads
    return _Wsgi(dashboard, a2wsgi.ASGIMiddleware)


class _Wsgi:
    """Begins anew in each process: a server that forks would share a loop whose thread is gone."""

    def __init__(self, dashboard: Dashboard, make: type[ASGIMiddleware]) -> None:
        self._dashboard = dashboard
        self._make = make
        self._lock = threading.Lock()
        self._process = 0
        self._running: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with self._lock:
            if self._process != os.getpid():
                self._process, self._running = os.getpid(), self._make(_with_whole_path(self._dashboard))
        answer: Iterable[bytes] = self._running(environ, start_response)
        return answer


def _with_whole_path(dashboard: Dashboard) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # WSGI takes the mount point away from the path and ASGI leaves it there: not every a2wsgi puts it back.
        environ = scope["wsgi_environ"]
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        client = (environ["REMOTE_ADDR"], 0) if environ.get("REMOTE_ADDR") else None
        whole = {**scope, "path": path.encode("latin1").decode("utf-8", "replace"), "client": client}
        await dashboard(whole, receive, send)

    return app
