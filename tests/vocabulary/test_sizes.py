"""Amounts of memory: what is read, what is refused, and how they are written."""

from __future__ import annotations

import pytest

from ferryman.errors import ConfigError
from ferryman.sizes import mebibytes, parse_size

READ = {
    "512MiB": 512 * 2**20,
    "512Mi": 512 * 2**20,
    "512M": 512 * 2**20,
    "512 mib": 512 * 2**20,
    "512MB": 512_000_000,
    "1.5GiB": 1536 * 2**20,
    "64KiB": 65_536,
    "4096": 4_096,
    "1B": 1,
}


@pytest.mark.parametrize(("text", "size"), READ.items())
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "0MiB", "-1MiB", "much", "MiB", "1TiBs", "1e9", "1,5GiB", "0.1B"])
def test_what_is_no_size_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 512MiB"):
        parse_size(text)


def test_a_size_is_written_in_mebibytes() -> None:
    assert mebibytes(1536 * 2**20) == "1,536 MiB"
