"""Runs `ferryman` on a terminal of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

__all__ = ["FERRYMAN", "on_a_terminal"]

FERRYMAN = [sys.executable, "-m", "ferryman"]


def on_a_terminal(
    *words: str, answer: str = "", after: str = "", columns: int = 60, **environment: str
) -> tuple[int, str]:
    """Run a command line on a terminal of this width; return its exit code and what the terminal got.

    The answer is typed at once, or when `after` has been shown.
    """
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm", **environment}
    process = subprocess.Popen([*FERRYMAN, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    if answer and not after:
        os.write(ours, answer.encode())
    shown = b""
    try:
        while chunk := os.read(ours, 65_536):
            shown += chunk
            if after and after.encode() in shown:
                os.write(ours, answer.encode())
                after = ""
    except OSError:
        pass  # how a terminal says that nobody holds its other end any more
    os.close(ours)
    return process.wait(), shown.decode().replace("\r\n", "\n")
