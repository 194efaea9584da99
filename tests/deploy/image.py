"""Checks of the Dockerfile that need no engine."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from deploy.kit import ROOT, Complaint, Kit, needed, ran

__all__ = ["CHECKS"]

_EXTRAS = ("redis", "postgres", "web", "fast", "metrics")


def lint(kit: Kit) -> Iterator[str]:
    """hadolint has nothing against it."""
    # DL3013: what pip installs is pinned by the lock file, or is for a developer's machine.
    try:
        ran([needed("hadolint"), "--ignore", "DL3013", "--failure-threshold", "style", str(kit.deploy / "Dockerfile")])
    except Complaint as complaint:
        yield str(complaint)


def sources(kit: Kit) -> Iterator[str]:
    """What is copied is there, and gets into the context."""
    let_in = [line[1:] for line in kit.text("Dockerfile.dockerignore").splitlines() if line.startswith("!")]
    for options, words in re.findall(r"^COPY (--from=\S+ )?(.+)$", kit.text("Dockerfile"), re.MULTILINE):
        for source in [] if options else words.split()[:-1]:
            there = kit.deploy.parent / source if source.startswith("deploy/") else ROOT / source
            if not there.exists():
                yield f"the image copies {source}, which is not there"
            if not any(source == each or source.startswith(f"{each}/") or fnmatch(source, each) for each in let_in):
                yield f"Dockerfile.dockerignore keeps {source} out"


def process(kit: Kit) -> Iterator[str]:
    """The program is process 1, so that it hears SIGTERM, and its user is nobody in particular."""
    text = kit.text("Dockerfile")
    for command in re.findall(r"^(?:CMD|ENTRYPOINT) (.+)$", text, re.MULTILINE):
        try:
            json.loads(command)
        except ValueError:
            yield f"a shell stands between the program and its signals: {command}"
    for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[2:]:
        users = re.findall(r"^USER (\S+)$", stage, re.MULTILINE)
        if "USER" in stage and users[-1] != "10001:10001":
            yield f"a stage ends as user {users[-1]}"
    if "USER 10001:10001" not in text:
        yield "the image runs as root"


def python(kit: Kit) -> Iterator[str]:
    """The base has a Python that we support, and both stages the same."""
    wanted = SpecifierSet(_project()["requires-python"])
    version = re.search(r"^ARG PYTHON=(.+)$", kit.text("Dockerfile"), re.MULTILINE)
    if version is None or Version(version[1]) not in wanted:
        yield f"the image has Python {version and version[1]}, and ferryman needs {wanted}"
    for base in re.findall(r"^FROM (python:\S+)", kit.text("Dockerfile"), re.MULTILINE):
        if base != "python:${PYTHON}-slim-bookworm":
            yield f"a stage stands on {base}"


def lock(kit: Kit) -> Iterator[str]:
    """The lock file holds everything that the image installs, at a version that pyproject.toml allows, with hashes."""
    blocks = re.findall(r"^([\w.-]+)==(\S+)(.*(?:\n .*)*)", kit.text("requirements.txt").lower(), re.MULTILINE)
    pinned = {name: version for name, version, _ in blocks}
    yield from (f"the lock file has no hash of {name}" for name, _, rest in blocks if "--hash=sha256:" not in rest)
    for each in _wanted():
        if each.name.lower() not in pinned:
            yield f"the lock file lacks {each.name}: run make lock"
        elif pinned[each.name.lower()] not in each.specifier:
            yield f"the lock file has {each.name} {pinned[each.name.lower()]}, and {each} is wanted: run make lock"


def _wanted() -> list[Requirement]:
    project = _project()
    texts = [*project["dependencies"], *(text for extra in _EXTRAS for text in project["optional-dependencies"][extra])]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    found = [Requirement(text) for text in (*texts, *groups["examples"])]
    return [each for each in found if each.marker is None or each.marker.evaluate({"sys_platform": "linux"})]


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


CHECKS = (lint, sources, process, python, lock)
