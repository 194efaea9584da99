"""Builds and starts the Go programs that are measured beside us: those in `interop/go/bench`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from bench.peers import Unavailable

__all__ = ["build", "start"]

_HOME = Path(__file__).parent.parent


def build(package: str) -> Path:
    """Build a program, such as `./bench/river`.  Raises Unavailable without Go or its modules."""
    if shutil.which("go") is None:
        raise Unavailable("there is no go here")
    program = _HOME / ".run" / f"{package.removeprefix('./').replace('/', '-')}"
    built = subprocess.run(
        ["go", "build", "-o", program, package], cwd=_HOME / "interop" / "go", capture_output=True, text=True
    )
    if built.returncode:
        raise Unavailable((built.stderr.splitlines() or ["go build failed"])[-1])
    return program


def start(program: Path, measure: str, url: str, **said: int) -> subprocess.Popen[str]:
    """Start a program that is built; it prints its answer last."""
    told = {f"BENCH_{name.upper()}": str(value) for name, value in said.items()}
    env = {**os.environ, "BENCH_URL": url, **told}
    return subprocess.Popen([program, measure], env=env, stdout=subprocess.PIPE, text=True)
