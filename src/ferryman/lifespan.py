"""What tasks need while a worker runs: pools, clients, and who closes them.

A lifespan is one async context manager function, as in Starlette.  What it yields is
given to parameters of that type; a tuple gives each of its members.  The types come
from the annotation, since a program that only enqueues never opens it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, get_args, get_origin, get_type_hints

from ferryman.errors import ConfigError

__all__ = ["provided_types", "with_types"]

Written = Callable[[], AbstractAsyncContextManager[Any]]


def provided_types(lifespan: Written) -> tuple[Any, ...]:
    """Return the types that a lifespan yields.  Raises ConfigError when it does not say."""
    name = getattr(lifespan, "__qualname__", repr(lifespan))
    try:
        hints = get_type_hints(getattr(lifespan, "__wrapped__", lifespan))
    except NameError as error:
        raise ConfigError(f"The lifespan {name} has an annotation that cannot be resolved: {error}.") from error
    yielded = get_args(hints.get("return"))
    if not yielded:
        raise ConfigError(f"The lifespan {name} does not say what it yields. Annotate it: -> AsyncIterator[Pool].")
    return get_args(yielded[0]) if get_origin(yielded[0]) is tuple else (yielded[0],)


def with_types(lifespan: Written) -> Callable[[], AbstractAsyncContextManager[Mapping[Any, Any]]]:
    """Make a lifespan that yields its values by their types."""
    types = provided_types(lifespan)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Mapping[Any, Any]]:
        async with lifespan() as value:
            yield dict(zip(types, value if len(types) > 1 else (value,), strict=True))

    return opened
