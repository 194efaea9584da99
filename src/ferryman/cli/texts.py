"""Refuses words that are no text: a shell hands over any bytes, and no storage keeps a name of such.

The name of a file, and what a job carries, may be any bytes.
"""

from __future__ import annotations

from collections.abc import Iterable

import click

from ferryman.utf8 import is_text

__all__ = ["only_text"]

_ANY_BYTES = ("FILE", "PATH", "JSON", "BYTES", "[ARGS]")


def only_text(context: click.Context, parameters: Iterable[click.Parameter]) -> None:
    """Raise BadParameter for a word that is no UTF-8."""
    for each in parameters:
        said = context.params.get(each.name or "")
        for word in said if isinstance(said, tuple) else (said,):
            if isinstance(word, str) and each.metavar not in _ANY_BYTES and not is_text(word):
                raise click.BadParameter(f"{word!a} is not text in UTF-8.", context, each)
