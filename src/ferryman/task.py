"""Tasks: functions that can be enqueued, and the registry of them.

Declaring a task touches nothing: no connection, no import, no look at its types.  The
kind is its name in the storage and the contract with every other program, so it is
always given.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, Unpack, overload

from ferryman import gojson
from ferryman.aggregation import Aggregation
from ferryman.arguments import Arguments
from ferryman.cron import Schedule
from ferryman.errors import ConfigError, ScheduleNotFound, UnknownTask
from ferryman.job import Inserted, Job, NewJob
from ferryman.options import Options, check_names, merge, new_job
from ferryman.retry import Backoff, IsFailure, RetryCurve, always, curve_of, river
from ferryman.scheduled import Makes, PeriodicEntry, Source

__all__ = ["Kind", "Run", "Sender", "Task", "TaskOptions", "Tasks"]

P = ParamSpec("P")
R = TypeVar("R")

Run = Literal["async", "thread", "process"]
"""Where a task's function runs: in the event loop, in a thread, or in a process that can be killed."""


class TaskOptions(Options, total=False):
    """What a task declares: the options of its jobs, and how its function is run."""

    run: Run
    """Where a plain `def` runs: "thread" (the default) or "process"."""
    backoff: Backoff
    """When to try again; River's curve unless said."""
    is_failure: IsFailure
    """Which errors are failures; every one unless said.  After another the job is tried again, at no attempt's cost."""
    errors: Literal["full", "bare"]
    """What is stored of an exception: `Type: message` with the traceback, or the message alone."""
    aliases: Sequence[str]
    """Other kinds that are run by this task too, for as long as jobs of a former name are about."""
    prefix: bool
    """Run every kind that begins with this one too, unless another task's is longer; the job says which it is."""


class Sender(Protocol):
    """What a task needs in order to enqueue itself."""

    async def enqueue(self, job: NewJob) -> Inserted:
        """Store one job."""
        ...

    def enqueue_sync(self, job: NewJob) -> Inserted:
        """Store one job from code that is not async."""
        ...


class Task(Generic[P, R]):
    """A function that can be enqueued.  Calling it calls the function, here and now."""

    def __init__(self, function: Callable[..., R], kind: str, declared: TaskOptions, tasks: Tasks) -> None:
        self.function = function
        self.kind = kind
        self.tasks = tasks
        self.run: Run = _run(function, kind, declared.get("run"))
        self._curve = curve_of(declared["backoff"]) if "backoff" in declared else None
        self._is_failure = declared.get("is_failure")
        self.errors = declared.get("errors", "full")
        self.options: Options = {k: v for k, v in declared.items() if k not in _TASK_ONLY}  # type: ignore[assignment]
        self.given: Options = {}
        self._arguments: Arguments | None = None
        self.__name__ = getattr(function, "__name__", kind)
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __repr__(self) -> str:
        return f"<Task {self.kind} ({self.function.__module__}.{self.function.__qualname__})>"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    @property
    def curve(self) -> RetryCurve:
        """When to try again: as the task declares, or as all tasks of the program do."""
        return self._curve or self.tasks.curve

    @property
    def is_failure(self) -> IsFailure:
        """Which errors count: as the task declares, or as all tasks of the program do."""
        return self._is_failure or self.tasks.is_failure

    @property
    def arguments(self) -> Arguments:
        """How the function's arguments travel.  Raises ConfigError when they cannot."""
        if self._arguments is None:
            self._arguments = Arguments(self.function, self.kind, self.tasks.provided)
        return self._arguments

    def using(self, **options: Unpack[Options]) -> Task[P, R]:
        """Return this task with options for the jobs made from it: `task.using(delay="10m").enqueue(…)`."""
        check_names(options, "using()")
        other: Task[P, R] = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.given = merge(self.given, options)
        return other

    def job(self, *args: P.args, **kwargs: P.kwargs) -> NewJob:
        """Make the job for this call, without storing it.  Raises InvalidJob when arguments or options do not fit."""
        options = merge(self.options, self.given) if self.given else self.options
        payload = self.arguments.encode(args, kwargs)
        return new_job(self.kind, payload, options, given=frozenset(self.given))

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> Inserted:
        """Store the job for this call.  Raises InvalidJob, Unsupported or StorageError; then nothing was stored."""
        return await self.tasks.sender.enqueue(self.job(*args, **kwargs))

    def enqueue_sync(self, *args: P.args, **kwargs: P.kwargs) -> Inserted:
        """Store the job for this call from code that is not async; otherwise as `enqueue`."""
        return self.tasks.sender.enqueue_sync(self.job(*args, **kwargs))


class Kind:
    """A task that is written elsewhere, in Go or in another program: known by its kind only."""

    def __init__(self, kind: str, tasks: Tasks, given: Options | None = None) -> None:
        self.kind = kind
        self.tasks = tasks
        self.given: Options = given or {}

    def using(self, **options: Unpack[Options]) -> Kind:
        """Return this kind with options for the jobs made from it."""
        check_names(options, "using()")
        return Kind(self.kind, self.tasks, merge(self.given, options))

    def job(self, args: Any = None) -> NewJob:
        """Make a job; bytes are the payload itself, anything else becomes JSON.  Raises InvalidJob."""
        payload = args if isinstance(args, bytes) else gojson.encode({} if args is None else args)
        return new_job(self.kind, payload, self.given, given=frozenset(self.given))

    async def enqueue(self, args: Any = None) -> Inserted:
        """Store a job with these arguments; raises as `Task.enqueue`."""
        return await self.tasks.sender.enqueue(self.job(args))

    def enqueue_sync(self, args: Any = None) -> Inserted:
        """Store a job with these arguments from code that is not async."""
        return self.tasks.sender.enqueue_sync(self.job(args))


