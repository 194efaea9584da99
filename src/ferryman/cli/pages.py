"""Serves the dashboard by itself: a socket, uvicorn, and an end when we are told."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ferryman.cli.failures import TIMED_OUT
from ferryman.cli.signals import STOP, hearing
from ferryman.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    import uvicorn

    from ferryman.web import Dashboard
    from ferryman.web.entrance.standing import Wanted

__all__ = ["serve"]

_DRAIN = 3
_BACKLOG = 128


def serve(
    app: Dashboard, wanted: Wanted, *, within: float | None, note: Callable[[str], None], browse: bool = False
) -> int:
    """Serve until told to stop, and return the exit code.  Raises ConfigError when the address cannot be had."""
    try:
        import uvicorn
    except ModuleNotFoundError as error:
        raise MissingExtra("The dashboard needs uvicorn, which is not installed.", extra="web") from error
    listening = _listen(wanted)
    where = f"unix:{wanted.socket}" if wanted.socket else f"http://{_shown(wanted.host)}:{listening.getsockname()[1]}"
    # Whose headers are believed is ours to say, not uvicorn's.
    config = uvicorn.Config(
        app.below(wanted.root_path), log_config=None, access_log=False, proxy_headers=False, server_header=False,
        timeout_graceful_shutdown=_DRAIN, lifespan="on",
    )  # fmt: skip
    note(f"dashboard on {where}")
    if browse and not wanted.socket:
        import webbrowser

        webbrowser.open(where)

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            """Leave signals to us."""
            yield

    try:
        return asyncio.run(_run(app, Server(config), listening, within))
    finally:
        if wanted.socket:
            with suppress(FileNotFoundError):
                os.unlink(wanted.socket)


async def _run(app: Dashboard, server: uvicorn.Server, listening: socket.socket, within: float | None) -> int:
    timed_out = False

    def stop(*_: object) -> None:
        server.should_exit = True
        app.hang_up()

    def out_of_time() -> None:
        nonlocal timed_out
        timed_out = True
        stop()

    if within is not None:
        asyncio.get_running_loop().call_later(within, out_of_time)
    with hearing(STOP, stop):
        await server.serve([listening])
    for place in app.board.places.values():
        await place.jobs.close()
    return TIMED_OUT if timed_out else 0


def _listen(wanted: Wanted) -> socket.socket:
    try:
        if wanted.socket:
            return _private_socket(wanted.socket)
        family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((wanted.host, wanted.port))
        listening.listen(_BACKLOG)  # so that whoever reads our line can come at once
    except OSError as error:
        where = wanted.socket or f"{wanted.host}:{wanted.port}"
        raise ConfigError(
            f"The dashboard cannot listen on {where}: {error.strerror or error}. "
            "Name another with --port, or end who has it."
        ) from None
    return listening


def _private_socket(path: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listening.bind(path)
    finally:
        os.umask(before)
    return listening


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
