"""Whether a word is text: Python hands on any bytes that a shell, a pipe or an environment has, as half characters."""

from __future__ import annotations

__all__ = ["is_text"]


def is_text(word: str) -> bool:
    """Whether a word can be written in UTF-8, as every storage writes its names."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
