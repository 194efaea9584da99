"""Whether a change was asked for by our own page (spec/dashboard.md 3.5, CSRF).

No tokens in forms: they break when the dashboard is mounted in somebody else's
application.  Browsers say where a request comes from; programs that say nothing have to
bring a token of their own.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from ferryman.web.entrance.proxies import Proxies
from ferryman.web.refusals import Refusal

__all__ = ["require_own_page"]


def require_own_page(request: Request, proxies: Proxies) -> None:
    """Raise Refusal unless this request comes from our own page, or from a program that brings a token."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site == "same-origin" or (site == "none" and not _is_form(request)):
            return
        raise _foreign()
    origin = request.headers.get("origin")
    if origin is not None:
        said = urlsplit(origin)
        if (said.scheme, said.netloc) == (proxies.scheme(request), proxies.host(request)):
            return
        raise _foreign()
    if not request.headers.get("authorization", "").lower().startswith("bearer "):
        raise Refusal(
            403,
            "no_origin",
            "The request does not say which page it comes from, and nothing was changed.",
            hint="From a program: send Authorization: Bearer with a token.",
        )


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "")


def _foreign() -> Refusal:
    return Refusal(
        403,
        "foreign_origin",
        "The request comes from a page of another site, and nothing was changed.",
        hint="If a proxy is in front of the dashboard, name it in --trusted-proxy, so that its headers are believed.",
    )
