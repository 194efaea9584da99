"""How much memory this process holds."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ferryman.errors import ConfigError

__all__ = ["resident"]

_PAGES = Path("/proc/self/statm")


def resident() -> int:
    """Return how many bytes are in memory; where only the most that ever were is known, that.

    Raises ConfigError where the system does not tell.
    """
    if _PAGES.exists():
        return int(_PAGES.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    try:
        import resource
    except ModuleNotFoundError:
        raise ConfigError(f"On {sys.platform} a process cannot tell how much memory it holds.") from None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
