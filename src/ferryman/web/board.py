"""What is said of a dashboard once and holds for every request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ferryman.job import Job
from ferryman.web.deeds import Deeds
from ferryman.web.entrance.door import Door
from ferryman.web.places import Place
from ferryman.web.streams import Streams

__all__ = ["Board", "Formatter", "Links"]

Formatter = Callable[[str, bytes], str | None]
"""Returns how the arguments of a kind read best, or None to leave them as they are; secrets are hidden in them."""

Links = Callable[[Job], Iterable[tuple[str, str]]]
"""Returns where else a job is told of: a text and an address for each place; secrets are hidden in the job."""


@dataclass(frozen=True)
class Board:
    """A dashboard's storages, its door, and its looks."""

    places: Mapping[str, Place]
    door: Door
    title: str = "ferryman"
    environment: str = ""
    read_only: bool = False
    debug: bool = False
    notice: str = ""
    """What every page says at its top, such as that nobody has to log in here."""
    formatter: Formatter | None = None
    links: Links | None = None
    deeds: Deeds = field(default_factory=Deeds)
    streams: Streams = field(default_factory=lambda: Streams(0))

    @property
    def first(self) -> Place:
        """The storage that is shown when none is chosen."""
        return next(iter(self.places.values()))
