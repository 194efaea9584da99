"""An adapter process, spoken to as River's harness does: one request on a line, one answer on a line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

__all__ = ["Adapter", "Refused", "wait_for"]

_PATIENCE = 120.0
_EXIT_WITHIN = 30.0


class Refused(Exception):
    """An answer with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Adapter:
    """One process; `environment` names its database."""

    def __init__(self, environment: dict[str, str], name: str, errors: Path) -> None:
        self.name = name
        self._errors = errors.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ferryman.testing.river_adapter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **environment, "RIVER_CONFORMANCE_APPLICATION_NAME": name},
        )
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        self._number = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda **params: self.call(method, params)

    def call(self, method: str, params: Any = None) -> Any:
        """Ask, and return the result.  Raises Refused."""
        self._number += 1
        answer = self.send({"id": self._number, "jsonrpc": "2.0", "method": method, "params": params or {}})
        assert answer["id"] == self._number
        return self._result(answer)

    def send(self, request: Any) -> Any:
        """Send one line, JSON or bytes, and return the answer as it came."""
        self.begin(request)
        return self.end()

    def begin(self, request: Any) -> None:
        """Send one line, and do not wait."""
        line = request if isinstance(request, bytes) else json.dumps(request).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def end(self, within: float = _PATIENCE) -> Any:
        """Return the answer to the line that was sent."""
        try:
            line = self._answers.get(timeout=within)
        except Empty:
            raise TimeoutError(f"{self.name} did not answer within {within} s") from None
        assert line, f"{self.name} ended"
        return json.loads(line)

    def start_call(self, method: str, **params: Any) -> Callable[[float], Any]:
        """Ask, and return how to wait for the result."""
        self._number += 1
        self.begin({"id": self._number, "jsonrpc": "2.0", "method": method, "params": params})
        return lambda within: self._result(self.end(within))

    def insert_one(self, message: str = "", behavior: str = "", duration_ms: int = 0, **opts: Any) -> Any:
        """Insert one job and return it."""
        job = {"behavior": behavior, "duration_ms": duration_ms, "message": message}
        if opts:
            job["opts"] = opts
        return self.insert(jobs=[job])["results"][0]["job"]

    def listed(self, id: int) -> Any:
        """Return one job as it is listed."""
        (job,) = self.list(ids=[id])["jobs"]
        return job

    def events(self) -> list[str]:
        found: list[str] = self.stats()["events"]
        return found

    def close(self) -> int:
        """Close standard input, and return the exit status, which must come in time."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            return self.process.wait(_EXIT_WITHIN)
        finally:
            self.kill()

    def kill(self) -> None:
        """End the process as an accident would."""
        assert self.process.stdin is not None
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        self.process.stdin.close()
        self._errors.close()

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as answers:
            for line in answers:
                self._answers.put(line)
        self._answers.put(b"")

    @staticmethod
    def _result(answer: Any) -> Any:
        if "error" in answer:
            raise Refused(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]


def wait_for(true: Callable[[], Any], what: str, within: float = 15.0) -> Any:
    """Wait until a condition holds, and return what it gave."""
    ends = time.monotonic() + within
    while not (found := true()):
        assert time.monotonic() < ends, f"waited {within} s for {what}"
        time.sleep(0.01)
    return found
