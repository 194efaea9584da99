"""Lists of jobs, and how many there are (spec/asynq.md 3.22).

Each queue keeps a collection for each state, in an order of its own: what came last, or
comes last, is first here.  A list goes through them one after another.  Where it goes on
is known by the last job that was seen, since places change while somebody looks.  Where a
state has an order of its own, by time and id, a list goes on behind the place which that
job had; where it has none, some may be seen twice when it has moved on, but none is passed over.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec

from ferryman.errors import ConfigError
from ferryman.job import Job, State
from ferryman.storage.asynq.calls import Call, Command, Script, Verb
from ferryman.storage.asynq.keys import QueueKeys
from ferryman.storage.asynq.seen import Attempted, SeenTask
from ferryman.storage.asynq.tasks import WORDS
from ferryman.storage.asynq.verbs.queues import known_queues, read_queues
from ferryman.storage.asynq.verbs.workers import running_tasks
from ferryman.storage.asynq.wire import WireError
from ferryman.storage.filters import JobFilter, Page
from ferryman.storage.matching import looks_inside, matches

__all__ = ["count", "list_jobs", "waiting_kinds"]

_AT_ONCE = 500
_MOST_LOOKED_AT = 5_000
_LISTS = ("active", "pending")
_ORDER = ("active", "pending", "scheduled", "retry", "aggregating", "archived", "completed")


class _Section(msgspec.Struct, frozen=True, order=True, array_like=True):
    """One collection.  `key` is given where the state has several."""

    queue: str
    rank: Annotated[int, msgspec.Meta(ge=0, lt=len(_ORDER))]
    key: str = ""

    @property
    def word(self) -> str:
        return _ORDER[self.rank]


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a list goes on: behind a job.  `mark` is the score that it had; without scores, a place before it."""

    section: _Section
    after: str = ""
    mark: Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)?$")] = "0"


def list_jobs(which: JobFilter, *, limit: int, cursor: str | None) -> Verb[Page[Job]]:
    """Return a page of jobs.  It may be short of `limit` and have a next one, when few of many match."""
    place = None if cursor is None else _read_cursor(cursor)
    jobs: list[Job] = []
    looked = 0
    for section in (yield from _sections(which)):
        if place is not None and section < place.section:
            continue
        if place is None or section > place.section:
            place = _Place(section)
        wanted = min(limit + 1 - len(jobs), _AT_ONCE)  # mostly nearly all match, or nearly none
        while rows := (yield from _rows(place, wanted, which)):
            for behind, task in rows:
                if task is not None and matches(which, task) and _is_in_time(which, task):
                    if len(jobs) == limit:
                        return Page(jobs, _cursor(place))
                    jobs.append(task.job)
                place = behind
            looked += len(rows)
            if looked >= _MOST_LOOKED_AT:
                return Page(jobs, _cursor(place))
            if len(rows) < wanted:
                break
            wanted = _AT_ONCE
    return Page(jobs)


def count(which: JobFilter) -> Verb[Mapping[State, int]]:
    """Return how many jobs there are, by state.  By kind or time they are counted one by one."""
    if _narrows(which):
        return (yield from _count_one_by_one(which))
    queues = yield from read_queues((yield from _queues(which)))
    counts: Counter[State] = Counter()
    for queue in queues:
        counts.update({state: n for state, n in queue.counts.items() if not which.states or state in which.states})
    return counts


def waiting_kinds(queues: Sequence[str], *, limit: int) -> Verb[Sequence[str]]:
    """Return kinds that wait near the head of these queues."""
    if not queues:
        return []
    replies = yield [_read_list(QueueKeys(name), QueueKeys(name).pending, "", -limit, limit) for name in queues]
    found = {task.kind for _, rows in replies for row in rows if (task := _seen(row, "pending", None)) is not None}
    return sorted(found)[:limit]


def _count_one_by_one(which: JobFilter) -> Verb[Mapping[State, int]]:
    counts: Counter[State] = Counter()
    page: Page[Job] = yield from list_jobs(which, limit=_MOST_LOOKED_AT, cursor=None)
    counts.update(job.state for job in page.items)
    while page.next is not None:
        page = yield from list_jobs(which, limit=_MOST_LOOKED_AT, cursor=page.next)
        counts.update(job.state for job in page.items)
    return counts


