"""Storages that have names: the settings file says them, and one of them is chosen.

    [storages.main]
    url = "redis://localhost:6379/0"

    [storages.billing]
    env = "BILLING_URL"          # the variable that holds its URL, for it has a password in it

The first is used unless another is said: `storage = "billing"` in the file, FERRYMAN_STORAGE, or `-s billing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple, Self

from ferryman.errors import ConfigError
from ferryman.settings_file import Said, SettingsFile

__all__ = ["Storages", "Url", "check_name", "in_words"]


class Url(NamedTuple):
    """Where a storage is, and where that was written; empty while a variable is not set."""

    text: str
    origin: str


@dataclass(frozen=True)
class Storages:
    """The storages of a settings file by their names, and where that file is."""

    urls: Mapping[str, Url]
    place: str

    @classmethod
    def read(cls, file: SettingsFile, environment: Mapping[str, str]) -> Self:
        """Find them in a settings file.  Raises ConfigError, which shows no URL."""
        tables, place = file.values.get("storages", {}), file.place
        if not isinstance(tables, Mapping):
            raise ConfigError(f"storages in {place} is no table. {_how('main')}")
        if tables and "url" in file.values:
            raise ConfigError(f"{place} has a url beside its storages. Give it a name too: [storages.main].")
        return cls({name: _url(name, table, place, environment) for name, table in tables.items()}, place)

    def first(self) -> Iterator[Said]:
        """Choose the one that is meant when nobody chooses."""
        name = next(iter(self.urls))
        yield "storage", name, f"the first in {self.place}"
        yield from self.chosen(name, "storage")

    def chosen(self, name: str, said: str) -> Iterator[Said]:
        """Give the URL of a storage; `said` is where its name was written.  Raises ConfigError where it has none."""
        if name not in self.urls:
            raise ConfigError(f'{said} is "{name}", and {self._instead(name)}')
        url = self.urls[name]
        if not url.text:
            raise ConfigError(f"The URL of the storage {name} is to be in {url.origin}, which is not set.")
        yield "url", url.text, url.origin

    def _instead(self, name: str) -> str:
        if not self.urls:
            where = f"{self.place} names none" if self.place else "there is no settings file that names storages"
            return f"{where}. {_how(name)}"
        near = get_close_matches(name, self.urls, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        return f"{self.place} names no such storage. {hint}There are: {', '.join(self.urls)}."


def _url(name: str, table: Any, place: str, environment: Mapping[str, str]) -> Url:
    check_name(name, f"A storage in {place}")
    match table:
        case {"url": str(text), **others} if text and not others:
            return Url(text, f"storages.{name}.url in {place}")
        case {"env": str(variable), **others} if variable and not others:
            return Url(environment.get(variable, ""), variable)
    raise ConfigError(f"storages.{name} in {place} is not a table with a url, or an env, alone. {_how(name)}")


def _how(name: str) -> str:
    return f'Write [storages.{name}], and below it url = "redis://localhost:6379/0".'


def check_name(name: str, what: str) -> None:
    """Refuse a name that could not stand in the address of a page.  Raises ConfigError."""
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise ConfigError(f'{what} is called "{name}". It takes letters, digits, - and _, as in addresses.')


def in_words(name: str, location: str) -> str:
    """Return where a storage is as people read it, its name first if it has one."""
    return f"{name} · {location}" if name else location
