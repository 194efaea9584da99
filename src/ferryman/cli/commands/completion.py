"""`ferryman completion`: teaches a shell our commands, options, queues and kinds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from ferryman.cli.grammar import command
from ferryman.cli.output import Listing, Row, show
from ferryman.cli.session import Session
from ferryman.cli.times import Times
from ferryman.errors import ConfigError

__all__ = ["completion"]

_VARIABLE = "_FERRYMAN_COMPLETE"
_BASH = r"""
_ferryman_completion() {
    # Words as people see them.  Bash splits them at colons too, which kinds and URLs have, and expects
    # to hear only what comes behind the last one.
    local line="${COMP_LINE:0:COMP_POINT}" words kept="" type value
    IFS=$' \t\n' read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local last=$((${#words[@]} - 1))
    [[ $COMP_WORDBREAKS == *:* && ${words[last]} == *:* ]] && kept="${words[last]%:*}:"
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"$kept"}") ;;
        esac
    done < <(COMP_WORDS="${words[*]}" COMP_CWORD=$last _FERRYMAN_COMPLETE=bash_complete "$1")
}
complete -o nosort -F _ferryman_completion ferryman
"""
_PLACES = {"bash": ".bashrc", "zsh": ".zshrc", "fish": ".config/fish/completions/ferryman.fish"}


def _lines(script: Row, times: Times) -> Iterator[str]:
    yield from script["script"].splitlines()


SCRIPT = Listing[Row](lambda script: script, lambda script: str(script["shell"]), lines=_lines)


@command(
    "completion",
    examples=[
        "ferryman completion bash --install",
        "ferryman completion zsh",
        "ferryman completion fish",
    ],
)
@click.argument("shell", type=click.Choice(sorted(_PLACES)))
@click.option("--install", is_flag=True, help="Have the shell load it whenever it starts.")
@click.pass_obj
def completion(session: Session, /, shell: str, install: bool) -> None:
    """Write a script that completes our commands, options, queues and kinds; load it with eval."""
    if install:
        _install(session, shell)
    else:
        show(session, SCRIPT, [{"shell": shell, "script": _script(shell)}])


def _script(shell: str) -> str:
    from ferryman.cli.root import cli

    if shell == "bash":
        return _BASH.strip()
    made = get_completion_class(shell)
    assert made is not None
    return made(cli, {}, "ferryman", _VARIABLE).source()


def _install(session: Session, shell: str) -> None:
    file = Path.home() / _PLACES[shell]
    line = f'eval "$(ferryman completion {shell})"'
    try:
        if shell == "fish":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(_script(shell))
        elif file.exists() and line in file.read_text():
            session.note(f"{file} loads it already.")
            return
        else:
            with file.open("a") as profile:
                profile.write(f"\n{line}\n")
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}. Add to it yourself: {line}") from error
    session.note(f"Added to {file}. It is there in every new shell.")
