"""From a request to its answer: the door, the page, what is said when either refuses, and everybody's headers."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ferryman.web import replies
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

_TITLES = {
    "job_not_found": "This job is not stored",
    "queue_not_found": "There is no such queue",
    "group_not_found": "No job fails like this any more",
    "schedule_not_found": "There is no such schedule",
    "not_found": "There is no such page",
    "storage_unavailable": "The storage cannot be reached",
    "out_of_time": "That took too long",
    "bad_filter": "That filter cannot be read",
    "read_only": "Nothing can be changed here",
    "bug": "Something went wrong here",
}
"""What a page says above why there is none; the rest is called as HTTP calls it."""

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
            visit = Visit(request, board, access, _place(board, request), id)
        except Exception as error:
            response = refused(board, request, error, id)
        else:
            response = await _answered(visit, endpoint)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def refused(board: Board, request: Request, error: Exception, id: str = "") -> Response:
    """Return what is said when a request is not answered with what it asks for."""
    return _told(board, request, _refusal(request, error, id), id)


async def _answered(visit: Visit, endpoint: Endpoint) -> Response:
    """Return what an endpoint answers; who was let in is told what goes wrong on a page that leads to all others."""
    try:
        return await endpoint(visit)
    except Exception as error:
        refusal = _refusal(visit.request, error, visit.id)
    if not _asked_by_program(visit.request):
        with suppress(Exception):  # what surrounds every page may be what went wrong
            return await _told_inside(visit, refusal)
    return _told(visit.board, visit.request, refusal, visit.id)


async def _told_inside(visit: Visit, refusal: Refusal) -> Response:
    again = visit.request.method == "GET" and refusal.status >= 503
    message = _message(refusal, visit.url("overview"), visit.id, again=again)
    response = await replies.page(visit, "error.html", message, status=refusal.status)
    response.headers.update(refusal.headers)
    return response


def _told(board: Board, request: Request, refusal: Refusal, id: str) -> Response:
    if _asked_by_program(request):
        return _problem(refusal, id)
    root = root_of(request, board.door.proxies)
    if refusal.code == "login" and request.method == "GET":
        return RedirectResponse(url_for(root, "login", "", {"next": asked_for(request, board.door.proxies)}), 303)
    return _error_page(board, request, refusal, root, id)


def _asked_by_program(request: Request) -> bool:
    return path_below(request).startswith(("/api/", "/-/"))


def _refusal(request: Request, error: Exception, id: str) -> Refusal:
    refusal = refusal_for(error)
    if refusal.code == "bug":
        _LOGGER.error("request %s failed: %s %s", id, request.method, request.url.path, exc_info=error)
    return refusal


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
    first = board.first.name
    context = {
        "page": _message(refusal, f"{root}/", id, again=False),
        "shell": bare_shell(board.title, board.environment, likes.theme),
        "url": lambda name, **query: url_for(root, name, first, query),
        "static": lambda name: root + asset_path(name),
    }
    text = render("error.html", context, Clockwork(datetime.now(UTC), likes.times))
    return HTMLResponse(text, refusal.status, refusal.headers)


def _message(refusal: Refusal, home: str, id: str, *, again: bool) -> dict[str, object]:
    """Return what a page says in place of another; `again` where it is to be asked for until it is there."""
    return {
        "status": refusal.status,
        "title": _TITLES.get(refusal.code) or HTTPStatus(refusal.status).phrase,
        "detail": refusal.detail,
        "hint": refusal.hint,
        "request_id": id,
        "home": home,
        "again": again,
    }


def _place(board: Board, request: Request) -> Place:
    name = request.path_params.get("storage")
    if name is None:
        return board.first
    if name not in board.places:
        raise Refusal(
            404, "storage_not_found", f'There is no storage "{name}" here. There are: {", ".join(board.places)}.'
        )
    return board.places[name]
