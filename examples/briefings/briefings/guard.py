"""Who may do what.

There are no accounts: everybody may read and create.  Operators have a token, which a
browser asks for and a program sends as `Authorization: Bearer`.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from briefings import settings

LARGEST_BODY = 1_050_000  # a file of a megabyte, and the form around it


class Guard:
    """Refuses forms that another site has sent, and bodies that are too large, before anybody reads them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(HTTPConnection(scope)) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)


def _refusal(request: HTTPConnection) -> PlainTextResponse | None:
    if request.scope["method"] in ("GET", "HEAD"):
        return None
    origin, length = request.headers.get("origin"), request.headers.get("content-length", "0")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):  # programs send none, browsers always do
        return PlainTextResponse("This form was sent from another site, and was not accepted.\n", 403)
    if "transfer-encoding" in request.headers or int(length) > LARGEST_BODY:
        return PlainTextResponse("A body says its length, and has a megabyte at most.\n", 413)
    return None


def is_operator(request: HTTPConnection) -> bool:
    """Whether the token was sent.  Without ADMIN_TOKEN every developer is one, and in production nobody."""
    if not settings.admin_token:
        return settings.development
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    expected = settings.admin_token.encode()
    if scheme.lower() != "basic":
        return hmac.compare_digest(given.encode(), expected)
    try:
        return hmac.compare_digest(b64decode(given).partition(b":")[2], expected)
    except ValueError:
        return False


def refuse_strangers(request: HTTPConnection) -> None:
    """Raises 401, or 403 where there is no token that could be given."""
    if not is_operator(request):
        asking = {"WWW-Authenticate": 'Basic realm="Briefings"'} if settings.admin_token else {}
        raise HTTPException(401 if asking else 403, "This page is for operators: it takes the ADMIN_TOKEN.", asking)
