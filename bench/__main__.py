"""Run every measurement and print the medians: `make bench`, or `python -m bench --runs 5 --peers`."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from bench import asynq, ours, peers, river
from bench.roles import SLOTS
from bench.servers import postgres_server, redis_server

Figures = dict[str, float]
Measure = Callable[[str], Figures]

DRAIN = "drain, jobs/s"


def medians(measure: Measure, urls: list[str]) -> Figures:
    """Measure once in each database, and return the median of each figure."""
    runs = [measure(url) for url in urls]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def sqlite(folder: Path, runs: int) -> None:
    """Measure on SQLite files, as durable as can be and less so."""
    for synchronous in ("full", "normal"):

        def urls(name: str, synchronous: str = synchronous) -> list[str]:
            files = [folder / f"{name}-{synchronous}-{n}.db" for n in range(runs)]
            return [f"sqlite:///{file}?synchronous={synchronous}" for file in files]

        found = medians(ours.throughput, urls("throughput"))
        if synchronous == "full":
            found |= medians(ours.pickup, urls("pickup")) | medians(ours.idle, urls("idle")[:1])
        show(f"SQLite, WAL, synchronous={synchronous}", found)


def redis(folder: Path, runs: int, python: str | None) -> None:
    """Measure on a Redis server of our own, a database for each run, and others beside us on the same one."""
    with redis_server(folder) as server:
        urls = (f"{server}/{n}" for n in range(1_000))

        def take(count: int = runs) -> list[str]:
            return [next(urls) for _ in range(count)]

        found = medians(ours.throughput, take()) | medians(ours.beside, take())
        found |= medians(ours.pickup, take()) | medians(ours.idle, take(1))
        show("Redis, appendfsync everysec", found)
        sent = medians(ours.commands, take(1))
        show(f"an idle worker's {sum(sent.values()):.1f} commands/s", sent)
        drains = {"ferryman": ours.drain} | real_asynq(take) | others("redis", python)
        compare([race(drains, urls) for _ in range(runs)])


def postgres(runs: int, python: str | None) -> None:
    """Measure on a Postgres server of our own, a database for each run, and others beside us on the same one."""
    with postgres_server() as database:

        def take(count: int = runs) -> list[str]:
            return [database() for _ in range(count)]

        found = medians(ours.throughput, take()) | medians(ours.transactions, take(1))
        found |= medians(ours.pickup, take()) | medians(ours.idle, take(1))
        show("Postgres, durable commits", found)
        drains = {"ferryman": ours.drain} | real_river(take) | others("postgres", python)
        compare([race(drains, iter(database, None)) for _ in range(runs)])


def real_asynq(take: Callable[[], list[str]]) -> dict[str, Measure]:
    """Show how fast real asynq picks up jobs, and return how it drains them, set up in each way."""
    try:
        program = asynq.build()
    except peers.Unavailable as why:
        print(f"\nReal asynq was left out: {why}")
        return {}
    show("real asynq", medians(partial(asynq.pickup, program), take()))
    return {way: partial(asynq.drain, program, way) for way in asynq.WAYS}


def real_river(take: Callable[[], list[str]]) -> dict[str, Measure]:
    """Show how fast real River picks up jobs, set up in each way, and return how it drains them."""
    try:
        program = river.build()
    except peers.Unavailable as why:
        print(f"\nReal River was left out: {why}")
        return {}
    for way in river.WAYS:
        show(way, medians(partial(river.pickup, program, way), take(1)))
    return {way: partial(river.drain, program, way) for way in river.WAYS}


def others(server: str, python: str | None) -> dict[str, Measure]:
    """Install the peers that use a server, and return how each drains."""
    found: dict[str, Measure] = {}
    if not python:
        print("\nOther queues for Python were left out: --peers installs and measures them.")
        return found
    for name, script in peers.peers(server).items():
        try:
            found[name] = partial(peers.drain, script, peers.install(script, python))
        except peers.Unavailable as why:
            print(f"\n{name} was left out: {why}")
    return found


def race(drains: dict[str, Measure], urls: Iterator[str]) -> Figures:
    """Let everybody drain once, one after the other."""
    found = {}
    for name, drain in drains.items():
        try:
            found[name] = drain(next(urls))[DRAIN]
        except peers.Unavailable as why:
            print(f"\n{name} was left out: {why}")
    return found


def compare(rounds: list[Figures]) -> None:
    """Print what each drained, and how many times as fast we were in the same round: others may use the machine too."""
    print(f"\n{DRAIN}, on the same server")
    rates = {name: statistics.median(each[name] for each in rounds if name in each) for name in rounds[0]}
    for name, rate in sorted(rates.items(), key=lambda rated: -rated[1]):
        times = statistics.median(each["ferryman"] / each[name] for each in rounds if name in each)
        print(f"  {name:38} {rate:10,.0f}" + (f"   ours is {times:.1f} times that" if name != "ferryman" else ""))


def show(title: str, found: Figures) -> None:
    print(f"\n{title}")
    for name, value in found.items():
        print(f"  {name:38} {value:10,.1f}" if value < 1000 else f"  {name:38} {value:10,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sqlite", action="store_true", help="measure on SQLite only")
    parser.add_argument("--redis", action="store_true", help="measure on Redis only")
    parser.add_argument("--postgres", action="store_true", help="measure on Postgres only")
    parser.add_argument("--peers", action="store_true", help="measure other queues for Python too; installs them")
    parser.add_argument("--python", default=sys.executable, help="for --peers: some need a newer Python than we do")
    said = parser.parse_args()
    everything = not (said.sqlite or said.redis or said.postgres)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {said.runs} runs, {SLOTS} slots")
    with tempfile.TemporaryDirectory() as folder:
        if said.sqlite or everything:
            sqlite(Path(folder), said.runs)
        if said.redis or everything:
            redis(Path(folder), said.runs, said.python if said.peers else None)
    if said.postgres or everything:
        postgres(said.runs, said.python if said.peers else None)


if __name__ == "__main__":
    main()
