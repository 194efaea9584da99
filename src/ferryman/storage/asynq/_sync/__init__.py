# Generated from src/ferryman/storage/asynq/_async/__init__.py by tools/unasync.py: change that file and run `make sync`.
"""asynq's format, async."""
