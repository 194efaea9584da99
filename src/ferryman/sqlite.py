"""The SQLite library that jobs are kept with, for a program that opens the same file.

Two of them in one process drop each other's locks, so a program whose own tables are in that file
opens it with this one: `library().connect("app.db")`, or SQLAlchemy's
`create_engine("sqlite:///app.db", module=library())`.
"""

from __future__ import annotations

from ferryman.storage.river.sqlite.library import library

__all__ = ["library"]
