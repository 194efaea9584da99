"""One request that was let in: who, which storage, and how they like it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request

from ferryman.redaction import Redaction
from ferryman.web.addresses import asked_for, root_of, url_for
from ferryman.web.audit import Audit
from ferryman.web.board import Board
from ferryman.web.changes import Changes
from ferryman.web.entrance.access import Access, Level
from ferryman.web.forms import read_form
from ferryman.web.places import Place
from ferryman.web.preferences import Preferences

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
        board = self.board
        return Changes(place.jobs, place.bulks, self.access, self.audit, board.deeds, read_only=board.read_only)

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

    def within(self, path: str, otherwise: str) -> str:
        """Return an address that a form gave, if it is one of ours."""
        ours = path.startswith(f"{self.root}/") and path[len(self.root) : len(self.root) + 2] != "//"
        ours = ours and not set(path) & set("\\\r\n\t ")
        return path if ours else otherwise
