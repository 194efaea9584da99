"""Links from a job to the program's own pages about it, as the program gives them (spec/dashboard.md 1.3)."""

from __future__ import annotations

import logging
import re

from ferryman.job import Job
from ferryman.web.pages.parts import Link
from ferryman.web.visit import Visit

__all__ = ["links_of"]

_LOGGER = logging.getLogger("ferryman.dashboard")

# Browsers leave out white space before they look for a scheme, so an address has none anywhere.
_LEADS_SOMEWHERE = re.compile(r"(?:https?://|(?![^/?#]*:))[^\s\x00-\x1f\x7f]+", re.IGNORECASE)


def links_of(visit: Visit, job: Job) -> list[Link]:
    """Return what the program links a job to; nothing where it fails to say, or where that is no address of a page."""
    if visit.board.links is None or visit.place.redaction.hides_args_of(job.kind):
        return []
    try:
        return [_link(text, url) for text, url in visit.board.links(job)]
    except Exception:
        _LOGGER.exception("the links of job %s of kind %s cannot be shown", job.ref, job.kind)
        return []


def _link(text: str, url: str) -> Link:
    if not _LEADS_SOMEWHERE.fullmatch(url):
        raise ValueError(f'"{url}" is not the address of a page. It begins with https:// or http://, or is relative.')
    return Link(text, url)
