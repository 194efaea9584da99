"""What a person likes, kept in a cookie of their browser: theme, time zone, how often to refresh, rows a page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

import msgspec

__all__ = ["COOKIE", "Preferences"]

COOKIE = "ferryman_settings"

Theme = Literal["system", "light", "dark"]
Density = Literal["comfortable", "compact"]
LIVE = (0, 2, 5, 10, 30, 60)
SIZES = (20, 50, 100, 200)


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """What a person likes.  `live` is in seconds, 0 is paused; an empty `zone` is the browser's own."""

    theme: Theme = "system"
    density: Density = "comfortable"
    zone: str = ""
    live: int = 5
    size: int = 50
    args: bool = True
    """Whether lists show arguments."""
    keys: bool = False
    """Whether single letters are shortcuts."""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Preferences:
        """Read what a form or a cookie says; what is not known is as if it were not there."""
        theme, density = given.get("theme", ""), given.get("density", "")
        return cls(
            theme=theme if theme in get_args(Theme) else "system",  # type: ignore[arg-type]
            density=density if density in get_args(Density) else "comfortable",  # type: ignore[arg-type]
            zone=given.get("zone", "") if _zone(given.get("zone", "")) else "",
            live=_one_of(given.get("live", ""), LIVE, 5),
            size=_one_of(given.get("size", ""), SIZES, 50),
            args=given.get("args", "on") == "on",
            keys=given.get("keys") == "on",
        )

    @classmethod
    def of_cookie(cls, cookie: str) -> Preferences:
        """Read the cookie."""
        return cls.read(dict(parse_qsl(cookie)))

    def changed(self, said: Mapping[str, str]) -> Preferences:
        """Return these with what a form says changed; what it does not name stays."""
        return Preferences.read({**self._words(), **said})

    def cookie(self) -> str:
        """Return what is kept in the browser."""
        return urlencode(self._words())

    def _words(self) -> dict[str, str]:
        return {
            "theme": self.theme,
            "density": self.density,
            "zone": self.zone,
            "live": str(self.live),
            "size": str(self.size),
            "args": "on" if self.args else "off",
            "keys": "on" if self.keys else "off",
        }

    @property
    def times(self) -> tzinfo:
        """The zone that the server writes times in; a browser with scripts shows its own when none is chosen."""
        return _zone(self.zone) or UTC


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


def _one_of(text: str, allowed: tuple[int, ...], otherwise: int) -> int:
    return next((each for each in allowed if str(each) == text), otherwise)
