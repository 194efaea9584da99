"""Who changed what: one line for each change and each look at what is hidden, on the logger `ferryman.audit`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from ferryman.redaction import USUAL, Redaction
from ferryman.web.entrance.access import Access

__all__ = ["Audit"]

_LOGGER = logging.getLogger("ferryman.audit")
_NAMED = 20


@dataclass(frozen=True)
class Audit:
    """Writes lines for one request."""

    access: Access
    address: str
    storage: str
    request_id: str
    redaction: Redaction = USUAL

    def write(self, action: str, targets: Sequence[str], reason: str = "", outcomes: Sequence[str] = ()) -> None:
        """Write a line: who, from where, what, with which jobs or queues, why, and how it ended."""
        line = {
            "action": action,
            "actor": self.access.name,
            "how": self.access.how,
            "address": self.address,
            "storage": self.storage,
            "targets": [self.redaction.text(target) for target in targets[:_NAMED]],
            "count": len(targets),
            "outcomes": dict(Counter(outcomes)),
            "reason": self.redaction.text(reason),
            "request_id": self.request_id,
        }
        _LOGGER.info(msgspec.json.encode(line).decode(), extra={"audit": line})
