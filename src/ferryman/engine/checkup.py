"""Says at the start what is wrong with the storage: a worker's log is read before a disaster, and doctor after it."""

from __future__ import annotations

from dataclasses import dataclass

from ferryman.errors import StorageError
from ferryman.events import EventBus, ProblemFound
from ferryman.findings import Level
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Retention

__all__ = ["Checkup"]


@dataclass(frozen=True)
class Checkup:
    storage: AsyncStorage
    production: bool
    keep: Retention
    events: EventBus

    async def run(self) -> None:
        """Look once, and publish what is not in order."""
        try:
            findings = await self.storage.health.check(production=self.production, keep=self.keep)
        except StorageError:
            return  # a storage that is away is reported by whoever needs it
        for finding in findings:
            if finding.level is not Level.OK:
                self.events.publish(ProblemFound(finding))
