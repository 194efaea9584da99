"""The API's own description, made from its table of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from inspect import getdoc
from typing import Any

import msgspec

from ferryman import __version__
from ferryman.web.api.calls import CALLS, PREFIX, Call
from ferryman.web.filters import FIELDS
from ferryman.web.reading import ORDERS

__all__ = ["describe"]

_NOT_NOW = (400, 401, 403, 404, 409, 413, 421, 422, 429, 503, 504)
_SEVERAL = frozenset(FIELDS) - {"since", "older_than", "ended_since", "error", "fp", "worker"}


@cache
def describe() -> dict[str, Any]:
    """Return the OpenAPI document."""
    spoken = dict.fromkeys(each for call in CALLS for each in (call.body, call.answer) if each is not None)
    schemas, components = msgspec.json.schema_components(spoken, ref_template="#/components/schemas/{name}")
    of = dict(zip(spoken, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        paths.setdefault(PREFIX + call.path, {})[call.method.lower()] = _operation(call, of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ferryman", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _PROBLEM},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }  # fmt: skip


def _operation(call: Call, of: Mapping[type, dict[str, Any]]) -> dict[str, Any]:
    done = {"description": "Done.", "content": {call.media: {"schema": of[call.answer]}}}
    operation: dict[str, Any] = {
        "operationId": call.name,
        "summary": getdoc(call.endpoint),
        "description": f"Needs the role {call.needs.level.word}.",
        "parameters": [_STORAGE, *_parameters(call.words, call.required)],
        "responses": {
            **{str(status): done for status in call.statuses},
            **{str(status): _REFUSED for status in _NOT_NOW},
        },
    }
    if call.body is not None:
        content = {"application/json": {"schema": of[call.body]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(words: Sequence[str], required: Sequence[str]) -> list[dict[str, Any]]:
    return [{"name": word, "in": "query", "required": word in required, "schema": _schema(word)} for word in words]


def _schema(word: str) -> dict[str, Any]:
    if word == "limit":
        return {"type": "integer", "minimum": 1, "maximum": 200}
    if word == "order":
        return {"type": "string", "enum": list(ORDERS)}
    text = {"type": "string"}
    return {"type": "array", "items": text} if word in _SEVERAL and word not in ("id", "queue") else text


_ABOUT = "Jobs, queues and workers, as the dashboard shows them."
_STORAGE = {"name": "storage", "in": "path", "required": True, "schema": {"type": "string"}}
_PROBLEM = {
    "type": "object",
    "required": ["type", "code", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "request_id": {"type": "string"},
    },
}
_REFUSED = {
    "description": "Not done; `detail` says why.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
