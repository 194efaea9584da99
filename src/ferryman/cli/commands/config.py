"""`ferryman config show`: every setting with where its value came from."""

from __future__ import annotations

from dataclasses import fields

import click

from ferryman.cli.grammar import Group
from ferryman.cli.output import Column, Listing, Row, show
from ferryman.cli.session import Session
from ferryman.redaction import without_password
from ferryman.settings import Settings

__all__ = ["config"]


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{name}:{weight}" for name, weight in value.items())
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


VALUES = Listing[Row](
    lambda setting: setting,
    lambda setting: str(setting["name"]),
    (
        Column("SETTING", lambda setting, times: setting["name"]),
        Column("VALUE", lambda setting, times: _text(setting["value"])),
        Column(
            "FROM", lambda setting, times: setting["origin"], style=lambda text: "" if text == "default" else "cyan"
        ),
    ),
)


@click.group("config", cls=Group)
def config() -> None:
    """Look at the settings."""


@config.command("show", examples=["ferryman config show", "ferryman config show --app app.main:jobs --json"])
@click.pass_obj
def show_(session: Session) -> None:
    """Show every setting, and where its value came from.  Times are in seconds; nothing is connected."""
    loaded = session.jobs.loaded
    given = {field.name: getattr(loaded.settings, field.name) for field in fields(Settings)}
    given["url"] = _shown(session, given["url"])
    rows = [{"name": name, "value": value, "origin": _whence(session, name)} for name, value in given.items()]
    rows += [
        {"name": f"storages.{name}", "value": _shown(session, url.text), "origin": url.origin}
        for name, url in loaded.storages.urls.items()
    ]
    show(session, VALUES, rows)


def _shown(session: Session, url: str) -> str:
    return url if session.show_secrets else without_password(url)


def _whence(session: Session, name: str) -> str:
    """Say where a setting came from: the flag, or the app where its own arguments say so."""
    if name == "url":
        return session.origin
    if name == "storage" and session.storage is not None:
        return "-s"
    origin = session.jobs.loaded.origin(name)
    return session.app_name or origin if origin == "argument" else origin
