# Generated from tests/storage/_async/__init__.py by tools/unasync.py: change that file and run `make sync`.
"""The conformance suite: a file per part and verb, run on every storage."""
