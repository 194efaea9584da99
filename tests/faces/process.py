"""Runs `ferryman` as a process of its own, and waits for what it says."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

__all__ = ["Process"]

_PATIENCE = 60.0


class Process:
    """A running `ferryman …`, ended when the block does; what it says on stderr is read as it comes."""

    def __init__(self, *words: str, folder: Path, **environment: str) -> None:
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ferryman", *words],
            cwd=folder,
            env={**os.environ, "LOG_FORMAT": "text", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        assert self.process.stderr is not None
        self._reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in psutil.process_iter():
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                if os.getsid(each.pid) == self.process.pid:  # it, its children, and those that outlived it
                    each.kill()
        self.process.wait()
        self._reader.join(_PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def hear(self, pattern: str) -> re.Match[str]:
        """Wait for a line that matches, from where the last call stopped listening."""
        ends = time.monotonic() + _PATIENCE
        with suppress(queue.Empty):
            while (line := self._lines.get(timeout=max(ends - time.monotonic(), 0.001))) is not None:
                if match := re.search(pattern, line):
                    return match
        raise AssertionError(f"It did not say {pattern!r}. It said:\n{self.text}")

    def send(self, heard: signal.Signals) -> None:
        """Send a signal to this process alone."""
        self.process.send_signal(heard)

    def ended(self) -> int:
        """Wait until it has ended, and return its exit code."""
        code = self.process.wait(_PATIENCE)
        self._reader.join(_PATIENCE)
        return code

    @property
    def text(self) -> str:
        """Everything that it said on stderr so far."""
        return "".join(self.said)

    def _read(self, stderr: IO[str]) -> None:
        for line in stderr:
            self.said.append(line)
            self._lines.put(line)
        self._lines.put(None)
