"""The operations kit under `deploy/`, as its checks see it.

A check takes the kit and says what is wrong with it, a sentence each.  So that each can be
seen to find something, it also runs on a copy into which a mistake was planted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

__all__ = ["ROOT", "Check", "Kit", "needed", "ran"]

ROOT = Path(__file__).parent.parent.parent
Check = Callable[["Kit"], Iterator[str]]


@dataclass
class Kit:
    """The kit's files; `deploy` is the real folder, or a copy of it."""

    deploy: Path = ROOT / "deploy"
    _rendered: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return (self.deploy / name).read_text("utf-8")

    def yaml(self, name: str) -> Any:
        return yaml.safe_load(self.text(name))

    @cached_property
    def compose(self) -> dict[str, Any]:
        return self.yaml("compose.yaml")

    def rendered(self, overlay: str) -> list[dict[str, Any]]:
        """Return the manifests of an overlay, as kubectl puts them together."""
        if overlay not in self._rendered:
            text = ran([needed("kubectl"), "kustomize", str(self.deploy / "k8s/overlays" / overlay)])
            self._rendered[overlay] = [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]
        return self._rendered[overlay]

    def but(self, folder: Path, file: str, was: str, now: str) -> Kit:
        """Return a copy in which one place of one file reads otherwise."""
        copy = folder / "deploy"
        shutil.copytree(self.deploy, copy)
        text = (copy / file).read_text("utf-8")
        assert was in text, f"{file} no longer says {was!r}: plant another mistake"
        (copy / file).write_text(text.replace(was, now), "utf-8")
        return Kit(copy)


def needed(program: str) -> str:
    """Return where a program is: beside our Python, or on the path.  Skips the test where it is nowhere."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(program, path=os.pathsep.join([beside, os.environ.get("PATH", ""), "/usr/sbin"]))
    if found is None:
        pytest.skip(f"there is no {program} here")
    return found


class Complaint(Exception):
    """What a program had to say against a file."""


def ran(command: Sequence[str], *, given: str | None = None, **said: Any) -> str:
    """Run a program and return what it wrote.  Raises Complaint with all of it when it ends badly."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, **said)
    if done.returncode:
        raise Complaint(f"{Path(command[0]).name}: {done.stdout}{done.stderr}")
    return done.stdout
