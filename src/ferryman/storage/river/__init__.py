"""River's format, on Postgres and SQLite."""
