"""`manage.py ferryman …`: ferryman's own command line, with the project's tasks and settings."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand

from ferryman.cli.root import cli

__all__ = ["Command"]

_APP = "ferryman.django:jobs"


class Command(BaseCommand):
    """Hands everything on: `manage.py ferryman worker --processes 4`."""

    help = "Run workers, look at jobs and act on them: manage.py ferryman --help."
    requires_system_checks: Sequence[str] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Take the words as they are: options are ferryman's, not Django's."""
        _run(argv[2:], f"{os.path.basename(argv[0])} {argv[1]}")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take everything, for `call_command("ferryman", "worker", "--burst")`."""
        parser.add_argument("words", nargs=argparse.REMAINDER)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Leave options alone that look like Django's."""
        return super().create_parser(prog_name, subcommand, prefix_chars="\0", add_help=False, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run one command.  Raises SystemExit with its exit code unless that is 0."""
        try:
            _run([*args, *options.get("words", ())], "ferryman")
        except SystemExit as end:
            if end.code:
                raise


def _run(words: Sequence[str], name: str) -> None:
    os.environ.setdefault("FERRYMAN_APP", _APP)
    sys.stdout.flush()
    cli.main(list(words), prog_name=name)
