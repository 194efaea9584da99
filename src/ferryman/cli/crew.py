"""How several worker processes are, from the heartbeat files that they write for their supervisor.

One address answers for all of them, and only the supervisor has it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from ferryman.health.pages import OK, Answer
from ferryman.health.vitals import Health
from ferryman.metrics.page import LACKS_PACKAGE, SHARED

__all__ = ["Crew"]

_DEAD_AFTER = 60.0


class Crew:
    """The processes, by number; their files are in `folder`."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self.loop_at = time.monotonic()
        self.environment = {SHARED: str(folder)}
        """What the processes are told so that their numbers can be put together."""

    def words(self, number: int) -> tuple[str, str]:
        """Return what to add to the command line of a process."""
        return "--heartbeat-file", str(self._file(number))

    def turn(self) -> None:
        """Say that the supervisor's event loop turns."""
        self.loop_at = time.monotonic()

    def look(self) -> Health:
        """Say how they are together: as well as the worst of them."""
        there = list(self._there())
        loop_age = time.monotonic() - self.loop_at
        all_there = len(there) == self.count
        return Health(
            live=loop_age < _DEAD_AFTER and all(each.live for each in there),
            started=all_there and all(each.started for each in there),
            ready=all_there and all(each.ready for each in there),
            status=next((each.status for each in there if each.status != "active"), "active" if there else "starting"),
            loop_age=round(max([loop_age, *(each.loop_age for each in there)]), 3),
            fetch_age=max((each.fetch_age for each in there if each.fetch_age is not None), default=None),
            storage=next((each.storage for each in there if each.storage != "answers"), "answers"),
            running=sum(each.running for each in there),
        )

    def numbers(self) -> Answer:
        """Put together what the processes counted."""
        try:
            from prometheus_client import CollectorRegistry
            from prometheus_client.multiprocess import MultiProcessCollector

            from ferryman.metrics.written import written
        except ModuleNotFoundError:
            return LACKS_PACKAGE
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(self.folder))  # type: ignore[no-untyped-call]
        return Answer(OK, *written(registry))

    def _there(self) -> Iterator[Health]:
        """Read the files; a process that is just being started anew has none."""
        for number in range(1, self.count + 1):
            with suppress(FileNotFoundError):
                file = self._file(number)
                said = msgspec.json.decode(file.read_bytes(), type=Health)
                age = time.time() - file.stat().st_mtime
                yield msgspec.structs.replace(said, live=said.live and age < _DEAD_AFTER)

    def _file(self, number: int) -> Path:
        return self.folder / f"{number}.alive"
