# Generated from src/ferryman/storage/_async/__init__.py by tools/unasync.py: change that file and run `make sync`.
"""The seam, async."""
