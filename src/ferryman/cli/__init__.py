"""The command line: each command parses, makes one call of the admin API or the client, and shows the answer."""

from __future__ import annotations

from ferryman.cli.root import cli as main

__all__ = ["main"]
