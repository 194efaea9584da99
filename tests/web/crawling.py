"""Follows every link and form of a dashboard, wherever it is mounted."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx

__all__ = ["Crawl", "crawl"]

Ask = Callable[[str, str], Awaitable[httpx.Response]]
"""Ask with a method for an address."""


class _Links(HTMLParser):
    """What a page leads to: addresses to get, and addresses to post to."""

    def __init__(self) -> None:
        super().__init__()
        self.get: set[str] = set()
        self.post: set[str] = set()
        self._form = ""
        self._fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("method") == "post":
            self.post.add(said["action"])
        elif tag == "form":
            self._form, self._fields = said["action"], []
        elif tag == "input" and said.get("type") == "hidden":
            self._fields.append((said["name"], said["value"]))
        for name in ("href", "src", "hx-get"):
            if name in said and not said[name].startswith("#"):
                self.get.add(said[name])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form:
            self.get.add(f"{self._form}?{urlencode(self._fields)}")
            self._form = ""


class Crawl:
    """What was found on the way."""

    def __init__(self) -> None:
        self.answers: dict[str, int] = {}
        self.posted: dict[str, httpx.Response] = {}


async def crawl(ask: Ask, start: str) -> Crawl:
    """Follow all that can be followed from `start`; of pages that differ in words alone, the first."""
    found, waiting, seen = Crawl(), deque([start]), {_shape(start)}
    while waiting:
        address = waiting.popleft()
        answer = await ask("GET", address)
        found.answers[address] = answer.status_code
        links = _Links()
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            links.feed(answer.text)
        if "Location" in answer.headers:
            links.get.add(answer.headers["Location"])
        for link in sorted(links.get):
            whole = urljoin(address, link)
            if _shape(whole) not in seen:
                seen.add(_shape(whole))
                waiting.append(whole)
        for action in sorted({urljoin(address, each) for each in links.post} - found.posted.keys()):
            found.posted[action] = await ask("POST", action)
    return found


def _shape(address: str) -> tuple[str, tuple[str, ...]]:
    parts = urlsplit(address)
    return parts.path, tuple(sorted(name for name, _ in parse_qsl(parts.query)))
