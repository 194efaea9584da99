"""Settings, which are kept in the browser, and what this is (spec/dashboard.md 2.11)."""

from __future__ import annotations

import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from zoneinfo import available_timezones

from starlette.responses import Response

from ferryman import __version__
from ferryman.errors import FerrymanError
from ferryman.web import replies
from ferryman.web.preferences import COOKIE
from ferryman.web.sharing import within_time
from ferryman.web.visit import Visit

__all__ = ["keep", "page", "settings"]

_YEAR = 365 * 86_400


@dataclass(frozen=True)
class Settings:
    """The page of what can be set."""

    theme: str
    density: str
    zone: str
    zone_error: str
    zones: Sequence[str]
    live: int
    size: int
    args: bool
    keys: bool


@dataclass(frozen=True)
class Vendored:
    """Somebody else's file that comes with ours."""

    name: str
    version: str
    licence: str
    licence_file: str
    sha256: str


@dataclass(frozen=True)
class Ability:
    """Something that a storage can do, or cannot."""

    text: str
    able: bool


@dataclass(frozen=True)
class Facts:
    """Names and values, under a heading."""

    title: str
    rows: Sequence[tuple[str, str]]
    text: str = ""


@dataclass(frozen=True)
class About:
    """The page of what this is."""

    facts: Sequence[Facts]
    abilities: Sequence[Ability]
    vendored: Sequence[Vendored]


async def settings(visit: Visit) -> Response:
    """Show what can be set."""
    likes = visit.likes
    shown = Settings(
        theme=likes.theme,
        density=likes.density,
        zone=likes.zone,
        zone_error="",
        zones=sorted(available_timezones()),
        live=likes.live,
        size=likes.size,
        args=likes.args,
        keys=likes.keys,
    )
    return await replies.page(visit, "settings.html", shown)


async def keep(visit: Visit) -> Response:
    """Keep what was set in the browser; what the form does not name stays."""
    form = await visit.form()
    said: Mapping[str, str] = {name: str(form.getlist(name)[-1]) for name in form}
    likes = visit.likes.changed(said)
    back = visit.within(said.get("back", ""), visit.url("settings"))
    response = replies.back(visit, "", back) if "back" in said else replies.back(visit, "Kept in this browser.", back)
    response.set_cookie(COOKIE, likes.cookie(), max_age=_YEAR, path=visit.root or "/", samesite="strict")
    return response


async def page(visit: Visit) -> Response:
    """Show what this is, and what it can do here."""
    shown = About(facts=list(_facts(visit)), abilities=await _abilities(visit), vendored=_vendored())
    return await replies.page(visit, "about.html", shown)


def _facts(visit: Visit) -> Iterator[Facts]:
    place, access = visit.place, visit.access
    yield Facts(
        "Versions",
        [
            ("ferryman", __version__),
            ("Python", platform.python_version()),
            ("Format", place.format),
            ("Storage", place.location),
        ],
    )
    rights = "looks, and changes nothing: it is read-only here" if visit.board.read_only else access.level.word
    yield Facts(
        "Your access", [("Name", access.name or "nobody in particular"), ("Role", rights), ("Because of", access.how)]
    )
    yield Facts(
        "Hidden values",
        [
            ("Names with", ", ".join(place.redaction.names)),
            ("Arguments of", ", ".join(place.redaction.hide_args) or "no kind as a whole"),
        ],
        "Beside these, whatever looks like a token, a key, or a password in a URL is hidden wherever it stands.",
    )
    yield Facts(
        "Addresses",
        [
            ("API", f"{visit.root}/api/v1/openapi.json"),
            ("Alive", f"{visit.root}/-/livez"),
            ("Ready", f"{visit.root}/-/readyz"),
        ],
    )


async def _abilities(visit: Visit) -> list[Ability]:
    try:
        known = await within_time(visit.place.admin.capabilities())
    except (FerrymanError, TimeoutError):
        return []
    return [Ability(each.words, each.able) for each in known.items]


def _vendored() -> list[Vendored]:
    read = tomllib.loads((files("ferryman.web") / "static" / "vendor" / "VENDOR.toml").read_text("utf-8"))
    return [
        Vendored(package["name"], package["version"], package["licence"], _licence(package["file"]), file["sha256"])
        for package in read["package"]
        for file in package["file"]
        if "LICENSE" not in file["to"]
    ]


def _licence(names: Sequence[Mapping[str, str]]) -> str:
    return next(each["to"] for each in names if "LICENSE" in each["to"])
