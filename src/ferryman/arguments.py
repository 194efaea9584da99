"""A function's arguments ⇄ a payload.

Arguments are a JSON object named by the function's parameters: what a Go struct with
JSON tags reads and writes.  A single parameter typed as a structure (dataclass, msgspec,
attrs, pydantic) is the object itself; a single `bytes` parameter is the raw payload.
Parameters typed `Job`, or as what the lifespan yields, are filled in by the worker and
are no part of the payload.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_type_hints

import msgspec

from ferryman import gojson
from ferryman.errors import ConfigError, InvalidArguments, InvalidJob
from ferryman.job import Job

__all__ = ["Arguments", "provided"]


def provided() -> Any:
    """Mark a parameter that the worker's lifespan fills: `async def send(to: str, http: Client = provided())`.

    Its type alone says so at run time; the mark is for type checkers, which would
    otherwise ask whoever enqueues for it.
    """
    return ...


_EMPTY = (b"", b"null")


class Arguments:
    """How one function's arguments travel.  Built at first use, so that annotations may refer to later names.

    Raises ConfigError when a parameter cannot travel: `*args`, `**kwargs`, a name that
    starts with `__`, a type that JSON cannot carry.
    """

    def __init__(self, function: Callable[..., Any], kind: str, provided: Iterable[type] = ()) -> None:
        self.kind = kind
        self._where = f'Task "{kind}" ({function.__module__}.{function.__qualname__})'
        signature = inspect.signature(function)
        hints = _hints(function, self._where)
        wanted = {name: hints.get(name, Any) for name in signature.parameters}
        self.job_parameter = next((name for name, hint in wanted.items() if hint is Job), None)
        given = frozenset(provided)
        self.provided = {name: hint for name, hint in wanted.items() if _hashable(hint) and hint in given}
        self._own = [
            parameter
            for name, parameter in signature.parameters.items()
            if name != self.job_parameter and name not in self.provided
        ]
        self._call = signature.replace(parameters=self._own)
        # By place and one for each, which is how most calls are made: those need no looking at.
        self._in_order = [p.name for p in self._own if p.kind is not p.KEYWORD_ONLY]
        self._check()
        self._types = {parameter.name: wanted[parameter.name] for parameter in self._own}
        self._single = _single(self._types)
        self._decoder = self._make_decoder()
        self._by_name = self.job_parameter is not None or bool(self.provided) or any(_named(p) for p in self._own)

    def encode(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
        """Turn a call's arguments into a payload.  Raises InvalidJob when they do not fit the function."""
        values = self._bind(args, kwargs)
        if self._single == "bytes":
            return self._raw(*values.values())
        try:
            if self._single == "object":
                (value,) = values.values()
                return gojson.encode(_convert(value, self._decoder.type))
            return gojson.encode(_convert(values, self._decoder.type))
        except InvalidJob:
            raise
        except (msgspec.ValidationError, TypeError, ValueError, RecursionError) as error:
            raise InvalidJob(f"{self._where} cannot be given these arguments: {error}.") from error

    def decode(self, payload: bytes) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Turn a payload into a call's arguments.  Raises InvalidArguments, saying where it does not fit."""
        if self._single == "bytes":
            return ((), {self._own[0].name: payload}) if self._by_name else ((payload,), {})
        try:
            value = self._decoder.decode(b"{}" if payload in _EMPTY else payload)
        except (msgspec.DecodeError, msgspec.ValidationError, ValueError, RecursionError) as error:
            raise InvalidArguments(f'The arguments do not fit task "{self.kind}": {error}') from error
        if self._single == "object":
            return ((), {self._own[0].name: value}) if self._by_name else ((value,), {})
        if self._by_name:
            return (), msgspec.structs.asdict(value)
        return msgspec.structs.astuple(value), {}

    def _bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        if not kwargs and len(args) == len(self._own) == len(self._in_order):
            return dict(zip(self._in_order, args, strict=True))
        try:
            bound = self._call.bind(*args, **kwargs)
        except TypeError as error:
            raise InvalidJob(f"{self._where} cannot be given these arguments: {error}.") from error
        if self._single:
            bound.apply_defaults()
        return bound.arguments

    def _raw(self, value: Any) -> bytes:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise InvalidJob(f"{self._where} cannot be given these arguments: {value!r} is not bytes.")
        return bytes(value)

    def _make_decoder(self) -> msgspec.json.Decoder[Any]:
        try:
            if self._single == "object":
                return msgspec.json.Decoder(next(iter(self._types.values())), dec_hook=_decode_hook)
            return msgspec.json.Decoder(self._struct(), dec_hook=_decode_hook)
        except TypeError as error:
            raise ConfigError(f"{self._where} has a parameter whose type JSON cannot carry: {error}.") from error

    def _struct(self) -> type[msgspec.Struct]:
        fields: list[Any] = []
        for parameter in self._own:
            hint = self._types[parameter.name]
            if parameter.default is inspect.Parameter.empty:
                fields.append((parameter.name, hint))
            else:
                fields.append((parameter.name, hint, _default(parameter.default)))
        # Keyword-only fields may follow in any order, required after optional ones too.
        return msgspec.defstruct("Arguments", fields, kw_only=True, omit_defaults=False)

    def _check(self) -> None:
        for parameter in self._own:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise ConfigError(
                    f"{self._where} takes {parameter}. Name each argument: they are the contract with Go."
                )
            if parameter.name.startswith("__"):
                raise ConfigError(f"{self._where} has a parameter {parameter.name}. Names may not start with __.")
            if parameter.kind is parameter.POSITIONAL_ONLY and (self.job_parameter or self.provided):
                raise ConfigError(f"{self._where} has a positional-only parameter {parameter.name}. Remove the slash.")


def _hints(function: Callable[..., Any], where: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ConfigError(f"{where} has an annotation that cannot be resolved: {error}.") from error


def _hashable(hint: Any) -> bool:
    try:
        hash(hint)
    except TypeError:
        return False
    return True


def _named(parameter: inspect.Parameter) -> bool:
    return parameter.kind is parameter.KEYWORD_ONLY


def _single(types: Mapping[str, Any]) -> str:
    """Say whether the only parameter is the payload itself: as "bytes", as an "object", or not ("")."""
    if len(types) != 1:
        return ""
    (hint,) = types.values()
    if hint is bytes:
        return "bytes"
    return "object" if isinstance(hint, type) and _is_structure(hint) else ""


def _is_structure(hint: type) -> bool:
    return (
        dataclasses.is_dataclass(hint)
        or issubclass(hint, msgspec.Struct)
        or hasattr(hint, "__attrs_attrs__")
        or hasattr(hint, "model_validate")
    )


def _default(value: Any) -> Any:
    # msgspec copies empty containers for each instance; anything else mutable comes from a factory.
    return msgspec.field(default_factory=lambda: value) if isinstance(value, list | dict | set | bytearray) else value


def _convert(value: Any, to: Any) -> Any:
    return msgspec.convert(value, to, dec_hook=_decode_hook)


def _decode_hook(hint: Any, value: Any) -> Any:
    """Build a pydantic model, the one kind of structure that msgspec does not know."""
    if isinstance(value, hint):
        return value
    if hasattr(hint, "model_validate"):
        return hint.model_validate(value)
    raise TypeError(f"{hint} cannot be built from JSON")
