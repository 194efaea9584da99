"""How much memory this process holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["resident"]

_PAGES = Path("/proc/self/statm")


def resident() -> int | None:
    """Return how many bytes are in memory, or the most that ever were; None where the system tells neither."""
    if _PAGES.exists():
        return int(_PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    try:
        import resource
    except ModuleNotFoundError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
