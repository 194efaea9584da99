"""Fixtures for the tests of programs that use ferryman; pytest finds them by itself once ferryman is installed.

    # pyproject.toml: [tool.pytest.ini_options] ferryman_app = "app.main:jobs"

    def test_a_new_customer_gets_a_mail(ferryman_queue):
        sign_up("ada@example.com")
        ferryman_queue.assert_enqueued("mail:welcome", args={"to": "ada@example.com"})

Nothing is imported before a test asks for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ferryman.app import Ferryman
    from ferryman.testing.harness import Harness


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting `ferryman_app`."""
    parser.addini("ferryman_app", "where the tests find the program's Ferryman, as MODULE:NAME", default="")


@pytest.fixture(scope="session")
def ferryman_app(pytestconfig: pytest.Config) -> Ferryman:
    """The program's Ferryman; define a fixture of this name where a setting cannot say it."""
    from ferryman.cli.loading import load_app

    name = pytestconfig.getini("ferryman_app")
    if not name:
        raise pytest.UsageError(
            'No app is named. Write ferryman_app = "app.main:jobs" under [tool.pytest.ini_options].'
        )
    return load_app(name)


@pytest.fixture
def ferryman_url(tmp_path: Path) -> str:
    """Where a test's jobs are kept: a new SQLite file, unless you define a fixture of this name."""
    return f"sqlite:///{tmp_path / 'ferryman.db'}?synchronous=normal"


@pytest.fixture
def ferryman_queue(ferryman_app: Ferryman, ferryman_url: str) -> Iterator[Harness]:
    """The jobs of this test: `assert_enqueued`, `drain`, `freeze` and `travel`."""
    from ferryman.testing.harness import Harness, kept_at

    with kept_at(ferryman_app, ferryman_url), Harness(ferryman_app).running() as harness:
        yield harness


@pytest.fixture
def ferryman_inline(ferryman_queue: Harness) -> Iterator[Harness]:
    """The same, and each job runs as soon as its task is enqueued."""
    with ferryman_queue.inline():
        yield ferryman_queue
