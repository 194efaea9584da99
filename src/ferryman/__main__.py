"""The command `ferryman`, also as `python -m ferryman`."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    _open_what_is_closed()
    if sys.argv[1:2] == ["health"]:  # a probe: what click costs would be paid every few seconds, beside every worker
        from ferryman.probe import run

        if (code := run(sys.argv[2:])) is not None:
            sys.exit(code)
    try:
        from ferryman.cli.root import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main(prog_name="ferryman")


def _open_what_is_closed() -> None:
    """Let stdin, stdout and stderr lead nowhere where whoever started us has closed them.

    Otherwise a connection or a database got their numbers, the lowest that are free, and what a library prints.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nowhere, True)
            setattr(sys, name, os.fdopen(nowhere, mode))


if __name__ == "__main__":
    main()
