"""SQLAlchemy, psycopg, asyncpg and SQLite, as their page tells: each enqueues in its own transaction."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages import DOCS, play
from servers import postgres

pytestmark = pytest.mark.slow


def test_what_the_page_shows_works(tmp_path: Path) -> None:
    with postgres().database() as url:
        play(DOCS / "integrations/sql.md", tmp_path, DATABASE_URL=url)
