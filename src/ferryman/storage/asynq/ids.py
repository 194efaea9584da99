"""Random ids: UUIDs of version 4, as asynq gives to tasks, servers and entries."""

from __future__ import annotations

from os import urandom

__all__ = ["new_id", "new_ids"]

_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


def new_id() -> str:
    """Return a new UUID as text."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[str]:
    """Return new UUIDs as text: one look at the system's randomness for all, and no objects between."""
    digits = urandom(16 * count).hex()
    return [_uuid(digits[at : at + 32]) for at in range(0, 32 * count, 32)]


def _uuid(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"
