"""What a program that writes its log with ours sees of its own exceptions."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from ferryman import logs


@pytest.fixture(autouse=True)
def ours() -> Iterator[None]:
    """Leave the logger as it was."""
    logger = logging.getLogger("ferryman")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


def fail() -> None:
    try:
        raise LookupError("no such shop")
    except LookupError:
        logging.getLogger("ferryman").exception("the order was not sent")


def test_an_exception_that_is_logged_has_its_traceback_below(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form="text")
    fail()
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first.endswith("error the order was not sent")
    assert last == "LookupError: no such shop"


def test_in_json_the_traceback_is_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form="json")
    fail()
    line = json.loads(capsys.readouterr().err)
    assert line["msg"] == "the order was not sent"
    assert line["trace"].endswith("LookupError: no such shop\n")