def _queues(which: JobFilter) -> Verb[Sequence[str]]:
    return sorted(which.queues) if which.queues else (yield from known_queues())


def _sections(which: JobFilter) -> Verb[list[_Section]]:
    """Return the collections that hold anything and may match, in their order."""
    wanted = [WORDS[state] for state in which.states if state in WORDS] if which.states else _ORDER
    found: list[_Section] = []
    for queue in (yield from read_queues((yield from _queues(which)))):
        words = [word for word in map(WORDS.__getitem__, queue.counts) if word in wanted]
        found += [_Section(queue.name, _ORDER.index(word)) for word in words if word != "aggregating"]
        if "aggregating" in words:
            found += yield from _groups(queue.name, which.group)
    return sorted(found)


def _groups(queue: str, only: str) -> Verb[list[_Section]]:
    """Return the collections of grouped jobs, or of one group: those that wait, and those that are being made into one.

    Of the latter some may be another group's: their keys do not tell, but each job knows.
    """
    keys = QueueKeys(queue)
    names, staged = yield [Command(("SMEMBERS", keys.groups)), Command(("ZRANGE", keys.aggregation_sets, 0, -1))]
    found = {keys.group(name.decode()) for name in names} | {key.decode() for key in staged}
    wanted = [key for key in found if not only or key == keys.group(only) or key.startswith(keys.group(only) + ":")]
    return [_Section(queue, _ORDER.index("aggregating"), key) for key in wanted]


def _rows(place: _Place, wanted: int, which: JobFilter) -> Verb[list[tuple[_Place, SeenTask | None]]]:
    """Read what comes behind a place: for each job the place behind it, and None for what cannot be meant."""
    section = place.section
    keys = QueueKeys(section.queue)
    key = section.key or keys.prefix + section.word
    if section.word in _LISTS:
        call = _read_list(keys, key, place.after, int(float(place.mark)), wanted)
    else:
        call = _read_zset(keys, key, place.after, place.mark, wanted)
    ((first, rows),) = yield [call]
    ids = [row[0].decode() for row in rows]
    kinds = [kind.encode() for kind in which.kinds]
    running = (yield from running_tasks(section.queue, ids)) if section.word == "active" else {}
    return [
        (
            _Place(section, id, (row[1] or b"%d" % first).decode()),
            _seen(row, section.word, running.get(id)) if _may_be_of(kinds, row[2]) else None,
        )
        for id, row in zip(ids, rows, strict=True)
    ]


def _may_be_of(kinds: Sequence[bytes], data: bytes | None) -> bool:
    """Whether a message can be of these kinds.  To read it takes twenty times as long as to look for their bytes."""
    return not kinds or any(kind in (data or b"") for kind in kinds)


def _read_list(keys: QueueKeys, key: str, after: str, start: int, count: int) -> Call:
    return Script(
        "list_tasks",
        keys={"tasks": key, "lease": keys.lease},
        args={"task_prefix": keys.task_prefix, "after": after, "start": start, "count": count},
    )


def _read_zset(keys: QueueKeys, key: str, after: str, score: str, count: int) -> Call:
    return Script(
        "list_entries",
        keys={"tasks": key},
        args={"task_prefix": keys.task_prefix, "after": after, "score": score, "count": count},
    )


def _seen(row: Sequence[Any], word: str, attempted: Attempted | None) -> SeenTask | None:
    """Look at a task, unless its hash has vanished or nobody can read its message: asynq's tools pass over such too."""
    if row[2] is None:
        return None
    try:
        return SeenTask(row, word, attempted)
    except WireError:
        return None


def _narrows(which: JobFilter) -> bool:
    return bool(which.kinds or which.since or which.before) or looks_inside(which)


def _is_in_time(which: JobFilter, task: SeenTask) -> bool:
    if which.since is None and which.before is None:
        return True
    job = task.job
    # asynq keeps no time of creation: the latest that is known of the job stands for it.
    at = job.created_at or job.finalized_at or job.attempted_at or job.scheduled_at
    return (which.since is None or at >= which.since) and (which.before is None or at < which.before)


def _cursor(place: _Place) -> str:
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _read_cursor(cursor: str) -> _Place:
    try:
        return msgspec.json.decode(urlsafe_b64decode(cursor), type=_Place)
    except (ValueError, msgspec.DecodeError) as error:
        raise ConfigError(f'"{cursor}" is not a cursor. Give the one that the page before ended with.') from error
