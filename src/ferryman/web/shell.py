"""What surrounds every page: names, storages, navigation, warnings (spec/dashboard.md 2.0.2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from ferryman import __version__
from ferryman.findings import Level
from ferryman.job import State
from ferryman.web.addresses import path_below
from ferryman.web.collector import Sight
from ferryman.web.entrance.access import Level as Role
from ferryman.web.formats import count
from ferryman.web.pages.parts import Note
from ferryman.web.reading import glimpse
from ferryman.web.visit import Visit

__all__ = ["SAID", "Entry", "Shell", "StorageChoice", "bare_shell", "shell"]

SAID = "ferryman_said"
"""The cookie in which an action's outcome travels to the page after it."""

_BANNERS = 2
_BELONGS = {"": "overview", "queue": "queues", "job": "jobs", "bulk": "jobs", "bulks": "jobs", "enqueue": "jobs"}
_WORDS = {
    Role.OPERATE: ("retry", "cancel", "discard", "bulk", "pause", "resume", "run"),
    Role.ADMIN: ("delete", "delete_queue", "enqueue"),
}
_TONES = {Level.ERROR: "bad", Level.WARNING: "warn"}


@dataclass(frozen=True)
class Entry:
    """A line of the navigation."""

    name: str
    label: str
    url: str
    current: bool
    badge: str = ""
    tone: str = ""


@dataclass(frozen=True)
class StorageChoice:
    """A storage in the header's list."""

    name: str
    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class Shell:
    """What surrounds a page."""

    title: str
    environment: str
    storages: tuple[StorageChoice, ...]
    storage: str
    nav: tuple[Entry, ...]
    banners: tuple[Note, ...]
    read_only: bool
    access: dict[str, object]
    can: frozenset[str]
    """What this person may do here; buttons for anything else are not drawn."""
    live: dict[str, object]
    theme: str
    density: str
    zone: str
    keys: bool
    footer: dict[str, object]
    search_url: str
    debug: bool
    path: str
    """The address of the page itself, for forms that come back to it."""
    said: Note | None = None
    kiosk: bool = False
    """For a screen on a wall: nothing to press."""


async def shell(visit: Visit) -> Shell:
    """Return what surrounds the page of a visit."""
    sight = await glimpse(visit)
    board, likes = visit.board, visit.likes
    return Shell(
        title=board.title,
        environment=board.environment,
        storages=tuple(
            StorageChoice(name, f"{name} · {place.format}", f"{visit.root}/s/{name}/", name == visit.place.name)
            for name, place in board.places.items()
        ),
        storage=visit.place.name,
        nav=_navigation(visit, sight),
        banners=_banners(visit, sight),
        read_only=board.read_only,
        access={"level": visit.access.level.word, "name": visit.access.name, "how": visit.access.how},
        can=_can(visit),
        live={"seconds": likes.live, "path": visit.address, "events": _events(visit)},
        theme=likes.theme,
        density=likes.density,
        zone=likes.zone,
        keys=likes.keys,
        footer={"version": __version__, "format": visit.place.format, "server": visit.place.location},
        search_url=visit.url("jobs"),
        debug=board.debug,
        path=visit.address,
        said=_said(visit.request.cookies.get(SAID, "")),
        kiosk=visit.query.get("kiosk") == "1",
    )


def bare_shell(title: str, environment: str, theme: str = "system") -> Shell:
    """Return what surrounds a page for somebody of whom nothing is known: no storage, no data."""
    return Shell(
        title=title, environment=environment, storages=(), storage="", nav=(), banners=(), read_only=False,
        access={"level": "none", "name": "", "how": ""}, can=frozenset(), live={"seconds": 0, "path": "", "events": ""},
        theme=theme, density="comfortable", zone="", keys=False,
        footer={"version": __version__, "format": "", "server": ""}, search_url="", debug=False, path="",
    )  # fmt: skip


def _events(visit: Visit) -> str:
    """Return where news is told at once; empty where it is not."""
    return f"{visit.root}/api/v1/s/{visit.place.name}/events" if visit.board.streams.most else ""


def _can(visit: Visit) -> frozenset[str]:
    always = {"log_out"} if visit.access.how == "session" else set()
    if visit.board.read_only:
        return frozenset(always)
    of_level = {word for level, words in _WORDS.items() if visit.access.level >= level for word in words}
    return frozenset(always | of_level | ({"reveal"} if visit.access.reveal else set()))


def _navigation(visit: Visit, sight: Sight) -> tuple[Entry, ...]:
    bad = sum(finding.level is Level.ERROR for finding in sight.findings.value)
    failed = sight.total(State.DISCARDED)
    badges = {
        "failed": (count(failed) if failed else "", "bad"),
        "workers": ("" if sight.workers.why else count(len(sight.workers.value)), ""),
        "storage": (f"!{bad}" if bad else "", "bad"),
    }
    names = ("overview", "queues", "jobs", "failed", "periodic", "workers", "storage")
    current = _current(path_below(visit.request))
    return tuple(
        Entry(name, name.capitalize(), visit.url(name), name == current, *badges.get(name, ("", ""))) for name in names
    )


def _current(path: str) -> str:
    """Return which entry of the navigation a page belongs to."""
    page = "/".join(path.split("/")[3:4])
    return _BELONGS.get(page, page) if path.startswith("/s/") else ""


def _banners(visit: Visit, sight: Sight) -> tuple[Note, ...]:
    found = []
    if visit.board.notice:
        found.append(Note("info", visit.board.notice))
    if not sight.reachable:
        found.append(Note("bad", f"The storage cannot be reached: {sight.queues.why}"))
    findings = sorted(sight.findings.value, key=lambda each: each.level is not Level.ERROR)
    wrong = [each for each in findings if each.level is Level.ERROR]
    found += [Note(_TONES[each.level], each.text, visit.url("storage")) for each in wrong[:_BANNERS]]
    if len(wrong) > _BANNERS:
        found.append(Note("bad", f"and {len(wrong) - _BANNERS} more", visit.url("storage")))
    return tuple(found)


def _said(cookie: str) -> Note | None:
    words = dict(parse_qsl(cookie))
    return Note(words.get("tone", "ok"), words["text"]) if words.get("text") else None
