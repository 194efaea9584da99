"""Answers GET over HTTP, from a thread of its own: an event loop that is blocked could not say so."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from ferryman.errors import ConfigError
from ferryman.health.pages import Answer, Page

__all__ = ["Port", "address"]

_PATIENCE = 5.0
_NOT_FOUND = 404


def address(text: str, origin: str = "The health address") -> tuple[str, int]:
    """Read `127.0.0.1:8082`, `:8082` (every address) or `8082` (this machine alone).  Raises ConfigError."""
    host, colon, port = text.strip().rpartition(":")
    if not port.isdecimal() or not int(port) < 65_536:
        raise ConfigError(f'{origin} is "{text}". It takes an address and a port, such as 127.0.0.1:8082.')
    if not colon:
        return "127.0.0.1", int(port)
    return host.strip("[]") or "0.0.0.0", int(port)


class Port:
    """Answers while the block runs.  Raises ConfigError when the address cannot be had."""

    def __init__(self, where: str, pages: Mapping[str, Page], *, origin: str = "The health address") -> None:
        host, port = address(where, origin)
        try:
            self._server = _server(host, port, pages)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(f"{origin} {where} cannot be had: {reason}. Name another, or end who has it.") from error

    @property
    def number(self) -> int:
        """The number of the port, also where any was asked for (0)."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, name="ferryman-health", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_PATIENCE)


def _server(host: str, port: int, pages: Mapping[str, Page]) -> ThreadingHTTPServer:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        daemon_threads = True
        block_on_close = False

        def server_bind(self) -> None:
            socketserver.TCPServer.server_bind(self)  # without asking who we are, which may take a name server

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: whoever asked has gone."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE
        server_version, sys_version = "ferryman", ""

        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0], lambda: _nothing(pages))
            answer = page()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(answer.body)

        do_HEAD = do_GET  # noqa: N815 - so the standard library calls it

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: probes come every few seconds."""

    return Server((host, port), Handler)


def _nothing(pages: Mapping[str, Page]) -> Answer:
    return Answer(_NOT_FOUND, f"There is nothing here. There are: {' '.join(pages)}\n".encode(), "text/plain")
