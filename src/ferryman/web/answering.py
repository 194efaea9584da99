"""From a request to its answer: the door, the page, what is said when either refuses, and everybody's headers."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ferryman.web.addresses import asked_for, path_below, root_of, url_for
from ferryman.web.assets import asset_path
from ferryman.web.board import Board
from ferryman.web.entrance.door import Needs
from ferryman.web.places import Place
from ferryman.web.preferences import COOKIE, Preferences
from ferryman.web.refusals import Refusal, refusal_for
from ferryman.web.rendering import Clockwork, render
from ferryman.web.shell import bare_shell
from ferryman.web.visit import Visit

__all__ = ["HEADERS", "Endpoint", "answering", "refused"]

_LOGGER = logging.getLogger("ferryman.dashboard")

Endpoint = Callable[[Visit], Awaitable[Response]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


def answering(board: Board, needs: Needs, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a route: whoever is let in is given to the endpoint."""

    async def answer(request: Request) -> Response:
        id = secrets.token_hex(8)
        try:
            access = await board.door.admit(request, needs, read_only=board.read_only)
            response = await endpoint(Visit(request, board, access, _place(board, request), id))
        except Exception as error:
            response = refused(board, request, error, id)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def refused(board: Board, request: Request, error: Exception, id: str = "") -> Response:
    """Return what is said when a request is not answered with what it asks for."""
    refusal = refusal_for(error)
    if refusal.code == "bug":
        _LOGGER.error("request %s failed: %s %s", id, request.method, request.url.path, exc_info=error)
    root = root_of(request, board.door.proxies)
    if path_below(request).startswith("/api/"):
        return _problem(refusal, id)
    if refusal.code == "login" and request.method == "GET":
        return RedirectResponse(url_for(root, "login", "", {"next": asked_for(request, board.door.proxies)}), 303)
    return _error_page(board, request, refusal, root, id)


def _problem(refusal: Refusal, id: str) -> Response:
    body = {
        "type": f"urn:ferryman:{refusal.code}",
        "code": refusal.code,
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.detail,
        "hint": refusal.hint,
        "request_id": id,
    }
    return Response(
        msgspec.json.encode(body), refusal.status, headers=refusal.headers, media_type="application/problem+json"
    )


def _error_page(board: Board, request: Request, refusal: Refusal, root: str, id: str) -> Response:
    likes = Preferences.of_cookie(request.cookies.get(COOKIE, ""))
    page = {
        "status": refusal.status,
        "code": refusal.code,
        "title": HTTPStatus(refusal.status).phrase,
        "detail": refusal.detail,
        "hint": refusal.hint,
        "request_id": id,
        "home": f"{root}/",
    }
    first = board.first.name
    context = {
        "page": page,
        "shell": bare_shell(board.title, board.environment, likes.theme),
        "url": lambda name, **query: url_for(root, name, first, query),
        "static": lambda name: root + asset_path(name),
    }
    text = render("error.html", context, Clockwork(datetime.now(UTC), likes.times))
    return HTMLResponse(text, refusal.status, refusal.headers)


def _place(board: Board, request: Request) -> Place:
    name = request.path_params.get("storage")
    if name is None:
        return board.first
    if name not in board.places:
        raise Refusal(
            404, "storage_not_found", f'There is no storage "{name}" here. There are: {", ".join(board.places)}.'
        )
    return board.places[name]
