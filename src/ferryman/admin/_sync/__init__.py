# Generated from src/ferryman/admin/_async/__init__.py by tools/unasync.py: change that file and run `make sync`.
"""Looks at everything, acts on anything, async."""
