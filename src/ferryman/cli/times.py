"""Times, as people write and read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from ferryman.duration import parse_duration
from ferryman.errors import ConfigError

__all__ = ["Times", "about"]

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


@dataclass(frozen=True)
class Times:
    """Reads and shows times in one zone; None is the zone of this machine."""

    zone: tzinfo | None
    now: datetime

    @classmethod
    def in_zone(cls, name: str | None) -> Times:
        """Return the times of a zone by its name.  Raises ConfigError when there is none."""
        now = datetime.now(UTC)
        if name is None or name == "local":
            return cls(None, now)
        try:
            return cls(ZoneInfo(name), now)
        except (KeyError, ValueError, OSError):
            raise ConfigError(
                f'There is no time zone "{name}". It takes local, UTC, or a name such as Europe/Berlin.'
            ) from None

    def read(self, text: str, option: str) -> datetime:
        """Read a time such as 2026-11-22T08:00; without an offset it is in our zone.  Raises ConfigError."""
        try:
            read = datetime.fromisoformat(text.strip())
            in_zone = read.replace(tzinfo=self.zone) if read.tzinfo is None and self.zone else read
            return in_zone.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ConfigError(
                f'{option} is "{text}". It takes a time such as 2026-11-22T08:00, or 2026-11-22T08:00Z for UTC.'
            ) from None

    def since(self, text: str, option: str) -> datetime:
        """Read a time, or a length of time before now, such as 24h.  Raises ConfigError."""
        try:
            return self.now - parse_duration(text)
        except ConfigError:
            return self.read(text, option)
        except OverflowError:
            raise ConfigError(f'{option} is "{text}", which is before the first year there is.') from None

    def length(self, text: str, option: str) -> timedelta:
        """Read a length of time such as 10m.  Raises ConfigError."""
        try:
            return parse_duration(text)
        except ConfigError as error:
            raise ConfigError(f"{option} is wrong. {error}") from error

    def clock(self, at: datetime | None) -> str:
        """Show a time to the second."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S}" if at else ""

    def ago(self, at: datetime | None) -> str:
        """Show how far a time is from now: "3m ago", "in 5m"."""
        if at is None:
            return ""
        passed = self.now - at
        return f"{about(passed)} ago" if passed >= timedelta() else f"in {about(-passed)}"

    def both(self, at: datetime | None) -> str:
        """Show a time, and how far it is from now."""
        return f"{self.clock(at)} ({self.ago(at)})" if at else ""


def about(length: timedelta) -> str:
    """Show a length of time in its largest unit."""
    seconds = int(length.total_seconds())
    unit, size = next((pair for pair in _UNITS if seconds >= pair[1]), _UNITS[-1])
    return f"{seconds // size}{unit}"
