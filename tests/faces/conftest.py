"""A folder of one's own with an app in it, the command line to run there, and jobs that are there already."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faces.slow import Gate
from faces.there import There
from faces.typed import Typed

OURS = ("FERRYMAN_", "LOG_", "REDIS_URL", "DATABASE_URL", "APP_ENV", "NO_COLOR", "COLUMNS", "TZ")

APP = '''
"""An app with a task of each sort."""
from ferryman import Ferryman

jobs = Ferryman()

@jobs.task("mail:send", retries=3, timeout="5m", queue="mail")
async def send(to: str, copies: int = 1) -> None: ...

@jobs.every("1h")
@jobs.task("report", run="thread")
def report() -> None: ...

unused = {}
'''


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> Iterator[None]:
    """Let children hear Ctrl-C: what a shell starts with `&` ignores it, and so would all that it starts in turn."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory: empty but for the app, with nothing of ours in the environment."""
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no settings of ours"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "shop.py").write_text(APP)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def ferryman() -> Typed:
    """Run a command line: `ferryman("job list")`."""
    return Typed()


@pytest.fixture
def there(folder: Path) -> Iterator[There]:
    """Jobs in the folder's own database, made without the command line."""
    with There(f"sqlite:///{folder}/ferryman.db?synchronous=normal") as there:
        yield there


@pytest.fixture
def gate(folder: Path) -> Iterator[Gate]:
    """A gate that the patient job waits at."""
    gate = Gate(folder)
    yield gate
    gate.open()
