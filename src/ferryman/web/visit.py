"""One request that was let in: who, which storage, how they like it, and how to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ferryman.redaction import Redaction
from ferryman.web.addresses import asked_for, root_of, url_for
from ferryman.web.audit import Audit
from ferryman.web.board import Board
from ferryman.web.changes import Changes
from ferryman.web.entrance.access import Access, Level
from ferryman.web.forms import read_form
from ferryman.web.places import Place
from ferryman.web.preferences import Preferences
from ferryman.web.rendering import Clockwork, render
from ferryman.web.shell import SAID, shell

__all__ = ["Visit"]

_BODY = 1 << 20
_FIELDS = 2_000


@dataclass
class Visit:
    """One request."""

    request: Request
    board: Board
    access: Access
    place: Place
    id: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def likes(self) -> Preferences:
        """What this person likes."""
        return Preferences.of_cookie(self.request.cookies.get("ferryman_settings", ""))

    @property
    def query(self) -> Any:
        """What stands in the address behind the question mark."""
        return self.request.query_params

    @property
    def hides(self) -> Redaction | None:
        """What is hidden from this person; None from one who may see everything."""
        return None if self.access.reveal else self.place.redaction

    def may(self, level: Level) -> bool:
        """Whether this person may do here what takes this level."""
        return self.access.level >= level and not self.board.read_only

    @property
    def changes(self) -> Changes:
        """What this person may change here."""
        place = self.place
        return Changes(place.jobs, place.bulks, self.access, self.audit, read_only=self.board.read_only)

    @property
    def audit(self) -> Audit:
        """Writes who did what."""
        client = self.board.door.proxies.client(self.request)
        return Audit(self.access, client, self.place.name, self.id, self.place.redaction)

    def url(self, name: str, /, **query: object) -> str:
        """Return the address of a page or an action in this storage."""
        return url_for(self.root, name, self.place.name, query)

    @property
    def root(self) -> str:
        """Where the dashboard is mounted."""
        return root_of(self.request, self.board.door.proxies)

    @property
    def address(self) -> str:
        """The address of this page itself."""
        return asked_for(self.request, self.board.door.proxies)

    async def form(self) -> FormData:
        """Return what a form says.  Raises Refusal when it is too long, or is none."""
        return await read_form(self.request, longest=_BODY, most=_FIELDS)

    def unchanged(self, *facts: object) -> bool:
        """Whether the browser has the page already that these facts, and what the person likes, make."""
        return self._tag(facts) == self.request.headers.get("if-none-match")

    def _tag(self, facts: tuple[object, ...]) -> str:
        cookie = self.request.cookies.get("ferryman_settings", "")
        text = repr((facts, str(self.request.url), cookie, self.access.level, self.request.cookies.get(SAID)))
        return f'W/"{sha256(text.encode()).hexdigest()[:20]}"'

    async def page(self, template: str, page: object, *facts: object, status: int = 200) -> Response:
        """Answer with a page.  While the `facts` that it is made of stay, the browser need not load it again."""
        context = {"page": page, "shell": await shell(self), "url": self.url, "static": self._static}
        text = render(template, context, Clockwork(self.now, self.likes.times))
        response = HTMLResponse(text, status)
        if facts:
            response.headers["ETag"] = self._tag(facts)
        if SAID in self.request.cookies:
            response.delete_cookie(SAID, path=self.root or "/")
        return response

    def same(self) -> Response:
        """Answer that nothing has changed."""
        return Response(status_code=304, headers={"ETag": self.request.headers["if-none-match"]})

    def back(self, said: str, to: str | None = None, *, tone: str = "ok") -> Response:
        """Answer a form: go to a page, which says what was done."""
        response = RedirectResponse(to or self.url("overview"), 303)
        if not said:
            return response
        words = urlencode({"tone": tone, "text": said[:500]})
        response.set_cookie(SAID, words, max_age=20, path=self.root or "/", httponly=True, samesite="strict")
        return response

    def within(self, path: str, otherwise: str) -> str:
        """Return an address that a form gave, if it is one of ours."""
        ours = path.startswith(f"{self.root}/") and path[len(self.root) : len(self.root) + 2] != "//"
        ours = ours and not set(path) & set("\\\r\n\t ")
        return path if ours else otherwise

    def _static(self, name: str) -> str:
        from ferryman.web.assets import asset_path

        return self.root + asset_path(name)
