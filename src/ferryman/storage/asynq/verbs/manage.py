"""Looking at one job, and acting on it (spec/asynq.md 3.16 and 3.18 to 3.22).

What becomes of a job is decided by one script, which looks before it changes anything;
its answer says why it did not.  asynq has no state for what was cancelled: a waiting job
is archived with an error that says so, and its unique lock is freed, since somebody
decided that it is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from ferryman.errors import ConfigError, DuplicateJob, JobNotFound, StorageError, WrongState
from ferryman.job import FINAL, Job, JobRef, State
from ferryman.storage.asynq.attempts import with_remembered
from ferryman.storage.asynq.calls import Call, Command, Script, Value, Verb
from ferryman.storage.asynq.keys import CANCEL, QueueKeys
from ferryman.storage.asynq.messages import TASK
from ferryman.storage.asynq.tasks import StoredJob, job_from
from ferryman.storage.asynq.times import moment, seconds
from ferryman.storage.asynq.verbs.finish import trimming
from ferryman.storage.asynq.verbs.on_queue import on_queue
from ferryman.storage.asynq.verbs.queues import known_queues
from ferryman.storage.asynq.verbs.work import LEASE
from ferryman.storage.asynq.verbs.workers import running_tasks

__all__ = ["cancel", "delete", "discard", "get", "give_arguments", "reschedule", "retry"]

_CANCELLED = "JobCancelError: job cancelled while it waited"
_ACTIVE, _ALREADY, _CHANGED = -1, -2, -4


def get(ref: JobRef, *, history: bool = False) -> Verb[StoredJob]:
    """Return one job; without a queue in its address it is looked up in all.

    `history` adds the failed attempts that are remembered beside it.
    """
    queues = [ref.queue] if ref.queue else (yield from known_queues())
    replies = (yield [_read(QueueKeys(queue), ref.id) for queue in queues]) if queues else []
    found = [(queue, reply) for queue, reply in zip(queues, replies, strict=True) if reply and reply[0] is not None]
    if not found:
        raise JobNotFound(ref)
    if len(found) > 1:
        raise ConfigError(
            f"The queues {' and '.join(queue for queue, _ in found)} each have a job {ref.id}. "
            f"Say which, as in {JobRef(ref.id, found[0][0])}."
        )
    job = yield from _stored(ref.id, found[0][1])
    if not (history and job.failures):
        return job
    (kept,) = yield [Command(("LRANGE", QueueKeys(job.queue).attempts(job.id), 0, -1))]
    return replace(job, errors=with_remembered(job.errors, kept))


def cancel(ref: JobRef, *, now: datetime | None) -> Verb[Job]:
    """Archive a job that waits, or ask whoever runs it to stop; a finished one stays."""
    at = now or datetime.now(UTC)
    job = yield from get(ref)
    if job.state in FINAL:
        return job
    if job.state is State.RUNNING:
        yield [Command(("PUBLISH", CANCEL, job.id))]
        return job
    message = replace(job.message, error_msg=_CANCELLED, last_failed_at=seconds(at))
    (done,) = yield [_archive(job, at, message=TASK.encode(message), lock=job.message.unique_key)]
    if done in (_ACTIVE, _ALREADY, _CHANGED):
        return (yield from cancel(ref, now=at))  # it has moved on meanwhile
    _raise_unless(done, job, "cancelled")
    return (yield from get(job.ref))


def retry(ref: JobRef, *, now: datetime | None) -> Verb[Job]:
    """Make a job available now."""
    job = yield from get(ref)
    (done,) = yield [_run(job, now or datetime.now(UTC))]
    if isinstance(done, bytes):
        raise DuplicateJob(
            f"Job {job.ref} cannot run again: a newer job with the same unique key is there. Nothing was changed.",
            ref=JobRef(done.decode(), job.queue),
        )
    if done == _ALREADY:
        return job
    _raise_unless(done, job, "retried")
    return (yield from get(job.ref))


def reschedule(ref: JobRef, at: datetime) -> Verb[Job]:
    """Let a job that waits wait until another time; its unique lock ends when it would have ended."""
    job = yield from get(ref)
    (done,) = yield [_on_task("reschedule_task", job, datetime.now(UTC), due=seconds(at))]
    _raise_unless(done, job, "given another time")
    return (yield from get(job.ref))


def discard(ref: JobRef, *, now: datetime | None) -> Verb[Job]:
    """Give up on a job that waits, as asynq's inspector does: its message and its lock stay as they are."""
    job = yield from get(ref)
    (done,) = yield [_archive(job, now or datetime.now(UTC))]
    _raise_unless(done, job, "discarded")
    return (yield from get(job.ref))


