# Generated from src/ferryman/client/_async/__init__.py by tools/unasync.py: change that file and run `make sync`.
"""Puts jobs in, async."""
