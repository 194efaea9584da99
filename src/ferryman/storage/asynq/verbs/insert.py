"""Storing new jobs (spec/asynq.md 3.1 to 3.5).

The jobs of one queue travel together, a thousand in a script: all of them are stored, or
none where an id is taken.  Which queues there are is said every time, since another
program may have removed one meanwhile and nobody would see these jobs (D10).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from ferryman.errors import DuplicateJob
from ferryman.job import Inserted, JobRef, NewJob, State
from ferryman.storage.asynq.calls import Call, Command, Script, Stream, Streaming, Value, Verb
from ferryman.storage.asynq.keys import QUEUES, QueueKeys
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.newtasks import NewTask, new_tasks
from ferryman.storage.asynq.tasks import STATES
from ferryman.storage.asynq.verbs.on_queue import on_queue
from ferryman.storage.asynq.verbs.periodic import enqueue_events

__all__ = ["insert", "insert_fast"]

_MOST_JOBS = 1_000
_MOST_BYTES = 4_000_000

Load = list[tuple[int, NewJob]]
"""Jobs that travel together, each with its place among the answers."""

Sealed = tuple[int, NewTask, bytes]
"""A task, its place among the answers, and its message as bytes."""


def insert(jobs: Sequence[NewJob], *, now: datetime | None) -> Streaming[list[Inserted]]:
    """Store these jobs, and say of each where it is or which older one it repeats.  Raises DuplicateJob."""
    at = now or datetime.now(UTC)
    given = [JobRef(job.id, job.queue) for job in jobs if job.id is not None]
    if given:
        yield from _refuse_taken(given)
    queues = sorted({job.queue for job in jobs})
    if len(queues) > 1:
        yield [look for queue in queues for look in _look(QueueKeys(queue))]
    loads, replies = yield from _send(list(_loads(jobs)), Command(("SADD", QUEUES, *queues)), at)
    answers: list[Inserted] = [None] * len(jobs)  # type: ignore[list-item]
    for load, reply in zip(loads, replies, strict=True):
        for (place, task, _), answer in zip(load, _answers(load, reply), strict=True):
            answers[place] = _inserted(task, answer)
    yield from enqueue_events(jobs, answers, now=at)
    return answers


def _send(packed: Sequence[Load], first: Command, at: datetime) -> Streaming[tuple[list[list[Sealed]], list[Any]]]:
    """Seal and send one load after another: the server stores one while the next is made."""
    sealed: list[list[Sealed]] = []

    def lists() -> Iterator[list[Call]]:
        for load in packed:
            sealed.append(_sealed(load, at))
            call = _call(sealed[-1], at)
            yield [first, call] if len(sealed) == 1 else [call]

    _, *replies = yield (Stream(lists()) if len(packed) > 1 else next(lists()))
    return sealed, replies


def insert_fast(jobs: Sequence[NewJob], *, now: datetime | None) -> Streaming[int]:
    """Store these jobs and say how many are new.  Raises DuplicateJob."""
    answers = yield from insert(jobs, now=now)
    return sum(not answer.duplicate for answer in answers)


def _refuse_taken(refs: Sequence[JobRef]) -> Verb[None]:
    """Refuse ids that are taken before anything is stored: the scripts only look at their own thousand."""
    exist = yield [Command(("EXISTS", QueueKeys(ref.queue).task(ref.id))) for ref in refs]
    seen: set[JobRef] = set()
    for ref, exists in zip(refs, exist, strict=True):
        if exists or ref in seen:
            raise _taken(ref)
        seen.add(ref)


def _look(keys: QueueKeys) -> Iterator[Command]:
    """Let a key of the wrong type say so before another queue's jobs are stored."""
    yield Command(("LLEN", keys.pending))
    yield Command(("ZCARD", keys.scheduled))
    yield Command(("SCARD", keys.groups))


def _taken(ref: JobRef) -> DuplicateJob:
    return DuplicateJob(f"There is a job {ref} already. Nothing was stored.", ref=ref)


def _loads(jobs: Sequence[NewJob]) -> Iterator[Load]:
    """Split jobs into loads of one queue that a script can carry."""
    by_queue: dict[str, Load] = {}
    for place, job in enumerate(jobs):
        by_queue.setdefault(job.queue, []).append((place, job))
    for load in by_queue.values():
        begin, size = 0, 0
        for end, (_, job) in enumerate(load):
            if end > begin and (end - begin == _MOST_JOBS or size + len(job.args) > _MOST_BYTES):
                yield load[begin:end]
                begin, size = end, 0
            size += len(job.args)
        yield load[begin:]


def _sealed(load: Load, at: datetime) -> list[Sealed]:
    tasks = new_tasks([job for _, job in load], now=at)
    return [(place, task, TASK.encode(task.message)) for (place, _), task in zip(load, tasks, strict=True)]


def _call(load: Sequence[Sealed], at: datetime) -> Script:
    queue = load[0][1].message.queue
    rest: list[Value] = []
    if all(task.state is State.AVAILABLE and not task.lock and not task.tick for _, task, _ in load):
        for _, task, message in load:
            rest += (task.message.id, message)
        return on_queue("enqueue", queue, at, rest)
    for _, task, message in load:
        due = task.due if task.state is State.SCHEDULED else ""
        rest += (task.message.id, message, due, task.message.group_key, task.message.unique_key, task.lock, task.tick)
    return on_queue("place", queue, at, rest)


def _answers(load: Sequence[Sealed], reply: int | list[Any]) -> list[Any]:
    """Read what a script says of each job of its load.  Raises DuplicateJob when an id is taken."""
    if isinstance(reply, int):
        if reply:
            message = load[reply - 1][1].message
            raise _taken(JobRef(message.id, message.queue))
        return [1] * len(load)
    return reply


def _inserted(task: NewTask, answer: Any) -> Inserted:
    ref = JobRef(task.message.id, task.message.queue)
    if answer == 1:
        return Inserted(ref, state=task.state)
    holder, word = answer
    # A lock may outlive its job, which is then done as far as anybody can tell.
    state = STATES.get(word.decode(), State.COMPLETED)
    return Inserted(JobRef(holder.decode(), task.message.queue), duplicate=True, state=state)