def delete(ref: JobRef) -> Verb[Job]:
    """Delete a job that is not running, and free its unique lock."""
    job = yield from get(ref)
    (done,) = yield [_on_task("delete_task", job, datetime.now(UTC), lock=job.message.unique_key)]
    _raise_unless(done, job, "deleted")
    return job


def give_arguments(ref: JobRef, args: bytes) -> Verb[Job]:
    """Give a job that waits for its time another payload; its unique lock stays that of the one it had, as in asynq."""
    job = yield from get(ref)
    message = TASK.encode(replace(job.message, payload=args))
    keys = {"task": QueueKeys(job.queue).task(job.id)}
    (done,) = yield [Script("update_task", keys=keys, args={"seen": job.data, "message": message})]
    if done == _CHANGED:
        return (yield from give_arguments(ref, args))
    _raise_unless(done, job, "given other arguments")
    return (yield from get(job.ref))


def _raise_unless(done: int, job: StoredJob, what: str) -> None:
    match done:
        case 1:
            return
        case 0:
            raise JobNotFound(job.ref)
        case -1:
            raise WrongState(
                f"Job {job.ref} is running and cannot be {what}. Cancel it first, or wait until it has ended.",
                state=State.RUNNING,
            )
        case -2:
            text = f"Job {job.ref} is {job.state} and cannot be {what}. Nothing was changed."
            raise WrongState(text, state=job.state)
    if job.state is State.PENDING:
        raise WrongState(
            f"Job {job.ref} is being made into one job with the rest of its group and cannot be {what}. "
            "Look again in two minutes.",
            state=job.state,
        )
    raise StorageError(
        f"Job {job.ref} says that it is {job.state}, but the queue's list of such jobs does not have it, so it cannot "
        f"be {what}. Delete it, and enqueue it again if it is still wanted."
    )


def _read(keys: QueueKeys, id: str) -> Call:
    return Script("get_task", keys={"task": keys.task(id)}, args={"id": id, "queue_prefix": keys.prefix})


def _stored(id: str, reply: Sequence[Any]) -> Verb[StoredJob]:
    data, word, result, pending_since, score, lease = reply
    message = TASK.decode(data)
    running = None
    if word == b"active":
        running = (yield from running_tasks(message.queue, [id])).get(id)
        if running is None and lease:
            # A lease is this long, so this is when its worker took it, or said last that it is alive.
            running = moment(float(lease)) - LEASE, ()
    attempted_at, attempted_by = running or (None, ())
    orphaned = word == b"active" and (not lease or float(lease) <= datetime.now(UTC).timestamp())
    return job_from(
        message,
        word.decode(),
        data=data,
        score=None if score is None else float(score),
        pending_since=int(pending_since) if pending_since else None,
        result=result,
        attempted_at=attempted_at,
        attempted_by=attempted_by,
        orphaned=orphaned,
    )


def _run(job: StoredJob, now: datetime) -> Call:
    return _on_task("run_task", job, now, lock=job.message.unique_key)


def _archive(job: StoredJob, now: datetime, *, message: bytes = b"", lock: str = "") -> Call:
    seen = job.data if message else b""
    return _on_task("archive_task", job, now, seen=seen, message=message, lock=lock, **trimming(now))


def _on_task(script: str, job: StoredJob, now: datetime, **args: Value) -> Call:
    keys = QueueKeys(job.queue)
    task = {"task": keys.task(job.id), "attempts": keys.attempts(job.id)}
    return on_queue(script, job.queue, now, (), keys=task, id=job.id, queue_prefix=keys.prefix, **args)
