"""Logging in and out."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ferryman.web.addresses import root_of, url_for
from ferryman.web.assets import asset_path
from ferryman.web.audit import Audit
from ferryman.web.board import Board
from ferryman.web.entrance.access import NOBODY, Access
from ferryman.web.entrance.logins import COOKIE
from ferryman.web.entrance.origins import require_own_page
from ferryman.web.entrance.sessions import LIFETIME
from ferryman.web.forms import read_form
from ferryman.web.refusals import Refusal
from ferryman.web.rendering import Clockwork, render
from ferryman.web.shell import bare_shell

__all__ = ["log_in", "log_out", "show_form"]

_LONGEST = 64 << 10


async def show_form(board: Board, request: Request, error: str = "", status: int = 200) -> Response:
    """Answer with the form, or go on where nobody has to log in."""
    board.door.require_host(request)
    root = root_of(request, board.door.proxies)
    if not board.door.way.form:
        return RedirectResponse(f"{root}/", 303)
    page = {"error": error, "next": request.query_params.get("next", "")}
    context = {
        "page": page,
        "shell": bare_shell(board.title, board.environment),
        "url": lambda name, **query: url_for(root, name, board.first.name, query),
        "static": lambda name: root + asset_path(name),
    }
    text = render("login.html", context, Clockwork(datetime.now(UTC)))
    return HTMLResponse(text, status, {"Cache-Control": "no-store"})


async def log_in(board: Board, request: Request) -> Response:
    """Take a name and a password, or a token alone; go to the page that was asked for."""
    form = await read_form(request, longest=_LONGEST, most=10)
    name, password, token = (str(form.get(field, "")) for field in ("name", "password", "token"))
    audit = _audit(board, request, Access(NOBODY.level, name))
    try:
        access, cookie = await board.door.log_in(request, name, password or token)
    except Refusal as refusal:
        audit.write("login", [name], "", [refusal.code])
        if refusal.status != 401:
            raise
        return await show_form(board, request, refusal.detail, status=401)
    _audit(board, request, access).write("login", [access.name], "", ["done"])
    return _entered(board, request, cookie, str(form.get("next", "")))


async def log_out(board: Board, request: Request) -> Response:
    """End the session."""
    board.door.require_host(request)
    require_own_page(request, board.door.proxies)
    board.door.way.leave(request.cookies.get(COOKIE, ""))
    root = root_of(request, board.door.proxies)
    response = RedirectResponse(f"{root}/login", 303)
    response.delete_cookie(COOKIE, path=root or "/")
    return response


def _entered(board: Board, request: Request, cookie: str, wanted: str) -> Response:
    root = root_of(request, board.door.proxies)
    ours = wanted.startswith(f"{root}/s/") and not set(wanted) & set("\\\r\n\t ")
    response = RedirectResponse(wanted if ours else f"{root}/", 303)
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=LIFETIME,
        path=root or "/",
        secure=board.door.proxies.scheme(request) == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _audit(board: Board, request: Request, access: Access) -> Audit:
    return Audit(access, board.door.proxies.client(request), "", "")
