"""The command line: `python -m briefings`."""

from __future__ import annotations

import argparse
import asyncio
import sys

from ferryman import FerrymanError


def main() -> int:
    """Run one of the modes, and return the exit code."""
    said = _arguments()
    try:
        from briefings import modes, settings  # not above: what cannot be set is a sentence, not a traceback

        if said.mode == "migrate":
            return asyncio.run(modes.migrate(check=said.check))
        if said.mode == "check":
            modes.check()
        if said.mode == "failed":
            modes.ferryman("failed", "--list", *(["--json"] if said.json else []))
        modes.write_log()
        if said.worker:
            modes.work()

        from briefings import serving  # not above: a worker has no web

        if said.mode == "mock-webhook":
            serving.mock_webhook()
        else:
            serving.web(with_worker=settings.development and not said.no_embedded_worker)
    except FerrymanError as error:
        print(f"briefings: {error}", file=sys.stderr)
        return 2
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("briefings", description="A small web program that shows the whole life of a job.")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--web", action="store_true", help="answer requests (the default)")
    which.add_argument("--worker", action="store_true", help="run jobs, and nothing else")
    parser.add_argument("--no-embedded-worker", action="store_true", help="in development, the web without a worker")
    modes = parser.add_subparsers(dest="mode", metavar="MODE")
    migrate = modes.add_parser("migrate", help="bring the tables up to date")
    migrate.add_argument("--check", action="store_true", help="only say what is missing; exit 1 if anything is")
    failed = modes.add_parser("failed", help="list the jobs that gave up")
    failed.add_argument("--json", action="store_true")
    modes.add_parser("check", help="look at the settings, the tables and the queue; exit 1 or 2 if anything is wrong")
    modes.add_parser("mock-webhook", help="run the mock of the briefing service alone (development)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
