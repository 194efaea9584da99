"""Plays the script on SQLite, Redis and Postgres side by side: `make accept`, or `python -m accept redis`.

On each storage the steps that wait for a minute to pass have a stage of their own, beside the others.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path += [str(ROOT / "tests"), str(ROOT / "interop")]

from accept import steps, transcript  # noqa: E402
from accept.script import Played, Step, play, scenes  # noqa: E402
from accept.stage import Stage  # noqa: E402
from servers import PostgresServer, Server, postgres_programs, program  # noqa: E402
from whole.objects import Objects, serving  # noqa: E402

__all__ = ["steps"]

FOLDER = ROOT / ".run" / "accept"
STORAGES = ("sqlite", "redis", "postgres")
CALL, LONG_CALL = "1-2", "4-6"
"""How many seconds the briefing service takes; a long call leaves time to kill a worker in the middle of it."""


def main() -> int:
    """Play, and return the exit code: 0 only if every step was right."""
    said = _arguments()
    FOLDER.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    names = said.storages or STORAGES
    plays = [(name, scene) for name in names for scene in scenes(name)]
    with serving(FOLDER) as objects, ThreadPoolExecutor(len(plays)) as threads:
        played = list(chain(*threads.map(lambda each: list(_played(*each, objects)), plays)))
    played.sort(key=lambda each: (names.index(each.storage), each.step.number))
    seconds = time.monotonic() - began
    right = all(each.right for each in played)
    print(f"{len(played)} steps in {seconds:.0f} s: {'all are right' if right else 'not all are right'}")
    print(f"What every program said is in {FOLDER.relative_to(ROOT)}/.")
    if right and said.publish:
        said.publish.write_text(transcript.page(played, seconds), "utf-8")
    return 0 if right else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("accept", description="Play the acceptance script of Briefings.")
    parser.add_argument("storages", nargs="*", metavar="STORAGE", help=f"only these of {', '.join(STORAGES)}")
    parser.add_argument("--publish", type=Path, metavar="FILE", help="write the transcript there when all is right")
    said = parser.parse_args()
    if unknown := set(said.storages) - set(STORAGES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(STORAGES)}")
    return said


def _played(name: str, scene: Sequence[Step], objects: Objects) -> Iterator[Played]:
    alone = [str(each.number) for each in scene if each.alone]
    with _stage(name, FOLDER / "-".join([name, *alone]), objects) as stage, stage.set(LONG_CALL if alone else CALL):
        for each in play(stage, scene):
            print(each, flush=True)
            yield each


@contextmanager
def _stage(name: str, folder: Path, objects: Objects) -> Iterator[Stage]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with ExitStack() as stack:
        if name == "redis":
            redis = Server(program(), "appendonly yes", "maxmemory 200mb", "maxmemory-policy noeviction").start()
            stack.callback(redis.kill)
            yield Stage(name, folder, objects, redis, REDIS_URL=redis.url)
        elif name == "postgres":
            postgres = PostgresServer(postgres_programs()).start()
            stack.callback(postgres.kill)
            url = stack.enter_context(postgres.database())
            yield Stage(name, folder, objects, DATABASE_URL=url)
        else:
            yield Stage(name, folder, objects)


if __name__ == "__main__":
    sys.exit(main())
