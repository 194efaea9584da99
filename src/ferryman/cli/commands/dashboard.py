"""`ferryman dashboard`: the pages, served by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ferryman.cli.completing import complete_storages
from ferryman.cli.grammar import command
from ferryman.cli.session import Session
from ferryman.errors import ConfigError

if TYPE_CHECKING:
    from ferryman.app import Ferryman
    from ferryman.web.entrance.standing import Standing, Wanted

__all__ = ["VARIABLE", "dashboard", "wanted_in_environment"]

F = TypeVar("F", bound=Callable[..., Any])

VARIABLE = "FERRYMAN_DASHBOARD_"
"""What the variables begin with that say what options say."""
_ALONE = "main"
_STREAMS = 200
"""To so many browsers news is told at once; the others ask for it."""
"""What a storage without a name is called in addresses."""


def _option(*names: str, **declared: Any) -> Callable[[F], F]:
    """Return an option that can be said in the environment too: --port as FERRYMAN_DASHBOARD_PORT."""
    name = names[-1].removeprefix("--").replace("-", "_")
    return click.option(*names, envvar=VARIABLE + name.upper(), **declared)


@command(
    "dashboard",
    endless=True,
    examples=[
        "ferryman dashboard",
        "ferryman dashboard --read-only --open",
        "ferryman dashboard --host 0.0.0.0 --users users.txt --title Orders --environment production",
        "ferryman dashboard -s main -s billing",
        "ferryman dashboard -s billing=postgres://db/app",
        "ferryman dashboard --hash-password",
    ],
)
@_option("--host", default="127.0.0.1", show_default=True, metavar="ADDR", help="The address to answer on.")
@_option("--port", type=click.IntRange(0, 65_535), default=8081, show_default=True, metavar="N", help="The port.")
@_option("--socket", default="", metavar="PATH", help="A Unix socket to answer on instead, for this user alone.")
@_option("--auth", default="", metavar="HOW", help="none, basic, token, proxy, or none-i-have-a-proxy.")
@_option("--users", multiple=True, metavar="FILE", help="People who may log in, a line each: name:hash:role.")
@_option("--tokens", multiple=True, metavar="FILE", help="Tokens that open it, a line each: name:token:role.")
@_option("--trusted-proxy", "trusted_proxies", multiple=True, metavar="CIDR", help="Believe this proxy's headers.")
@_option("--role", "roles", multiple=True, metavar="GROUP=ROLE", help="What a proxy's group may: view, operate, admin.")
@_option("--allowed-host", "allowed_hosts", multiple=True, metavar="HOST", help="Also answer to this host.")
@_option(
    "-s",
    "--storage",
    "storages",
    multiple=True,
    metavar="NAME[=URL]",
    shell_complete=complete_storages,
    help="Show this storage of the settings file alone, or the one at this URL too; may be said several times.",
)
@_option("--root-path", "root_path", default="", metavar="PATH", help="Where a proxy shows it, such as /jobs.")
@_option("--hide-args", "hide_args", multiple=True, metavar="KIND", help="Hide what such jobs carry, as in payment:*.")
@_option("--read-only", is_flag=True, help="Refuse every change.")
@_option("--title", default="", metavar="TEXT", help="What it is called.")
@_option("--environment", default="", metavar="NAME", help="A badge in its header; production is red.")
@_option("--secret", default="", metavar="TEXT", help="Keeps people logged in when it is started anew.")
@_option("--debug", is_flag=True, help="Say more about what goes wrong.")
@click.option("--open", "browse", is_flag=True, help="Open it in a browser.")
@click.option("--hash-password", is_flag=True, help="Ask for a password, write what stands for it in --users, and end.")
@click.pass_obj
def dashboard(session: Session, /, hash_password: bool, browse: bool, **said: Any) -> int:
    """Serve the dashboard, until told to stop.

    It shows every storage that the settings file names, side by side.  Without a login it answers this machine
    alone.  Each option can be said in the environment too, as
    FERRYMAN_DASHBOARD_HOST and so on.
    """
    if hash_password:
        return _hash()
    from ferryman.web.entrance.standing import standing

    wanted = _wanted(said)
    return _serve(session, wanted, standing(wanted), said, browse=browse)


def wanted_in_environment() -> Wanted:
    """Return what the environment alone says of where to listen and who may come in.  Raises UsageError."""
    return _wanted(dashboard.make_context("dashboard", [], obj=Session()).params)


def _wanted(said: Mapping[str, Any]) -> Wanted:
    from ferryman.web.entrance.standing import Wanted

    return Wanted(
        host=said["host"], port=said["port"], socket=said["socket"], auth=said["auth"], users=said["users"],
        tokens=said["tokens"], proxies=_split(said["trusted_proxies"]), roles=_split(said["roles"]),
        hosts=_split(said["allowed_hosts"]), secret=said["secret"], development=said["environment"] == "development",
        root_path=said["root_path"],
    )  # fmt: skip


def _serve(session: Session, wanted: Wanted, found: Standing, said: dict[str, Any], *, browse: bool) -> int:
    from ferryman.cli.pages import serve
    from ferryman.web import Dashboard

    storages = _storages(session, said["storages"])
    for jobs in storages.values():
        jobs.override(hide_args=(*jobs.settings.hide_args, *_split(said["hide_args"])))
    app = Dashboard(
        storages,
        auth=found.way,
        read_only=said["read_only"],
        title=said["title"],
        environment=said["environment"],
        trusted_proxies=wanted.proxies,
        allowed_hosts=found.hosts,
        notice=found.notice,
        debug=said["debug"],
        streams=_STREAMS,
    )
    if found.warning:
        session.note(found.warning)
    return serve(app, wanted, within=session.within, note=session.note, browse=browse)


def _storages(session: Session, said: Sequence[str]) -> dict[str, Ferryman]:
    """Return what to show by its name: what was chosen or else all that have names, and what has its URL here."""
    from ferryman.app import Ferryman

    chosen = [text for text in said if "=" not in text]
    session.storage = chosen[0] if chosen else session.storage
    session.refuse_two_places()
    storages = {session.jobs.settings.storage or _ALONE: session.jobs}
    for name in chosen or _unchosen(session):
        storages.setdefault(name, session.named(name))
    for name, url in (text.split("=", 1) for text in said if "=" in text):
        if not url or name in storages:
            raise ConfigError(
                f'--storage is "{name}={url}". It takes a name of its own and a URL, such as billing=postgres://db/app.'
            )
        storages[name] = Ferryman(url, config=session.config_file)
    return storages


def _unchosen(session: Session) -> Iterable[str]:
    """Return the storages that the settings file names, unless it is said which one is meant."""
    loaded = session.jobs.loaded
    said = session.storage is not None or loaded.origin("storage") == "FERRYMAN_STORAGE"
    return loaded.storages.urls if loaded.settings.storage and not said else ()


def _hash() -> int:
    from ferryman.web.entrance.users import password_hash

    password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    click.echo(password_hash(password))
    return 0


def _split(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.strip() for text in given for part in text.split(",") if part.strip())
