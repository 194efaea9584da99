"""Dashboard: the ASGI application that a program mounts, or `ferryman dashboard` serves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ferryman import logs
from ferryman.web.addresses import PATHS, path_below, root_of
from ferryman.web.answering import HEADERS, answering, refused
from ferryman.web.api.answers import answer
from ferryman.web.api.openapi import describe
from ferryman.web.assets import asset
from ferryman.web.board import Board, Formatter, Links
from ferryman.web.entrance.door import Door
from ferryman.web.entrance.logins import ByApplication, Decide, Nobody, Way
from ferryman.web.entrance.proxies import Proxies
from ferryman.web.login import log_in, log_out, show_form
from ferryman.web.places import places
from ferryman.web.refusals import Refusal
from ferryman.web.rendering import prepare
from ferryman.web.routes import ROUTES
from ferryman.web.streams import Streams

if TYPE_CHECKING:
    from ferryman.app import Ferryman

__all__ = ["Dashboard"]

_PACKED_FROM = 1_000
"""Answers of so many bytes are compressed for browsers that take it."""


class Dashboard:
    """The pages and the API, over one storage or several by name; mount it anywhere.

    `auth` is a function from a Starlette request to an `Access`, or to None for
    somebody unknown; it may be async.  Without it nobody is let in, except from this machine
    when `debug` is true.  `read_only` refuses every change.  `trusted_proxies` are
    networks whose X-Forwarded-… headers are believed.  `formatter` gets the kind and the
    arguments of a job, secrets hidden, and returns how they read best, or None.  `links` gets a job, secrets hidden,
    and returns a text and an address, absolute or relative, for each page of the program's own about it.  To as many
    browsers as `streams` says news is told at once, over a connection that stays open until `hang_up`; all others
    ask every few seconds.  Raises ConfigError for a storage whose name cannot stand in an address, and for a network
    that is none.
    """

    def __init__(
        self,
        storages: Ferryman | Mapping[str, Ferryman],
        *,
        auth: Decide | Way | None = None,
        read_only: bool = False,
        title: str = "ferryman",
        environment: str = "",
        trusted_proxies: Sequence[str] = (),
        allowed_hosts: Sequence[str] = (),
        notice: str = "",
        formatter: Formatter | None = None,
        links: Links | None = None,
        streams: int = 0,
        debug: bool = False,
    ) -> None:
        self.board = Board(
            places=places(storages, production=not logs.in_development()),
            door=Door(_way(auth, debug=debug), Proxies(trusted_proxies), tuple(allowed_hosts)),
            title=title,
            environment=environment,
            read_only=read_only,
            debug=debug,
            notice=notice,
            formatter=formatter,
            links=links,
            streams=Streams(streams),
        )
        self._router = GZipMiddleware(
            Router(self._routes(), redirect_slashes=False, default=self._nowhere),
            minimum_size=_PACKED_FROM,
            compresslevel=6,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._router(scope, receive, _with_headers(send))
        else:
            raise RuntimeError(f"The dashboard speaks HTTP, not {scope['type']}.")

    def dispatch(self, prefix: str, fallback: ASGIApp) -> ASGIApp:
        """Return an application that answers below `prefix`, and leaves the rest to another, such as Django's."""
        prefix = "/" + prefix.strip("/")

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            if scope["type"] == "http" and (path == prefix or path.startswith(f"{prefix}/")):
                scope = {**scope, "root_path": scope.get("root_path", "") + prefix}
                await self(scope, receive, send)
            else:
                await fallback(scope, receive, send)

        return app

    def below(self, prefix: str) -> ASGIApp:
        """Return an application for a proxy that shows it below `prefix`, whether or not the proxy takes that away."""
        prefix = "/" + prefix.strip("/") if prefix.strip("/") else ""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                path = scope["path"]
                whole = path if path == prefix or path.startswith(f"{prefix}/") else prefix + path
                scope = {**scope, "root_path": prefix, "path": whole}
            await self(scope, receive, send)

        return app

    def hang_up(self) -> None:
        """End the streams, as a server that is to stop does first: it would wait for them."""
        self.board.streams.hang_up()

    async def close(self) -> None:
        """Stop looking at the storages; the next request begins anew."""
        self.hang_up()
        for place in self.board.places.values():
            await place.close()

    def _routes(self) -> list[Route]:
        board = self.board
        of_pages = [
            Route(each.path, answering(board, each.needs, each.endpoint), methods=[each.method]) for each in ROUTES
        ]
        return [
            Route("/", self._home),
            Route("/static/{hash}/{name:path}", self._plain(asset)),
            Route("/robots.txt", self._plain(_robots)),
            Route("/-/livez", self._plain(_live)),
            Route("/-/readyz", self._plain(self._ready)),
            Route("/api/v1/openapi.json", self._plain(_description)),
            Route(PATHS["login"], self._plain(lambda request: show_form(board, request))),
            Route(PATHS["login"], self._plain(lambda request: log_in(board, request)), methods=["POST"]),
            Route(PATHS["logout"], self._plain(lambda request: log_out(board, request)), methods=["POST"]),
            *of_pages,
        ]

    def _plain(self, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers without the door: what everybody may have."""

        async def answer(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Exception as error:
                return refused(self.board, request, error)

        return answer

    async def _home(self, request: Request) -> Response:
        root = root_of(request, self.board.door.proxies)
        return RedirectResponse(f"{root}/s/{self.board.first.name}/")

    async def _ready(self, request: Request) -> Response:
        places = self.board.places
        away = [name for name, place in places.items() if not (await place.collector.sight()).reachable]
        return PlainTextResponse(f"{', '.join(away)} cannot be reached\n" if away else "ok\n", 503 if away else 200)

    async def _nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if not path_below(request):  # the mount point itself, without its slash
            await (await self._home(request))(scope, receive, send)
            return
        refusal = Refusal(404, "not_found", f"There is no page {scope['path']} here.")
        await refused(self.board, request, refusal)(scope, receive, send)

    async def _prepare(self) -> None:
        """Do what the first visitor would wait for."""
        for place in self.board.places.values():
            await place.collector.glimpse(0.0)
        await asyncio.to_thread(prepare)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.startup":
                await self._prepare()
            if kind == "lifespan.shutdown":
                await self.close()
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return


def _way(auth: Any, *, debug: bool) -> Way:
    if auth is None:
        return Nobody(debug=debug)
    return auth if hasattr(auth, "access") else ByApplication(auth)


def _with_headers(send: Send) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            named = {name.lower() for name, _ in message["headers"]}
            more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            message["headers"] = [*message["headers"], *(each for each in more if each[0] not in named)]
        await send(message)

    return sending


async def _robots(request: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


async def _description(request: Request) -> Response:
    return answer(describe())


async def _live(request: Request) -> Response:
    return PlainTextResponse("ok\n")
