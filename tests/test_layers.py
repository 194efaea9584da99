"""A module imports only from its own floor or a lower one, and no storage imports another (house.md part 3)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"

HELD = (
    "app",
    "admin",
    "chores",
    "client",
    "connect",
    "connections",
    "health",
    "lifespan",
    "log_lines",
    "logs",
    "machinery",
    "metrics",
    "named",
    "opening",
    "outbox",
    "settings",
    "settings_file",
    "settings_sources",
    "shapes",
    "sqlite",
    "sync",
    "terms",
    "views",
    "worker",
)

# The first prefix that fits decides.  Storages and the engine share a floor and never meet.
FLOORS = [
    ("ferryman.storage.asynq", 3, "asynq"),
    ("ferryman.storage.river", 3, "river"),
    ("ferryman.storage", 2, "seam"),
    ("ferryman.engine", 3, "engine"),
    ("ferryman.cli", 6, "faces"),
    ("ferryman.__main__", 6, "faces"),
    *((f"ferryman.{name}", 6, "faces") for name in ("asgi", "django", "flask", "sentry", "tracing")),
    ("ferryman.probe", 6, "faces"),
    ("ferryman.pytest_plugin", 6, "faces"),
    ("ferryman.testing", 6, "faces"),
    ("ferryman.web", 6, "faces"),
    *((f"ferryman.{name}", 5, "held") for name in HELD),
    ("ferryman", 1, "vocabulary"),
]


def place(module: str) -> tuple[int, str]:
    return next((floor, room) for prefix, floor, room in FLOORS if f"{module}.".startswith(f"{prefix}."))


def imports(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return [(line, name) for line, name in found if name.split(".")[0] == "ferryman"]


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda path: path.relative_to(SRC).as_posix())
def test_a_module_imports_only_downwards(path: Path) -> None:
    module = ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
    if module == "ferryman":
        return  # the public names, loaded when they are first used
    floor, room = place(module)
    for line, name in imports(path):
        theirs, their_room = place(name)
        assert theirs <= floor, f"{path.name}:{line} imports {name}, which is above it"
        assert theirs < 3 or theirs != floor or room == their_room, f"{path.name}:{line} imports {name}"


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda path: path.relative_to(SRC).as_posix())
def test_no_file_outgrows_its_room(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
