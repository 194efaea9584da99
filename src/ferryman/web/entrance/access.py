"""Who may do what on the dashboard: four levels, what each change needs, and the refusal where it is not there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ferryman.errors import ConfigError
from ferryman.storage.values import Action
from ferryman.web.refusals import Refusal

__all__ = ["NOBODY", "Access", "Level", "needed", "require", "require_changes"]


class Level(IntEnum):
    """What somebody may do; each includes those before it."""

    NONE = 0
    VIEW = 1
    OPERATE = 2
    """Retry, cancel, run now, pause and resume."""
    ADMIN = 3
    """Also discard many, delete and enqueue."""

    @property
    def word(self) -> str:
        """The level as people write it."""
        return self.name.lower()

    @classmethod
    def read(cls, word: str) -> Level:
        """Read a level.  Raises ConfigError when there is none of this name."""
        try:
            return cls[word.strip().upper()]
        except KeyError:
            raise ConfigError(f'There is no role "{word}". It is one of: view, operate, admin.') from None


@dataclass(frozen=True, slots=True)
class Access:
    """Somebody, what they may do, and how we know who they are."""

    level: Level
    name: str = ""
    how: str = ""
    reveal: bool = False
    """Whether they may see what is hidden as a secret; asked for apart, and every look is logged."""


NOBODY = Access(Level.NONE)


def needed(action: Action, many: bool = False) -> Level:
    """Return what an action on a job needs, or on many that a filter means."""
    if action is Action.DELETE or (many and action is Action.DISCARD):
        return Level.ADMIN
    return Level.OPERATE


def require_changes(read_only: bool) -> None:
    """Raise Refusal where nothing may be changed."""
    if read_only:
        raise Refusal(403, "read_only", "The dashboard is read-only here: nothing was changed.")


def require(level: Level, access: Access) -> None:
    """Raise Refusal unless this access is enough."""
    if access.level < level:
        raise Refusal(
            403,
            "role",
            f"This takes the role {level.word}; yours is {access.level.word}. Nothing was changed.",
        )
