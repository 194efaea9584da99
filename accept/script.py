"""The script: its steps in order, and what is said of each when it was played."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from accept.stage import Stage

__all__ = ["STEPS", "Played", "Step", "play", "scenes", "step"]

Act = Callable[[Stage], str]
EVERYWHERE = ("sqlite", "redis", "postgres")


@dataclass(frozen=True)
class Step:
    """One row of the specification's table: what is done returns what was seen, or raises AssertionError."""

    number: int
    title: str
    act: Act
    storages: tuple[str, ...]
    alone: bool
    """Whether it has a stage of its own, since it waits for a minute to pass: who waits needs no processor."""


@dataclass(frozen=True)
class Played:
    """How a step went on a storage."""

    step: Step
    storage: str
    right: bool
    saw: str
    seconds: float

    def __str__(self) -> str:
        mark = "ok  " if self.right else "NOT "
        return f"{self.storage:8}  {self.step.number:2}  {mark}{self.seconds:6.1f} s  {self.step.title}: {self.saw}"


STEPS: dict[int, Step] = {}
"""Every step by its number."""


def step(number: int, title: str, *storages: str, alone: bool = False) -> Callable[[Act], Act]:
    """Make a function a step of the script, on all storages unless some are named."""

    def declare(act: Act) -> Act:
        STEPS[number] = Step(number, title, act, storages or EVERYWHERE, alone)
        return act

    return declare


def scenes(storage: str) -> list[list[Step]]:
    """Return the steps that there are for a storage, in order; each list has a stage of its own."""
    here = [STEPS[number] for number in sorted(STEPS) if storage in STEPS[number].storages]
    return [[each for each in here if not each.alone], *([each] for each in here if each.alone)]


def play(stage: Stage, steps: Sequence[Step]) -> Iterator[Played]:
    """Play steps one after another, and end after the first that is not right."""
    for each in steps:
        began = time.monotonic()
        try:
            saw, right = each.act(stage), True
        except Exception as error:  # whatever it is, it is what was seen
            saw, right = f"{type(error).__name__}: {error}", False
        yield Played(each, stage.name, right, saw, time.monotonic() - began)
        if not right:
            return
