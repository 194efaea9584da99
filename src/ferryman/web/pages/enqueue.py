"""A form that stores one job (spec/dashboard.md 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import msgspec
from starlette.responses import Response

from ferryman.errors import ConfigError, FerrymanError
from ferryman.job import Job
from ferryman.web import replies
from ferryman.web.entrance.access import require_changes
from ferryman.web.reading import whole_job
from ferryman.web.refusals import refusal_for
from ferryman.web.visit import Visit

__all__ = ["page", "store"]

_LONGEST = 64 << 10


@dataclass(frozen=True)
class Typed:
    """What was typed into the form."""

    kind: str = ""
    args: str = "{}"
    queue: str = ""
    delay: str = ""
    unique: str = ""
    retries: str = ""


@dataclass(frozen=True)
class Enqueue:
    """The page."""

    typed: Typed
    kinds: Sequence[str]
    queues: Sequence[str]
    note: str
    error: str


async def page(visit: Visit) -> Response:
    """Show the form; the address may name the kind and the queue, or a job that the new one is to be like."""
    require_changes(visit.board.read_only)
    if {"id", "ref"} & visit.query.keys():
        job = await whole_job(visit)
        typed, note = _like(job, visit.place.redaction.job(job))
        return await _show(visit, typed, note=note)
    return await _show(visit, Typed(kind=visit.query.get("kind", ""), queue=visit.query.get("queue", "")))


async def store(visit: Visit) -> Response:
    """Store the job that was described, and go to it; what is wrong is said beside what was typed."""
    form = await visit.form()
    typed = Typed(**{each.name: str(form.get(each.name, "")).strip() for each in fields(Typed)})
    try:
        stored = await visit.changes.enqueue(typed.kind, _payload(typed.args), **_options(typed))
    except FerrymanError as error:
        refusal = refusal_for(error)
        if refusal.status >= 500:
            raise
        return await _show(visit, typed, refusal.detail, status=refusal.status)
    await visit.place.changed()
    job = visit.url("job", id=stored.ref.id, queue=stored.ref.queue)
    if stored.duplicate:
        return replies.back(
            visit, f"Nothing was stored: this job, which is {stored.state}, counts as the same.", job, tone="warn"
        )
    return replies.back(visit, f"Stored. It is {stored.state}.", job)


async def _show(visit: Visit, typed: Typed, error: str = "", *, note: str = "", status: int = 200) -> Response:
    sight = await visit.place.collector.sight()
    of_workers = (kind for worker in sight.workers.value for kind in worker.kinds)
    shown = Enqueue(
        typed=typed,
        kinds=sorted({*visit.place.jobs.tasks, *of_workers}),
        queues=sorted(queue.name for queue in sight.queues.value),
        note=note,
        error=error,
    )
    return await replies.page(visit, "enqueue.html", shown, status=status)


def _like(job: Job, safe: Job) -> tuple[Typed, str]:
    """Return what to type for a job like this one, and why its arguments are left out, if they are."""
    typed = Typed(kind=job.kind, queue=job.queue, retries=str(max(job.max_attempts - 1, 0)))
    if safe.args != job.args:
        return typed, "Some of the job's arguments are hidden, so none are copied. Type those of the new one."
    try:
        text = msgspec.json.format(job.args.decode(), indent=2)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return typed, "The job's arguments are no JSON, and cannot be typed here."
    if len(text) > _LONGEST:
        return typed, f"The job's arguments are {len(text):,} characters long: too long for this form."
    return replace(typed, args=text), ""


def _payload(text: str) -> bytes:
    """Return arguments as they were typed.  Raises ConfigError for what is no JSON."""
    try:
        msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError) as error:
        why = str(error).removeprefix("JSON is malformed: ")
        raise ConfigError(f'The arguments are no JSON: {why}. They take an object such as {{"to": "ada"}}.') from None
    return (text or "{}").encode()


def _options(typed: Typed) -> dict[str, object]:
    """Return what was said besides kind and arguments.  Raises ConfigError."""
    if not typed.kind:
        raise ConfigError("Say of which kind the job is, such as email:send.")
    given: dict[str, object] = {"queue": typed.queue, "delay": typed.delay, "unique": typed.unique}
    if typed.unique == "always":
        given["unique"] = True
    if typed.retries:
        given["retries"] = _number(typed.retries)
    return {name: value for name, value in given.items() if value}


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 5:
        raise ConfigError(f'Retries is "{text[:50]}". It takes a whole number, such as 3.')
    return int(text)
