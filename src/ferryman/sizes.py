"""Reads and writes amounts of memory: "512MiB" ⇄ bytes."""

from __future__ import annotations

import re

from ferryman.errors import ConfigError

__all__ = ["mebibytes", "parse_size"]

_UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "K": 2**10,
    "M": 2**20,
    "G": 2**30,
    "KI": 2**10,
    "MI": 2**20,
    "GI": 2**30,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}
"""K, M and G are systemd's, Ki, Mi and Gi are those of Kubernetes."""

_TEXT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([a-z]*)", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Read "512MiB", "1.5GiB", "512Mi", "512MB" or a number of bytes.  Raises ConfigError for none and for no size."""
    found = _TEXT.fullmatch(text)
    unit = _UNITS.get(found[2].upper()) if found else None
    size = int(float(found[1]) * unit) if found and unit else 0
    if not size:
        raise ConfigError(
            f'The size "{text}" cannot be read. It takes a number and B, KiB, MiB or GiB, such as 512MiB.'
        )
    return size


def mebibytes(size: float) -> str:
    """Write a number of bytes as "512 MiB"."""
    return f"{size / 2**20:,.0f} MiB"
