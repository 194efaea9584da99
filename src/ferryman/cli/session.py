"""What was said for every command alike: which storage, which app, how to show the answer."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING

import click

from ferryman.cli.failures import Refused
from ferryman.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from ferryman.admin._sync.admin import Admin
    from ferryman.app import Ferryman
    from ferryman.cli.times import Times
    from ferryman.redaction import Redaction

__all__ = ["FORMATS", "Session"]

FORMATS = ("table", "wide", "json", "jsonl", "ids")


class Session:
    """One run of the command line.  None means that nothing was said; then the environment may have."""

    def __init__(self, *, json_errors: bool = False) -> None:
        self.json_errors = json_errors
        self.url: str | None = None
        self.storage: str | None = None
        self.app: str | None = None
        self.config: str | None = None
        self.output: str | None = None
        self.tz: str | None = None
        self.within: float | None = None
        self.yes = False
        self.quiet = False
        self.plain = False
        self.show_secrets = False
        self.no_progress = False
        self.schema: str | None = None
        """In which schema of the database, if it is not the URL that says so."""

    def refuse_two_places(self) -> None:
        """Raise UsageError where a storage was named and a URL given as well."""
        if self.url is not None and self.storage is not None:
            raise click.UsageError("--url and -s both say where jobs are kept. Say one of them.")

    @property
    def format(self) -> str:
        """How to show data.  Raises ConfigError when FERRYMAN_OUTPUT names no format."""
        if self.output is not None:
            return self.output
        chosen = os.environ.get("FERRYMAN_OUTPUT") or "table"
        if chosen not in FORMATS:
            raise ConfigError(f'FERRYMAN_OUTPUT is "{chosen}". It takes {", ".join(FORMATS)}.')
        return chosen

    @property
    def color(self) -> bool | None:
        """False when colour was declined; None leaves it to whether we write to a terminal."""
        return False if self.plain or os.environ.get("NO_COLOR") else None

    @property
    def shows_progress(self) -> bool:
        """Whether a line that changes may show how far it is: not with --no-progress or -q, nor where CI is set."""
        return not (self.no_progress or self.quiet or os.environ.get("CI"))

    @property
    def app_name(self) -> str | None:
        """Where the app is, as MODULE:NAME, if anybody said."""
        return self.app or os.environ.get("FERRYMAN_APP") or None

    @property
    def config_file(self) -> Path | None:
        """The settings file that was named, if one was."""
        from pathlib import Path

        named = self.config or os.environ.get("FERRYMAN_CONFIG")
        return Path(named) if named else None

    @cached_property
    def jobs(self) -> Ferryman:
        """The app, or without one a Ferryman that knows no tasks.  Raises ConfigError."""
        if self.app_name is None:
            return self.bare()
        from ferryman.cli.loading import load_app

        return self._steered(load_app(self.app_name))

    def bare(self) -> Ferryman:
        """Return a Ferryman with the settings alone."""
        from ferryman.app import Ferryman

        return self._steered(Ferryman())

    def named(self, name: str) -> Ferryman:
        """Return a Ferryman with the settings alone, for the storage of this name.  Raises ConfigError."""
        from ferryman.app import Ferryman

        return Ferryman(storage=name, config=self.config_file)

    def _steered(self, jobs: Ferryman) -> Ferryman:
        if self.url is not None:
            from ferryman.connect import connect

            connect(self.url, "--url")  # only to hear now, and by its right name, what is wrong with it
        jobs.override(url=self.url, storage=self.storage, config=self.config_file)
        if self.schema is not None:
            from ferryman.cli.migrations import with_schema

            jobs.override(url=with_schema(jobs.settings.url, self.schema))
        return jobs

    @property
    def redaction(self) -> Redaction | None:
        """What is hidden; None with --show-secrets.  Raises ConfigError."""
        return None if self.show_secrets else self.jobs.redaction

    def safe(self, text: str) -> str:
        """Return what went wrong as it may be said, also where the settings themselves are what is wrong."""
        from ferryman.redaction import USUAL

        try:
            redaction = self.jobs.redaction if "jobs" in self.__dict__ else USUAL
        except ConfigError:
            redaction = USUAL
        return redaction.text(text)

    @property
    def admin(self) -> Admin:
        """The admin API, for code that is not async."""
        return self.jobs.sync.admin

    @property
    def origin(self) -> str:
        """Where the storage's URL came from: a flag, a variable, a file, the app, or nobody."""
        if self.url is not None:
            return "--url"
        origin = self.jobs.loaded.origin("url")
        return (self.app_name or origin) if origin == "argument" else origin

    @property
    def location(self) -> str:
        """Where jobs are kept, without a password; also where that cannot be reached, or is no URL."""
        from ferryman.redaction import without_password

        return without_password(self.url or self.jobs.settings.url)

    @property
    def place(self) -> str:
        """Where jobs are kept, for people: after the storage's name if it has one."""
        from ferryman.named import in_words

        return self.location if self.url else in_words(self.jobs.settings.storage, self.location)

    def to_type(self, line: str) -> str:
        """Return a line of ours for people to copy, such that it means the storage that they named here."""
        return f"{line} -s {self.storage}" if self.storage and line.startswith("ferryman ") else line

    @cached_property
    def times(self) -> Times:
        """How to read and to show times.  Raises ConfigError for a zone that does not exist."""
        from ferryman.cli.times import Times

        return Times.in_zone(self.tz)

    @cached_property
    def actor(self) -> str:
        """Who changes something, for the log."""
        import getpass

        try:
            return getpass.getuser()
        except (OSError, KeyError):
            return "cli"

    def note(self, text: str) -> None:
        """Say something that is not data, on stderr."""
        if not self.quiet:
            click.echo(text, err=True, color=self.color)

    def confirm(self, question: str) -> None:
        """Ask a person before something that cannot be undone.  Raises Refused when it is not confirmed."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise Refused(f"{question} Nobody is here to answer, and nothing was changed.", hint="To confirm: --yes")
        if not click.confirm(question, err=True):
            raise Refused("Not confirmed, and nothing was changed.")

    def close(self) -> None:
        """Close what was opened."""
        if "jobs" in self.__dict__:
            import asyncio

            asyncio.run(self.jobs.close())
