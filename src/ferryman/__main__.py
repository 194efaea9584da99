"""The command `ferryman`, also as `python -m ferryman`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, and end the process with its exit code."""
    try:
        from ferryman.cli.root import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main(prog_name="ferryman")


if __name__ == "__main__":
    main()
