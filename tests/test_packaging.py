"""What is released: a wheel and an sdist that hold what they must, install by themselves, and say what else is needed.

Nothing is fetched.  Both are built once, and the wheel is installed into an environment that
has nothing; what it needs, and what an extra adds, is lent to it from ours, package by package.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


def inside(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    source = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}
    expected = {name for name in source if "__pycache__" not in name}

    names = inside(wheel)

    assert {name for name in names if ".dist-info/" not in name} == expected
    assert "ferryman/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("/METADATA")]
        said = Parser().parsestr(archive.read(name).decode())

    assert (said["Name"], said["Requires-Python"], said["License-Expression"]) == ("ferryman", ">=3.11", "MIT")
    assert said["Description-Content-Type"] == "text/markdown"
    assert {f"Programming Language :: Python :: 3.{n}" for n in (11, 12, 13)} <= set(said.get_all("Classifier") or ())
    assert "Typing :: Typed" in (said.get_all("Classifier") or ())
    assert set(said.get_all("Provides-Extra") or ()) == set(PROJECT["optional-dependencies"])


def test_the_sdist_makes_the_same_wheel(dist: Path, wheel: Path, tmp_path: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()

    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(built, cwd=unpacked, check=True)

    (again,) = (tmp_path / "dist").glob("*.whl")
    assert inside(again) == inside(wheel)
    assert (unpacked / "tests" / "test_packaging.py").exists()


class Clean:
    """An environment with the wheel in it, and the base packages."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        self.bin = folder / "venv" / "bin"
        install = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "install", "--quiet"]
        install += ["--disable-pip-version-check", "--no-deps", "--no-index", str(wheel)]
        subprocess.run(install, check=True)
        self.base = self.lent("base", PROJECT["dependencies"])

    def lent(self, name: str, requirements: list[str]) -> Path:
        """Return a folder with links to what these requirements need, and nothing else."""
        folder = self.folder / name
        folder.mkdir()
        for each in closure(requirements):
            for top in {file.parts[0] for file in each.files or () if file.parts[0] not in ("..", "__pycache__")}:
                if not (folder / top).exists():  # two packages may share a folder
                    (folder / top).symlink_to(Path(str(each.locate_file(top))))
        return folder

    def run(self, *words: str, extra: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, with an extra's packages or without."""
        paths = os.pathsep.join(map(str, filter(None, [self.base, extra])))
        env = {"PATH": f"{self.bin}{os.pathsep}{os.defpath}", "PYTHONPATH": paths, "HOME": str(self.folder)}
        command = [str(self.bin / words[0]), *words[1:]]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=180)


def closure(requirements: list[str]) -> Iterator[Distribution]:
    """Yield the packages that these need here, and those that they need in turn."""
    left, known = list(requirements), set()
    while left:
        wanted = Requirement(left.pop())
        key = (wanted.name, *sorted(wanted.extras))
        if key in known or not applies(wanted, ""):
            continue
        known.add(key)
        found = distribution(wanted.name)
        assert found.version in wanted.specifier, f"{wanted} is wanted, and {found.version} is here"
        yield found
        extras = ("", *wanted.extras)
        needs = [each for each in found.requires or () if any(applies(Requirement(each), extra) for extra in extras)]
        left += [each.partition(";")[0] for each in needs]


def applies(wanted: Requirement, extra: str) -> bool:
    return wanted.marker is None or wanted.marker.evaluate({"extra": extra})


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Clean:
    try:
        return Clean(tmp_path_factory.mktemp("clean"), wheel)
    except PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not here")


def test_the_base_install_works_the_first_job_of_the_readme(clean: Clean) -> None:
    (code,) = re.findall(r"^```python\n(# app.py\n.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    (clean.folder / "app.py").write_text(code)

    assert clean.run("python", "app.py").returncode == 0
    worked = clean.run("ferryman", "worker", "app:jobs", "--burst")
    assert (worked.returncode, worked.stdout) == (0, "Welcome aboard, Ada!\n"), worked.stderr
    assert clean.run("ferryman", "--version").stdout.strip().endswith(PROJECT.get("version", "0.1.0"))


EXTRAS = {
    "redis": ("--url", "redis://127.0.0.1:1", "job", "list"),
    "postgres": ("--url", "postgres://ferryman@127.0.0.1:1/x", "job", "list"),
    "web": ("dashboard", "--within", "1s", "--port", "0"),
    "tui": ("top", "--within", "1s"),
    "metrics": ("metrics", "--once"),
}
"""For each extra a command that needs it: without, it says what to install."""


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_is_asked_for_by_name_and_is_all_that_its_command_needs(extra: str, clean: Clean) -> None:
    without = clean.run("ferryman", *EXTRAS[extra])
    lent = clean.lent(extra, PROJECT["optional-dependencies"][extra])
    with_it = clean.run("ferryman", *EXTRAS[extra], extra=lent)

    assert without.returncode != 0
    assert f'pip install "ferryman[{extra}]"' in without.stderr
    assert "pip install" not in with_it.stderr
    assert "ModuleNotFoundError" not in with_it.stderr


@pytest.mark.parametrize(("extra", "module"), [("fast", "uvloop"), ("reload", "watchfiles"), ("otel", "opentelemetry")])
def test_an_extra_brings_its_package_and_the_base_does_without(extra: str, module: str, clean: Clean) -> None:
    try:
        lent = clean.lent(extra, PROJECT["optional-dependencies"][extra])
    except PackageNotFoundError as error:
        pytest.skip(f"{error.name} is not here")

    assert clean.run("python", "-c", f"import {module}").returncode != 0
    assert clean.run("python", "-c", f"import ferryman, {module}", extra=lent).returncode == 0


def test_all_is_every_extra_but_the_frameworks() -> None:
    extras = PROJECT["optional-dependencies"]
    (everything,) = extras["all"]
    assert Requirement(everything).extras <= extras.keys()
    assert set(EXTRAS) <= Requirement(everything).extras