_TASK_ONLY = frozenset({"run", "backoff", "is_failure", "errors", "aliases", "prefix"})


class Tasks(Mapping[str, Task[..., Any]]):
    """The tasks of a program by kind, and what is enqueued by the clock."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task[..., Any]] = {}
        self.prefixes: tuple[str, ...] = ()
        """Kinds whose tasks run whatever begins with them, the longest first."""
        self._sender: Sender | None = None
        self.periodic: list[PeriodicEntry] = []
        self.sources: list[Source] = []
        self.aggregation: Aggregation | None = None
        self.provided: tuple[type, ...] = ()
        self.curve: RetryCurve = river
        """When to try again, for tasks that do not say and for kinds that nobody here knows."""
        self.is_failure: IsFailure = always
        """Which errors count, for tasks that do not say."""

    def __getitem__(self, kind: str) -> Task[..., Any]:
        if (task := self.get(kind)) is None:
            raise UnknownTask(kind, self._tasks)
        return task  # type: ignore[no-any-return]

    def get(self, kind: str, default: Any = None) -> Any:
        # Mapping's own relies on KeyError, which speaks in quotation marks only.
        task = self._tasks.get(kind)
        if task is None and self.prefixes:
            task = next((self._tasks[prefix] for prefix in self.prefixes if kind.startswith(prefix)), None)
        return default if task is None else task

    def __contains__(self, kind: object) -> bool:
        return self.get(str(kind)) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    @property
    def sender(self) -> Sender:
        """Where tasks enqueue themselves.  Raises ConfigError when nothing was bound."""
        if self._sender is None:
            raise ConfigError("These tasks belong to no Ferryman. Enqueue with client.enqueue(task.job(...)).")
        return self._sender

    def bind(self, sender: Sender) -> None:
        """Say where tasks enqueue themselves."""
        self._sender = sender

    def task(self, kind: str, **declared: Unpack[TaskOptions]) -> _Decorator:
        """Declare a task: `@tasks.task("email:send", retries=3)`.  Raises ConfigError: unknown option, taken kind."""
        if not isinstance(kind, str) or not kind.strip():
            raise ConfigError('A task needs a kind, its name in the storage: @jobs.task("email:send").')
        check_names({k: v for k, v in declared.items() if k not in _TASK_ONLY}, f'Task "{kind}"')
        new_job(kind, b"", {k: v for k, v in declared.items() if k not in _TASK_ONLY})  # type: ignore[arg-type]

        def declare(function: Callable[..., Any]) -> Task[..., Any]:
            kinds = (kind, *declared.get("aliases", ()))
            for each in kinds:
                self._refuse_taken(each, function)
            task: Task[..., Any] = Task(function, kind, declared, self)
            self._tasks.update(dict.fromkeys(kinds, task))
            if declared.get("prefix"):
                self.prefixes = tuple(sorted({*self.prefixes, kind}, key=len, reverse=True))
            return task

        return declare  # type: ignore[return-value]

    def _refuse_taken(self, kind: str, function: Callable[..., Any]) -> None:
        taken = self._tasks.get(kind)
        if taken is not None and taken.function.__qualname__ != function.__qualname__:
            raise ConfigError(f'The kind "{kind}" is taken by {taken!r}. Give this task another.')

    def schedule(self, task: Makes, schedule: Schedule, spec: str, *, id: str | None, on_start: bool) -> PeriodicEntry:
        """Enqueue this task by the clock.  Raises ConfigError when the id is taken."""
        entry = PeriodicEntry(id or task.kind, task, schedule, spec, on_start)
        self._reschedule([*self.periodic, entry])
        return entry

    def exchange(self, source: Source, wanted: Sequence[PeriodicEntry]) -> None:
        """Take what a source says now for what it said before.  Raises ConfigError when two ids are the same."""
        others = [entry for entry in self.periodic if entry not in source.entries]
        self._reschedule([*others, *wanted])
        source.entries = tuple(wanted)

    def _reschedule(self, entries: Sequence[PeriodicEntry]) -> None:
        seen: set[str] = set()
        for entry in entries:
            if entry.id in seen:
                raise ConfigError(f'Two schedules have the id "{entry.id}". Give one of them an id=… of its own.')
            seen.add(entry.id)
        self.periodic[:] = entries  # workers hold this very list

    def unschedule(self, id: str) -> None:
        """Take back what `schedule` said.  Raises ScheduleNotFound."""
        for entry in self.periodic:
            if entry.id == id:
                self.periodic.remove(entry)
                return
        raise ScheduleNotFound(id, {entry.id for entry in self.periodic})

    def aggregate(self, aggregation: Aggregation) -> None:
        """Say what is done with groups.  Raises ConfigError when that was said before."""
        if self.aggregation is not None:
            raise ConfigError("What becomes of groups was said before. Let one function decide by the group's name.")
        self.aggregation = aggregation


class _Decorator(Protocol):
    """Keeps the function's own signature, without the running job that the worker fills in."""

    @overload
    def __call__(self, function: Callable[Concatenate[Job, P], R], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


def _run(function: Callable[..., Any], kind: str, declared: str | None) -> Run:
    is_async = inspect.iscoroutinefunction(function)
    if declared is None:
        return "async" if is_async else "thread"
    if declared not in ("async", "thread", "process"):
        raise ConfigError(f'Task "{kind}" has run="{declared}". It takes "async", "thread" or "process".')
    if is_async != (declared == "async"):
        written = "async def" if is_async else "def"
        raise ConfigError(f'Task "{kind}" has run="{declared}" but is written with {written}. Change one of them.')
    return declared  # type: ignore[return-value]
