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

from ferryman.context import Recorder, recording

__all__ = ["ChildDied", "Processes", "RemoteError"]

_spawn = multiprocessing.get_context("spawn")


class ChildDied(Exception):
    """The process of a job ended without an answer, for example because the kernel was out of memory."""


class RemoteError(Exception):
    """What a task raised in its process, where the exception itself could not travel."""


class Unsent:
    """Stands for a result that cannot leave its process: JSON refuses it, and so the job completes without."""

    def __init__(self, why: object) -> None:
        self.why = str(why)

    def __repr__(self) -> str:
        return f"The result cannot leave its process ({self.why}), and"


class Processes:
    """As many children as are needed at once, kept for the next job."""

    def __init__(self) -> None:
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()

    async def run(self, module: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the function at `module:name` in a process.  When cancelled, the process is killed."""
        child = self._take()
        try:
            answer = await child.call((recording.get(), module, name, args, kwargs))
        except BaseException:
            self._busy.discard(child)
            child.kill()
            raise
        self._busy.discard(child)
        self._idle.append(child)
        worked, value, recorder = pickle.loads(answer)
        recording.get().take(recorder)
        if worked:
            return value
        raise value

    def close(self) -> None:
        """Kill every child."""
        for child in self._idle:
            child.kill()
        self._idle.clear()
        for child in self._busy:
            child.process.kill()  # whoever waits for its answer sees it end, and tidies up

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
    # Ctrl-C and service managers speak to the whole group; only the worker decides when its children end.
    # Not SIG_IGN, which the programs that a task starts would inherit.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    sys.path[:] = path
    while True:
        try:
            recorder, module, name, args, kwargs = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
        recording.set(recorder)
        pipe.send_bytes(_answer(recorder, module, name, args, kwargs))


def _answer(recorder: Recorder, module: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    try:
        worked, value = True, _find(module, name)(*args, **kwargs)
    except BaseException as error:
        error.add_note("".join(traceback.format_exception(error)))
        worked, value = False, error
    return _pickled(worked, value, recorder)


def _find(module: str, name: str) -> Any:
    found: Any = __import__(module, fromlist=["_"])
    for part in name.split("."):
        found = getattr(found, part)
    return getattr(found, "function", found)  # a Task knows its function


def _pickled(worked: bool, value: Any, recorder: Recorder) -> bytes:
    """Put an answer into bytes; where the value cannot travel, something that says so goes in its place."""
    try:
        answer = pickle.dumps((worked, value, recorder))
        if not worked:
            pickle.loads(answer)  # many an error goes in and does not come out
    except Exception as failed:
        instead = Unsent(failed) if worked else RemoteError("".join(traceback.format_exception(value)))
        return pickle.dumps((worked, instead, recorder))
    return answer
