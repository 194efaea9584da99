"""Loads the scripts in `lua/`, and spells a call of one out.

A script names what it takes in its first lines, `local a, b = unpack(KEYS)` and
`local c, d = unpack(ARGV)` (with a range when a list of any length follows), so that
Python calls it by name and neither side counts positions.  A line `-- with x` stands for
`lua/with/x.lua`, which several scripts share.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib import resources

import msgspec

from ferryman.storage.asynq.calls import Script, Value

__all__ = ["Text", "load", "spell"]

_NAMES = re.compile(r"^local ([\w, ]+) = unpack\((KEYS|ARGV)\b", re.MULTILINE)
_WITH = re.compile(r"^-- with (\w+)$", re.MULTILINE)


class Text(msgspec.Struct, frozen=True):
    """A script: its source, its name on the server, and the names of what it takes, in order."""

    source: str
    sha: str
    keys: tuple[str, ...]
    args: tuple[str, ...]


@cache
def load(name: str) -> Text:
    """Read the script `lua/{name}.lua`."""
    source = _WITH.sub(lambda found: _read(f"with/{found[1]}"), _read(name))
    named = {kind: tuple(names.replace(" ", "").split(",")) for names, kind in _NAMES.findall(source)}
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    return Text(source, sha, named.get("KEYS", ()), named.get("ARGV", ()))


def _read(name: str) -> str:
    return resources.files("ferryman.storage.asynq").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def spell(call: Script, *, in_full: bool = False) -> list[Value]:
    """Return the words of a call: by the script's hash, or `in_full` where the server has forgotten it.

    Raises TypeError when the names are not the script's own.
    """
    text = load(call.name)
    if call.keys.keys() != set(text.keys) or call.args.keys() != set(text.args):
        raise TypeError(f"{call.name} takes {text.keys} and {text.args}, not {[*call.keys]} and {[*call.args]}")
    head: list[Value] = ["EVAL", text.source] if in_full else ["EVALSHA", text.sha]
    return [
        *head,
        len(text.keys),
        *(call.keys[name] for name in text.keys),
        *(call.args[name] for name in text.args),
        *call.rest,
    ]
