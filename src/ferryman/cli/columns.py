"""A column of a table; apart from what draws it, whose library takes long to load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ferryman.cli.times import Times

__all__ = ["Column"]

T = TypeVar("T")


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column of a table: its title, and what stands in it for each thing."""

    title: str
    cell: Callable[[T, Times], str]
    right: bool = False
    wide: bool = False
    """Only with -o wide."""
    style: Callable[[str], str] | None = None
    """The colour of a cell, from its text."""
