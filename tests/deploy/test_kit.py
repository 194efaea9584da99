"""The operations kit has no mistake that shows without an engine, and each check finds the one planted for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy import compose, image, kubernetes, machine, numbers
from deploy.kit import ROOT, Check, Kit
from deploy.mistakes import MISTAKES

KIT = Kit()
PARTS = (compose, image, kubernetes, machine, numbers)
CHECKS = [
    pytest.param(check, id=f"{part.__name__.removeprefix('deploy.')}-{check.__name__}")
    for part in PARTS
    for check in part.CHECKS
]


@pytest.mark.parametrize("check", CHECKS)
def test_the_kit_is_as_it_should_be(check: Check) -> None:
    assert list(check(KIT)) == []


@pytest.mark.parametrize(
    ("check", "file", "was", "now", "complaint"),
    MISTAKES,
    ids=[
        f"{check.__module__.removeprefix('deploy.')}-{check.__name__}-{n}" for n, (check, *_) in enumerate(MISTAKES, 1)
    ],
)
def test_each_check_finds_the_mistake_planted_for_it(
    check: Check, file: str, was: str, now: str, complaint: str, tmp_path: Path
) -> None:
    found = "\n".join(check(KIT.but(tmp_path, file, was, now)))
    assert complaint in found


def test_no_check_is_without_a_mistake() -> None:
    assert {check for part in PARTS for check in part.CHECKS} == {check for check, *_ in MISTAKES}


def test_the_page_on_metrics_lists_what_the_code_tells() -> None:
    source = "".join(path.read_text() for path in (ROOT / "src/ferryman/metrics").glob("*.py"))
    made = re.findall(r'(?:_gauge|counter|histogram|(?:Counter|Gauge)MetricFamily)\(\s*"(\w+)"', source)
    told = {name.removeprefix("ferryman_").removesuffix("_total") for name in numbers.metrics()}
    assert told == {name.removeprefix("ferryman_") for name in made if not name.startswith("asynq_")}
