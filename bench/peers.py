"""Measures other job queues for Python: each in an environment of its own, on the same server.

A peer is a script in `peers/redis` or `peers/postgres` whose first lines say what it needs (PEP 723).
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.roles import SLOTS

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / ".run" / "peers"

JOBS = 5_000
_PATIENCE = 90.0
_METADATA = re.compile(r"^# /// script\n(.*?)^# ///$", re.MULTILINE | re.DOTALL)


class Unavailable(Exception):
    """Somebody else cannot be measured here; says why in one line."""


def peers(server: str) -> dict[str, Path]:
    """Return the scripts for a server, by the names of what they measure."""
    return {path.stem.removesuffix("_peer"): path for path in sorted((HERE / "peers" / server).glob("*_peer.py"))}


def install(script: Path, python: str) -> Path:
    """Return an interpreter that has what a script needs.  Raises Unavailable."""
    home = ENVIRONMENTS / script.stem
    inside = home / "bin" / "python"
    if not (home / "ready").exists():
        needs = _needs(script)
        oldest = needs["requires-python"].removeprefix(">=")
        is_old = f"import sys; sys.exit(sys.version_info < ({oldest.replace('.', ',')}))"
        _run([python, "-c", is_old], f"it needs Python {oldest}: say where with --python")
        _run([python, "-m", "venv", "--clear", str(home)], "no environment could be made for it")
        _run([str(inside), "-m", "pip", "install", "--quiet", *needs["dependencies"]], "it could not be installed")
        (home / "ready").touch()
    return inside


def drain(script: Path, python: Path, url: str) -> dict[str, float]:
    """Enqueue in one process, drain in another.  Raises Unavailable."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        told = {"BENCH_URL": url, "BENCH_JOBS": str(JOBS), "BENCH_SLOTS": str(SLOTS), "BENCH_ANSWER": str(answer)}
        told["PYTHONPATH"] = str(HERE / "peers")  # what the peers share
        with (Path(folder) / "log").open("w+b") as log:
            how: dict[str, Any] = {"cwd": script.parent, "env": {**os.environ, **told}, "stdout": log, "stderr": log}
            if subprocess.run(_call(script, python, "enqueue"), timeout=_PATIENCE, **how).returncode:
                raise Unavailable(f"it could not enqueue: {_last_line(log.name)}")
            worker = subprocess.Popen(_call(script, python, "work"), start_new_session=True, **how)
            try:
                return {"drain, jobs/s": _read(answer, worker, log.name)}
            finally:
                _end(worker)


def _call(script: Path, python: Path, function: str) -> list[str]:
    # Imported rather than run: its tasks are then of the same name for whoever enqueues and for the worker.
    return [str(python), "-c", f"import {script.stem} as peer; peer.{function}()"]


def _needs(script: Path) -> dict[str, Any]:
    found = _METADATA.search(script.read_text())
    assert found is not None, f"{script} says nothing of what it needs"
    return tomllib.loads(found[1].replace("\n# ", "\n").removeprefix("# "))


def _run(command: list[str], refusal: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(" ".join([refusal, *done.stderr.splitlines()[-1:]]))


def _read(answer: Path, worker: subprocess.Popen[bytes], log: str) -> float:
    ends = time.monotonic() + _PATIENCE
    while not answer.exists() or not answer.read_text():
        if worker.poll() is not None or time.monotonic() > ends:
            raise Unavailable(f"its worker did not get to the end: {_last_line(log)}")
        time.sleep(0.05)
    return float(answer.read_text())


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End a worker with its children: none of them is to finish anything."""
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def _last_line(log: str) -> str:
    return (Path(log).read_text(errors="replace").splitlines() or ["it said nothing"])[-1]
