"""Which failures are the same one: a short name for an error without what differs from job to job.

Kind, message with its numbers, ids, quotations, paths and addresses taken out, and the
function of the program that failed, where a trace says so (spec/dashboard.md 2.6).
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import PurePath

from ferryman.job import AttemptError

__all__ = ["fingerprint", "outline"]

_LONGEST = 2_000
# In this order: an address holds paths, a path numbers.
_DIFFERS = [
    (re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE), "<url>"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)"), "<text>"),
    (re.compile(r"(?<![\w<])(?:[A-Za-z]:)?(?:[/\\][\w.@~-]+){2,}[/\\]?"), "<path>"),
    (re.compile(r"\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE), "<hex>"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "<n>"),
]
_FRAME = re.compile(r'^\s*File "([^"]+)", line \d+, in (.+)$', re.MULTILINE)
_LIBRARY = re.compile(r"[/\\](?:site-packages|dist-packages|lib[/\\]python[\d.]+|ferryman[/\\]engine)[/\\]|^<frozen")


def fingerprint(kind: str, error: AttemptError) -> str:
    """Return twelve hexadecimal digits that are the same for the same failure of a kind."""
    parts = (kind, outline(error.error), _where(error.trace))
    return sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:12]


def outline(text: str) -> str:
    """Return the first line of an error with placeholders for what differs from job to job."""
    return _outlined(text.strip().partition("\n")[0][:_LONGEST])


@lru_cache(maxsize=1_000)  # thousands of jobs fail with the same few lines
def _outlined(line: str) -> str:
    for pattern, placeholder in _DIFFERS:
        line = pattern.sub(placeholder, line)
    return line


def _where(trace: str) -> str:
    """Return the file and function of the program that failed; lines move too often to tell anything."""
    frames = [(path, function) for path, function in _FRAME.findall(trace) if not _LIBRARY.search(path)]
    return f"{PurePath(frames[-1][0]).name}:{frames[-1][1]}" if frames else ""
