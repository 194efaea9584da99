"""The command `ferryman`, also as `python -m ferryman`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    if sys.argv[1:2] == ["health"]:  # a probe: what click costs would be paid every few seconds, beside every worker
        from ferryman.probe import run

        if (code := run(sys.argv[2:])) is not None:
            sys.exit(code)
    try:
        from ferryman.cli.root import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main(prog_name="ferryman")


if __name__ == "__main__":
    main()
