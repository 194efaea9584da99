"""The shapes that several pages show: links, tabs, fields, pages of a list, and why there is nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Act", "Choice", "Condition", "Empty", "Field", "Form", "Link", "Note", "Pager", "Tab"]


@dataclass(frozen=True)
class Link:
    """A link; `current` where it leads to what is shown already."""

    label: str
    url: str
    current: bool = False


@dataclass(frozen=True)
class Tab:
    """A link with a number; a count of None is not known, for a `reason`."""

    label: str
    url: str
    current: bool
    count: int | None
    tone: str = ""
    reason: str = ""
    capped: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """A field of a form."""

    name: str
    label: str
    value: str = ""
    placeholder: str = ""
    choices: Sequence[Choice] = ()
    suggestions: Sequence[str] = ()
    disabled: str = ""
    error: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Form:
    """The fields that narrow a list."""

    fields: Sequence[Field]
    more: Sequence[Field] = ()
    more_open: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)
    clear_url: str = ""


@dataclass(frozen=True)
class Pager:
    """Where a list goes on."""

    text: str = ""
    newer: str = ""
    older: str = ""
    newer_label: str = ""
    older_label: str = ""


@dataclass(frozen=True)
class Empty:
    """Why there is nothing, and what to do next."""

    title: str
    text: str = ""
    command: str = ""
    links: Sequence[Link] = ()


@dataclass(frozen=True)
class Act:
    """Something that can be done; with a `question` it is asked first, and with a `reason` it cannot be done now."""

    action: str
    label: str
    question: str = ""
    text: str = ""
    yes: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Condition:
    """How a queue or a worker is, in a word."""

    word: str
    tone: str
    note: str = ""


@dataclass(frozen=True)
class Note:
    """A sentence that stands out."""

    tone: str
    text: str
    url: str = ""
    link: str = ""
