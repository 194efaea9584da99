"""The documentation tells the truth: its code runs, its pages are current, its links lead somewhere."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from ferryman import events, logs
from ferryman.log_lines import LINES
from ferryman.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


CODE = [pytest.param(code, id=f"{page.name}-{n}") for page in PAGES for n, code in enumerate(blocks(page), 1)]


@pytest.mark.parametrize("code", CODE)
def test_every_code_block_runs(code: str, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(code)
    done = subprocess.run([sys.executable, "-W", "error", "app.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_readmes_first_job_is_worked(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(blocks(ROOT / "README.md")[0])
    subprocess.run([sys.executable, "app.py"], cwd=tmp_path, check=True)
    worker = [sys.executable, "-m", "ferryman", "worker", "app:jobs", "--burst"]
    done = subprocess.run(worker, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "Welcome aboard, Ada!\n"), done.stderr


def test_the_reference_pages_are_current() -> None:
    done = subprocess.run([sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda field: field.name)
def test_every_setting_is_documented(setting) -> None:
    assert f"### `{setting.name}`" in (ROOT / "docs/reference/settings.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_architecture_names_every_room() -> None:
    drawn = (ROOT / "ARCHITECTURE.md").read_text()
    package = ROOT / "src/ferryman"
    rooms = [path.name for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"]
    modules = [path.name for path in package.glob("*.py") if path.name != "__init__.py"]
    engine = [path.name for path in (package / "engine").glob("*.py") if path.name != "__init__.py"]
    for name in (*rooms, *modules, *engine):
        assert name in drawn, f"ARCHITECTURE.md does not show {name}"


def test_every_event_is_logged_or_listed_as_silent() -> None:
    every = {each for each in vars(events).values() if isinstance(each, type) and issubclass(each, events.Event)}
    assert every - {events.Event} == set(LINES) | set(logs.SILENT)


def test_every_public_name_has_a_docstring() -> None:
    missing = []
    for path in sorted((ROOT / "src/ferryman").rglob("*.py")):
        tree = ast.parse(path.read_text())
        if ast.get_docstring(tree) is None:
            missing.append(path.name)
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
            if public and ast.get_docstring(node) is None:
                missing.append(f"{path.name}:{node.lineno} {node.name}")
    assert missing == []
