"""Write every _sync/ folder from its _async/ sibling.

Async code is written, sync code is generated and checked in: both read plainly, debug
plainly, and cannot drift, since `make check` runs this with --check.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = "# Generated from {source} by tools/unasync.py: change that file and run `make sync`.\n"

RULES: list[tuple[str, str]] = [
    (r"\basync def test_", "def test_"),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\basync_(\w+)", r"\1"),
    (r"\b_async\b", "_sync"),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\b__aiter__\b", "__iter__"),
    (r"\b__anext__\b", "__next__"),
    (r"\baclosing\b", "closing"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\baclose\b", "close"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"^import asyncio$", "import time"),
]


def to_sync(text: str, source: str) -> str:
    """Return the sync twin of one module's text, formatted as `ruff format` would."""
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--quiet",
        "--config",
        str(ROOT / "pyproject.toml"),
        "-",
    ]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return HEAD.format(source=source) + done.stdout


def twins() -> dict[Path, str]:
    """Return every generated file and what it should hold."""
    wanted = {}
    for folder in sorted({*(ROOT / "src").rglob("_async"), *(ROOT / "tests").rglob("_async")}):
        for source in sorted(folder.rglob("*.py")):
            target = folder.with_name("_sync") / source.relative_to(folder)
            wanted[target] = to_sync(source.read_text(), source.relative_to(ROOT).as_posix())
    return wanted


def main() -> int:
    wanted = twins()
    there = {file for part in ("src", "tests") for file in (ROOT / part).rglob("_sync/**/*.py")}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    orphans = sorted(there - set(wanted))
    if "--check" in sys.argv:
        for path in [*stale, *orphans]:
            print(f"{path.relative_to(ROOT)} is out of date: run `make sync`")
        return 1 if stale or orphans else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    for path in orphans:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
