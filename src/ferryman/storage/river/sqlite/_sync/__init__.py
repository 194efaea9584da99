# Generated from src/ferryman/storage/river/sqlite/_async/__init__.py by tools/unasync.py: change that file and run `make sync`.
"""Connections to Postgres, written async; the sync twin is generated."""
