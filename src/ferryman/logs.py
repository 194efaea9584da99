"""Everything that ferryman ever logs: events become lines.

This is the only module that logs; `log_lines` says what each event's line is.  What
nobody would see is not even subscribed to, so a quiet level costs the hot path nothing.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from ferryman import events as e
from ferryman.log_lines import LINES, Line
from ferryman.redaction import USUAL, Redaction

__all__ = ["SILENT", "configure", "in_development", "subscribe"]

logger = logging.getLogger("ferryman")

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}

SILENT: frozenset[type[e.Event]] = frozenset({e.StorageAnswered})
"""Events that are for programs only; a test asks that every other has a line."""


def subscribe(bus: e.EventBus, redaction: Redaction = USUAL) -> None:
    """Log what happens on a bus, as far as anybody would see it, without what is to be hidden."""
    for event, (highest, describe) in LINES.items():
        if logger.isEnabledFor(highest):
            bus.subscribe(event, _writer(describe, redaction))


def configure(level: str = "info", form: Literal["text", "json"] | None = None, *, development: bool = False) -> None:
    """Write our lines to standard error; for programs, since a library leaves that to the application."""
    if form is None:
        form = "text" if development or sys.stderr.isatty() else "json"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logger.handlers[:] = [handler]
    logger.setLevel(LEVELS[level])
    logger.propagate = False
    # It tells of each connection and each attempt what StorageLost and StorageBack say once.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)


def in_development(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a developer's machine: FERRYMAN_ENV, else APP_ENV, else production (design.md 5.19)."""
    said = environment.get("FERRYMAN_ENV") or environment.get("APP_ENV") or "production"
    return said.lower() in ("development", "dev")


def _writer(describe: Callable[[Any], Line | None], redaction: Redaction) -> Callable[[e.Event], None]:
    def write(event: e.Event) -> None:
        line = describe(event)
        if line is not None:
            level, text, values = line
            if level >= logging.WARNING:  # below, nothing is said that others have written
                text, values = redaction.text(text), _safe(values, redaction)
            logger.log(level, text, extra={"values": values})

    return write


def _safe(values: Mapping[str, Any], redaction: Redaction) -> Mapping[str, Any]:
    return {name: redaction.text(value) if isinstance(value, str) else value for name, value in values.items()}


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")  # noqa: DTZ006 - a person's own clock
        line = f"{at} {record.levelname.lower().replace('warning', 'warn'):5} {record.getMessage()}"
        trace = _values(record).get("trace")
        return f"{line}\n{trace.rstrip()}" if trace else line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        level = record.levelname.lower().replace("warning", "warn")
        line = {"time": at, "level": level, "msg": record.getMessage(), **_values(record)}
        return json.dumps(line, default=str, ensure_ascii=False)


def _values(record: logging.LogRecord) -> Mapping[str, Any]:
    """Return what stands beside the sentence; a program that logs with us may log an exception."""
    if record.exc_info and record.exc_info[0]:
        return {"trace": USUAL.text("".join(traceback.format_exception(*record.exc_info)))}
    return getattr(record, "values", {})
