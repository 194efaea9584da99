"""What the dashboard loads in browsers: others' code as they made it, pages without what a strict policy forbids."""

from __future__ import annotations

import re
import tomllib
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest

from web.asking import Asking

WEB = Path(str(files("ferryman"))) / "web"
STATIC, TEMPLATES = WEB / "static", WEB / "templates"
VENDOR = STATIC / "vendor"

PACKAGES = tomllib.loads((VENDOR / "VENDOR.toml").read_text())["package"]
OURS = [*STATIC.glob("*.*"), *TEMPLATES.rglob("*.html")]
PAGES = sorted(TEMPLATES.rglob("*.html"))


def name_of(path: Path) -> str:
    return path.relative_to(WEB).as_posix()


@pytest.mark.parametrize(
    "file", [each for package in PACKAGES for each in package["file"]], ids=lambda file: file["to"]
)
def test_a_vendored_file_is_what_npm_has(file: dict[str, str]) -> None:
    assert sha256((VENDOR / file["to"]).read_bytes()).hexdigest() == file["sha256"]


def test_nothing_is_vendored_that_the_list_does_not_name() -> None:
    listed = {file["to"] for package in PACKAGES for file in package["file"]}
    assert {path.name for path in VENDOR.iterdir()} == {*listed, "VENDOR.toml"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_a_vendored_package_brings_its_licence(package: dict[str, list[dict[str, str]]]) -> None:
    (licence,) = [file["to"] for file in package["file"] if file["from"] == "LICENSE"]
    assert "Permission" in (VENDOR / licence).read_text()


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_nothing_of_ours_is_loaded_from_elsewhere(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/|\{#.*?#\}|<!--.*?-->", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"xmlns=['\"]http://www\.w3\.org/2000/svg['\"]", "", text)
    assert re.findall(r"https?://\S*", text) == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_has_no_script_or_style_within_itself(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    within = re.findall(r"<script(?![^>]*\b(?:src|type=\"application/json\"))[^>]*>|<style|\s(?:style|on\w+)=\"", text)
    assert within == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_what_a_job_says_is_always_escaped(path: Path) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", path.read_text())


def test_our_own_style_and_scripts_stay_small() -> None:
    assert (STATIC / "app.css").stat().st_size < 30 << 10
    assert (STATIC / "app.js").stat().st_size < 20 << 10


async def test_a_first_visit_loads_less_than_70_kilobytes(board: Asking) -> None:
    page = await board.get("/s/main/")

    files = [await board.get(path) for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)]

    assert len(files) == 8
    assert sum(each.num_bytes_downloaded for each in (page, *files)) < 70_000
