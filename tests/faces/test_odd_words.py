"""Words that a shell hands over and nobody can mean: bytes that are no text, numbers and nests beyond all measure."""

from __future__ import annotations

import subprocess

import pytest

from faces.terminal import FERRYMAN
from faces.there import There
from faces.typed import Typed

BYTES = "caf\udce9"
"""How Python has what is no UTF-8."""


@pytest.mark.parametrize(
    "words",
    [
        ["job", "show", BYTES],
        ["job", "delete", f"mail/{BYTES}", "-y"],
        ["job", "list", "--kind", BYTES],
        ["job", "retry", "--all-matching", "--tag", BYTES, "-y"],
        ["failed", "--queue", BYTES],
        ["queue", "pause", BYTES],
        ["enqueue", BYTES, "{}"],
        ["enqueue", "report", "--id", BYTES],
        ["job", "list", "--url", f"redis://{BYTES}"],
        ["job", "list", "--url", f"postgres://localhost/{BYTES}"],
    ],
)
def test_what_is_no_text_is_shown_and_refused(words: list[str], ferryman: Typed) -> None:
    answer = ferryman(*words)

    assert (answer.code, answer.out) == (2, "")
    assert "\\udce9" in answer.err
    assert "is not text in UTF-8." in answer.err


def test_ids_from_stdin_must_be_text_too(there: There) -> None:
    ref = there.failed()
    given = f"caf\xe9\n{ref}\n".encode("latin-1")

    result = subprocess.run([*FERRYMAN, "job", "delete", "-y", "-"], input=given, capture_output=True, check=False)

    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (2, b"", 1)
    assert b"not text in UTF-8" in result.stderr
    assert there.job(ref).id == ref


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["enqueue", "report", "[" * 20_000], "nested too deeply"),
        (["enqueue", "report", "{}", "--in", "99999999d"], "after the year 9999"),
        (["job", "list", "--limit", "9" * 30], "is not in the range"),
    ],
)
def test_what_is_beyond_all_measure_is_a_sentence(words: list[str], complaint: str, ferryman: Typed) -> None:
    answer = ferryman(*words)

    assert (answer.code, answer.out) == (2, "")
    assert complaint in answer.err
