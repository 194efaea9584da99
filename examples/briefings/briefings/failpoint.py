"""Moments at which the program dies when it is told to, as if the machine had lost its power.

For trying what becomes of the rest: `APP_FAILPOINT=after_commit`, in development only.
"""

from __future__ import annotations

import os
import signal

from briefings import settings


def reach(moment: str) -> None:
    """Die here, if that was asked for."""
    if settings.failpoint == moment:
        os.kill(os.getpid(), signal.SIGKILL)
