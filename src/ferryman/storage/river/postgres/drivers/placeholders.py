"""Placeholders: our statements number theirs, and most drivers count percent signs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

__all__ = ["percent"]

_NUMBERED = re.compile(r"\$(\d+)")


def percent(text: str, values: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return a statement with %s for $1, and its values once for each place where they stand."""
    written, places = _percent(text)
    return written, tuple([values[place] for place in places])


@cache
def _percent(text: str) -> tuple[str, tuple[int, ...]]:
    places = tuple(int(number) - 1 for number in _NUMBERED.findall(text))
    return _NUMBERED.sub("%s", text.replace("%", "%%")), places
