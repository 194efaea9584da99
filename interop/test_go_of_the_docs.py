"""What docs/sharing-with-go.md shows is done: its Go and its Python meet on one Redis, and on one Postgres."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pages import DOCS, blocks
from servers import Server, postgres, program, wait_until

HERE = Path(__file__).parent
PYTHON = [sys.executable]
FERRYMAN = [sys.executable, "-m", "ferryman"]


@pytest.fixture(scope="module")
def go() -> None:
    if shutil.which("go") is None:
        pytest.skip("there is no Go here")


class Together:
    """The page's files, with the address of a server of ours, in a folder where both languages run."""

    def __init__(self, folder: Path, was: str, now: str) -> None:
        self.folder = folder
        for block in blocks(DOCS / "sharing-with-go.md"):
            if block.language in ("go", "python"):
                path = folder / block.title
                path.parent.mkdir(exist_ok=True)
                path.write_text(block.text.replace(was, now))
        for name in ("go.mod", "go.sum"):
            shutil.copy(HERE / "go" / name, folder)

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def works(self, go: str, order: str, worker: str, *queues: str) -> None:
        """Go enqueues and we work; we enqueue and Go works."""
        self.run("gofmt", "-d", go)
        self.run("go", "build", "-o", "program", f"./{go}")
        said = self.folder / "said"
        with said.open("wb") as log, subprocess.Popen([self.folder / "program"], stdout=log, stderr=log) as process:
            try:
                self.run(*PYTHON, order)
                assert self.run(*FERRYMAN, "worker", worker, *queues, "--max-jobs", "1") == "Welcome aboard, Ada!\n"
                wait_until(lambda: "resizing /img/7.png to 640" in said.read_text(), said.read_text)
            finally:
                process.terminate()


def test_asynqs_side_of_the_page_works_with_ours(go: None, tmp_path: Path) -> None:
    server = Server(program()).start()
    try:
        together = Together(tmp_path, "127.0.0.1:6379", f"127.0.0.1:{server.port}")
        together.works("asynq", "order.py", "mail:jobs", "-Q", "python")
    finally:
        server.kill()


def test_rivers_side_of_the_page_works_with_ours(go: None, tmp_path: Path) -> None:
    with postgres().database() as database:
        together = Together(tmp_path, "postgres://postgres@127.0.0.1:5432/app", database)
        together.run(*FERRYMAN, "--url", database, "migrate", "up")
        together.works("river", "riverorder.py", "rivermail:jobs")
