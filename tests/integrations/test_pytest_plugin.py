"""The fixtures that we give to users' own tests, used in a folder of their own as a user does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from integrations.project import titled_blocks

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs/integrations/pytest.md"

ASYNC = """
import pytest
from shop import remind, sent, welcome

@pytest.mark.asyncio
async def test_async(ferryman_queue):
    await remind.enqueue(7)
    assert len(await ferryman_queue.drain()) == 2
    assert sent == ["again"]

@pytest.mark.asyncio
async def test_async_inline(ferryman_inline):
    sent.clear()
    await remind.enqueue(7)
    assert sent == ["again"]
"""

WRONG = """
from shop import welcome

def test_wrong(ferryman_queue):
    welcome.enqueue_sync(1, "Ada")
    ferryman_queue.assert_enqueued(welcome, args={"user_id": 2})

def test_nothing_is_left_of_another_test(ferryman_queue):
    ferryman_queue.assert_enqueued(welcome)
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The folder of the page, with its tests."""
    for name, text in titled_blocks(PAGE).items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run_pytest(folder: Path, *files: str) -> str:
    quiet = ["-q", "-W", "error", "-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function"]
    command = [sys.executable, "-m", "pytest", *quiet, *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def test_what_the_page_shows_works_and_so_do_async_tests(shop: Path) -> None:
    (shop / "test_async.py").write_text(ASYNC)
    said = run_pytest(shop)
    assert re.search(r"^8 passed", said, re.MULTILINE), said
    assert not (shop / "ferryman.db").exists()


def test_a_job_that_is_missing_is_told_together_with_those_that_are_there(shop: Path) -> None:
    (shop / "test_wrong.py").write_text(WRONG)
    said = run_pytest(shop, "test_wrong.py")
    assert "No mail:welcome with args {'user_id': 2} was enqueued. There are:" in said
    assert 'mail:welcome {"user_id":1,"name":"Ada"} (available, queue default)' in said
    assert "No mail:welcome was enqueued. There is no job at all." in said


def test_without_an_app_the_fixtures_say_how_to_name_it(shop: Path) -> None:
    (shop / "pyproject.toml").write_text("")
    assert 'Write ferryman_app = "app.main:jobs"' in run_pytest(shop, "test_shop.py")


def test_a_suite_that_does_not_use_it_pays_for_nothing() -> None:
    code = "import sys, pytest, ferryman.pytest_plugin; print([n for n in sys.modules if n.startswith('ferryman')])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "['ferryman', 'ferryman.pytest_plugin']\n"
