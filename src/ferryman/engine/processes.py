"""Processes for functions that must be killed when their time is up.

Each child imports the module that defines the task, then runs one job after another
that it is sent through a pipe.  A child that is killed, or dies by itself, is replaced
at the next job; nothing of it is shared with the worker but that pipe.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from ferryman.outcome import Verdict

__all__ = ["ChildDied", "Processes", "RemoteError"]

_spawn = multiprocessing.get_context("spawn")


class ChildDied(Exception):
    """The process of a job ended without an answer, for example because the kernel was out of memory."""


class RemoteError(Exception):
    """What a task raised in its process, where the exception itself could not travel."""


class Processes:
    """As many children as are needed at once, kept for the next job."""

    def __init__(self) -> None:
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()

    async def run(self, module: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function at `module:name` in a process.  When cancelled, the process is killed."""
        child = self._take()
        try:
            answer = await child.call((module, name, args, kwargs))
        except BaseException:
            self._busy.discard(child)
            child.kill()
            raise
        self._busy.discard(child)
        self._idle.append(child)
        worked, value = pickle.loads(answer)
        if worked:
            return value
        raise value

    def close(self) -> None:
        """Kill every child."""
        for child in [*self._idle, *self._busy]:
            child.kill()
        self._idle.clear()
        self._busy.clear()

    def _take(self) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.process.is_alive():
                break
            child.kill()
        else:
            child = _Child()
        self._busy.add(child)
        return child


class _Child:
    def __init__(self) -> None:
        self.pipe, theirs = _spawn.Pipe()
        self.process: BaseProcess = _spawn.Process(target=_serve, args=(theirs, list(sys.path)), daemon=True)
        self.process.start()
        theirs.close()

    async def call(self, request: Any) -> bytes:
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[None] = loop.create_future()
        self.pipe.send_bytes(pickle.dumps(request))

        def readable() -> None:
            if not answered.done():
                answered.set_result(None)

        loop.add_reader(self.pipe.fileno(), readable)
        try:
            await answered
            return self.pipe.recv_bytes()
        except (EOFError, OSError) as error:
            self.process.join(1)
            raise ChildDied(f"the job's process ended by itself, with exit code {self.process.exitcode}") from error
        finally:
            loop.remove_reader(self.pipe.fileno())

    def kill(self) -> None:
        self.process.kill()
        self.process.join(5)
        self.process.close()
        self.pipe.close()


def _serve(pipe: Connection, path: list[str]) -> None:
    """Run in the child: answer requests until the pipe closes."""
    # Ctrl-C goes to the whole group; only the worker decides when its children end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path[:] = path
    while True:
        try:
            module, name, args, kwargs = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
        pipe.send_bytes(_answer(module, name, args, kwargs))


def _answer(module: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    try:
        found: Any = __import__(module, fromlist=["_"])
        for part in name.split("."):
            found = getattr(found, part)
        function = getattr(found, "function", found)  # a Task knows its function
        return pickle.dumps((True, function(*args, **kwargs)))
    except Verdict as verdict:
        return pickle.dumps((False, verdict))
    except BaseException as error:
        return _failed(error)


def _failed(error: BaseException) -> bytes:
    error.add_note("".join(traceback.format_exception(error)))
    try:
        travelling = pickle.dumps((False, error))
        pickle.loads(travelling)
    except Exception:
        return pickle.dumps((False, RemoteError("".join(traceback.format_exception(error)))))
    return travelling
