# Generated from src/ferryman/storage/river/_async/__init__.py by tools/unasync.py: change that file and run `make sync`.
"""River's format, async."""
