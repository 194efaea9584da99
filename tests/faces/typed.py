"""Runs command lines as they are typed, inside this process."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from ferryman.cli.root import cli

__all__ = ["Answer", "Typed"]


@dataclass(frozen=True)
class Answer:
    """What a command line left: its exit code, what it wrote, and what it complained of."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The envelope on stdout."""
        return json.loads(self.out)

    @property
    def data(self) -> Any:
        """What the envelope holds."""
        return self.json["data"]

    @property
    def error(self) -> Any:
        """The error that stands as JSON on stderr."""
        return json.loads(self.err)["error"]

    @property
    def lines(self) -> list[str]:
        """What stands on stdout, line by line."""
        return self.out.splitlines()


class Typed:
    """Types a command line: one string as in a shell, or its words."""

    def __call__(self, *words: str, stdin: str | None = None) -> Answer:
        args = shlex.split(words[0]) if len(words) == 1 else list(words)
        result = CliRunner().invoke(cli, args, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)
