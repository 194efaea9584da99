"""How a visit is answered: with a page, with "nothing has changed", or by going on to another page."""

from __future__ import annotations

from functools import partial
from hashlib import sha256
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from ferryman.web.assets import asset_path
from ferryman.web.rendering import Clockwork, render
from ferryman.web.shell import SAID, shell
from ferryman.web.visit import Visit

__all__ = ["back", "page", "same", "unchanged"]


def unchanged(visit: Visit, *facts: object) -> bool:
    """Whether the browser has the page already that these facts, and what the person likes, make."""
    return _tag(visit, facts) == visit.request.headers.get("if-none-match")


def _tag(visit: Visit, facts: tuple[object, ...]) -> str:
    cookie = visit.request.cookies.get("ferryman_settings", "")
    text = repr((facts, str(visit.request.url), cookie, visit.access.level, visit.request.cookies.get(SAID)))
    return f'W/"{sha256(text.encode()).hexdigest()[:20]}"'


async def page(visit: Visit, template: str, page: object, *facts: object, status: int = 200) -> Response:
    """Answer with a page.  While the `facts` that it is made of stay, the browser need not load it again."""
    context = {"page": page, "shell": await shell(visit), "url": visit.url, "static": partial(_static, visit)}
    text = render(template, context, Clockwork(visit.now, visit.likes.times))
    response = HTMLResponse(text, status)
    if facts:
        response.headers["ETag"] = _tag(visit, facts)
    if SAID in visit.request.cookies:
        response.delete_cookie(SAID, path=visit.root or "/")
    return response


def same(visit: Visit) -> Response:
    """Answer that nothing has changed."""
    return Response(status_code=304, headers={"ETag": visit.request.headers["if-none-match"]})


def back(visit: Visit, said: str, to: str | None = None, *, tone: str = "ok") -> Response:
    """Answer a form: go to a page, which says what was done."""
    response = RedirectResponse(to or visit.url("overview"), 303)
    if not said:
        return response
    words = urlencode({"tone": tone, "text": said[:500]})
    response.set_cookie(SAID, words, max_age=20, path=visit.root or "/", httponly=True, samesite="strict")
    return response


def _static(visit: Visit, name: str) -> str:
    return visit.root + asset_path(name)
