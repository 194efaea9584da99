"""Everything that can be changed from the dashboard, and the only way to change it.

Pages and API go through one object, so they cannot differ in who may do what: it looks at
read-only and at the role before it asks the admin API, and it writes the audit line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from ferryman.admin.operations import BulkInfo
from ferryman.admin.outcomes import ActionOutcome
from ferryman.job import Inserted, JobRef, NewJob
from ferryman.redaction import USUAL
from ferryman.storage.filters import JobFilter
from ferryman.storage.values import Action
from ferryman.web.audit import Audit
from ferryman.web.bulks import Bulks
from ferryman.web.deeds import Deeds
from ferryman.web.entrance.access import Access, Level, needed, require, require_changes
from ferryman.web.filters import in_words

if TYPE_CHECKING:
    from ferryman.app import Ferryman

__all__ = ["Changes"]


class Changes:
    """What somebody changes in one storage."""

    def __init__(
        self, jobs: Ferryman, bulks: Bulks, access: Access, audit: Audit, deeds: Deeds, *, read_only: bool
    ) -> None:
        self._jobs = jobs
        self._admin = jobs.admin
        self._bulks = bulks
        self._access = access
        self._audit = audit
        self._deeds = deeds
        self._read_only = read_only

    async def act(self, action: Action, refs: Sequence[JobRef], reason: str = "") -> list[ActionOutcome]:
        """Do the same with each of these jobs, and say for each what became of it."""
        self._check(needed(action, many=len(refs) > 1))
        name = f"job.{action}"
        with self._deeds.counting_each(name) as ends:
            outcomes = await self._admin.jobs.act(action, refs, actor=self._access.name, reason=reason)
            ends += [each.what for each in outcomes]
        self._audit.write(name, [str(ref) for ref in refs], reason, ends)
        return [replace(each, why=USUAL.text(each.why)) for each in outcomes]

    async def pause(self, queue: str, reason: str = "") -> None:
        """Let nobody take jobs from a queue."""
        with self._doing("queue.pause", Level.OPERATE, queue, reason):
            await self._admin.queues.pause(queue, actor=self._access.name, reason=reason)

    async def resume(self, queue: str, reason: str = "") -> None:
        """Let workers take jobs from it again."""
        with self._doing("queue.resume", Level.OPERATE, queue, reason):
            await self._admin.queues.resume(queue, actor=self._access.name, reason=reason)

    async def delete_queue(self, queue: str, reason: str = "") -> None:
        """Forget a queue that holds no job."""
        with self._doing("queue.delete", Level.ADMIN, queue, reason):
            await self._admin.queues.delete(queue, actor=self._access.name, reason=reason)

    async def run_periodic(self, key: str, reason: str = "") -> Inserted:
        """Enqueue the job of a schedule now."""
        with self._doing("periodic.run", Level.OPERATE, key, reason) as outcomes:
            stored = await self._admin.periodic.run(key, actor=self._access.name, reason=reason)
            outcomes.append(str(stored.ref))
        return stored

    async def pause_periodic(self, key: str, reason: str = "") -> None:
        """Let nobody enqueue by this schedule."""
        with self._doing("periodic.pause", Level.OPERATE, key, reason):
            await self._admin.periodic.pause(key, actor=self._access.name, reason=reason)

    async def resume_periodic(self, key: str, reason: str = "") -> None:
        """Let it be enqueued again."""
        with self._doing("periodic.resume", Level.OPERATE, key, reason):
            await self._admin.periodic.resume(key, actor=self._access.name, reason=reason)

    async def enqueue(self, kind: str, args: bytes, **options: object) -> Inserted:
        """Store a job; a task of this kind checks its arguments.  Raises InvalidJob, ConfigError, Unsupported."""
        with self._doing("job.enqueue", Level.ADMIN, kind) as outcomes:
            stored = await self._jobs.enqueue(self._new(kind, args, {**options}))
            outcomes.append(str(stored.ref))
        return stored

    async def start_bulk(self, action: Action, which: JobFilter, expected: int, rate: float | None = None) -> BulkInfo:
        """Begin to act on every job that a filter means; the same one again is the one that is under way."""
        with self._doing(f"bulk.{action}", needed(action, many=True), in_words(which)) as outcomes:
            bulk = await self._bulks.start(action, which, expected, rate, self._access.name)
            outcomes.append(bulk.id)
        return bulk

    async def resume_bulk(self, id: str) -> BulkInfo:
        """Go on with one that was stopped, or that nobody works any more."""
        bulk = await self._bulks.admin.get(id)
        with self._doing("bulk.continue", needed(bulk.action, many=True), id):
            return await self._bulks.resume(id)

    async def stop_bulk(self, id: str) -> BulkInfo:
        """Stop it after its present step."""
        with self._doing("bulk.stop", Level.OPERATE, id):
            return await self._bulks.admin.stop(id, actor=self._access.name)

    @contextmanager
    def _doing(self, action: str, level: Level, target: str, reason: str = "") -> Iterator[list[str]]:
        """Let the block act on a target if this person may; count how it ends, and write what was done to the audit.

        The block may add what came of it, such as the job that it stored.
        """
        self._check(level)
        outcomes: list[str] = []
        with self._deeds.counting(action):
            yield outcomes
        self._audit.write(action, [target], reason, outcomes)

    def _new(self, kind: str, args: bytes, given: Any) -> NewJob:
        if kind not in self._jobs.tasks:
            return self._jobs.kind(kind).using(**given).job(args)
        task = self._jobs.tasks[kind]
        positional, named = task.arguments.decode(args)
        return task.using(**given).job(*positional, **named)

    def _check(self, level: Level) -> None:
        require_changes(self._read_only)
        require(level, self._access)
