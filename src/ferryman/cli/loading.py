"""Finds the app that MODULE:NAME names, and says in a sentence why it cannot be had."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ferryman.errors import ConfigError

if TYPE_CHECKING:
    from ferryman.app import Ferryman

__all__ = ["load_app"]


def load_app(name: str) -> Ferryman:
    """Import the module and return its Ferryman.  Raises ConfigError saying what is in the way."""
    from ferryman.app import Ferryman

    module, colon, path = name.partition(":")
    if not colon or not module or not path:
        raise ConfigError(f'The app "{name}" is not of the form MODULE:NAME. Write it like app.main:jobs.')
    if "/" in module or module.endswith(".py"):
        dotted = module.removesuffix(".py").strip("./").replace("/", ".")
        raise ConfigError(f'The app "{name}" names a file. Write it as Python imports it: {dotted}:{path}')
    found: Any = _imported(module)
    for part in path.split("."):
        if not hasattr(found, part):
            raise ConfigError(f'{module} has no "{path}". {_offer(module)}')
        found = getattr(found, part)
    if not isinstance(found, Ferryman):
        raise ConfigError(f"{name} is a {type(found).__name__} and not a Ferryman. {_offer(module)}")
    return found


def _imported(module: str) -> Any:
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        with redirect_stdout(sys.stderr):  # what an app prints while it is imported is not our data
            return import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise ConfigError(
                f"There is no module {error.name}. It is looked for in {folder} and among installed packages."
            ) from error
        raise _broken(module, error) from error
    except (Exception, SystemExit) as error:
        raise _broken(module, error) from error


def _broken(module: str, error: BaseException) -> ConfigError:
    reason = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    return ConfigError(
        f"{module} cannot be imported: {reason.rstrip('.')}{_place(error)}. "
        f'For all of it run: python -c "import {module}"'
    )


def _place(error: BaseException) -> str:
    """Say which line of the user's code failed."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" ({_shown(error.filename)}, line {error.lineno})"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)]
    return f" ({_shown(frames[-1].filename)}, line {frames[-1].lineno})" if frames else ""


def _is_machinery(file: str) -> bool:
    return file.startswith("<frozen") or file == __file__ or f"{os.sep}importlib{os.sep}" in file


def _shown(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative


def _offer(module: str) -> str:
    """Name the Ferrymen that the module does have."""
    from ferryman.app import Ferryman

    names = [name for name, value in vars(sys.modules[module]).items() if isinstance(value, Ferryman)]
    if names:
        return f"Write {' or '.join(f'{module}:{name}' for name in names)}."
    return "It has no Ferryman at all: make one with jobs = Ferryman()."
