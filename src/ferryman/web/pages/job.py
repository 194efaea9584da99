"""One job: what happened to it, and what it carries (spec/dashboard.md 2.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from shlex import quote

from starlette.responses import Response

from ferryman.attempts import ran_by
from ferryman.fingerprint import fingerprint
from ferryman.job import FINAL, AttemptError, Job, JobRef, State
from ferryman.web import replies
from ferryman.web.formats import duration
from ferryman.web.pages.links import links_of
from ferryman.web.pages.parts import Act, Link, Note
from ferryman.web.pages.payloads import Payload, formatted, logs_in, payload, result_and_rest
from ferryman.web.pages.rows import acts_for
from ferryman.web.pages.traces import Frames, frames
from ferryman.web.reading import whole_job
from ferryman.web.visit import Visit

__all__ = ["page", "show"]


@dataclass(frozen=True)
class Moment:
    """A line of the timeline; only `gap` is given for what lies between two."""

    shape: str = ""
    what: str = ""
    note: str = ""
    at: datetime | None = None
    gap: str = ""


@dataclass(frozen=True)
class Now:
    """The attempt that runs."""

    worker: str
    since: datetime | None
    deadline: datetime | None
    share: float | None


@dataclass(frozen=True)
class Failure:
    """The error of one attempt."""

    attempt: int
    message: str
    copy: str
    frames: Sequence[Frames]
    others: Sequence[Link]
    group_url: str
    group_label: str


@dataclass(frozen=True)
class Fact:
    """One thing that is known of it, or is not, for a reason that is the `note`."""

    name: str
    value: str | None = None
    at: datetime | None = None
    tags: Sequence[str] = ()
    url: str = ""
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """Some of them, under a heading."""

    title: str
    facts: Sequence[Fact]


@dataclass(frozen=True)
class JobShown:
    """The page."""

    ref: JobRef
    kind: str
    state: str
    back: Link
    command: str
    actions: Sequence[Act]
    notes: Sequence[Note]
    running: Now | None
    error: Failure | None
    timeline: Sequence[Moment]
    timeline_note: str
    payloads: Sequence[Payload]
    logs: str
    facts: Sequence[Facts]
    links: Sequence[Link]


async def page(visit: Visit) -> Response:
    """Show one job."""
    return await show(visit, await whole_job(visit))


async def show(visit: Visit, job: Job, *, revealed: bool = False) -> Response:
    """Show a job, with what is hidden only where somebody may see it and has said why."""
    hidden = visit.place.redaction.job(job)
    safe = job if revealed else hidden
    shown = JobShown(
        ref=job.ref,
        kind=job.kind,
        state=job.state.value,
        back=Link("Jobs", visit.url("jobs", state=job.state.value)),
        command=f"ferryman job show {quote(str(job.ref))}",
        actions=acts_for((job.state,), visit.place, number=1),
        notes=list(_notes(visit, safe)),
        running=_running(visit, safe),
        error=_error(visit, safe),
        timeline=list(_timeline(safe)),
        timeline_note=_timeline_note(visit, safe),
        payloads=list(_payloads(visit, job, safe)),
        logs=logs_in(safe.raw_metadata),
        facts=list(_facts(visit, safe)),
        links=links_of(visit, hidden),
    )
    return await replies.page(visit, "job.html", shown)


def _notes(visit: Visit, job: Job) -> Iterator[Note]:
    if job.cancel_requested_at and job.state is State.RUNNING:
        since = duration((visit.now - job.cancel_requested_at).total_seconds())
        yield Note(
            "warn", f"Cancel was asked {since} ago; the worker has not answered. A task is asked to stop, not forced."
        )
    if job.orphaned:
        yield Note("warn", "No worker has said lately that it runs this job. It is taken back within a minute or so.")
    if job.unreadable:
        yield Note("bad", f"Its {job.unreadable} cannot be read, so every attempt fails.")


def _running(visit: Visit, job: Job) -> Now | None:
    if job.state is not State.RUNNING:
        return None
    since, until = job.attempted_at, job.deadline
    share = None
    if since and until and until > since:
        share = min(max((visit.now - since) / (until - since), 0.0), 1.0)
    return Now(job.attempted_by[-1] if job.attempted_by else "an unknown worker", since, until, share)


def _error(visit: Visit, job: Job) -> Failure | None:
    if not job.errors:
        return None
    wanted = visit.query.get("attempt", "")
    chosen = next((each for each in job.errors if str(each.attempt) == wanted), job.errors[-1])
    group = fingerprint(job.kind, job.errors[-1])
    state = job.state.value if job.state in (State.DISCARDED, State.RETRYABLE) else ""
    return Failure(
        attempt=chosen.attempt,
        message=chosen.error,
        copy=f"{chosen.error}\n{chosen.trace}".rstrip(),
        frames=frames(chosen.trace),
        others=_others(visit, job, chosen),
        group_url=visit.url("group", fp=group, state=state) if state else "",
        group_label="Jobs with the same error",
    )


def _others(visit: Visit, job: Job, chosen: AttemptError) -> list[Link]:
    if len(job.errors) < 2:
        return []
    return [
        Link(
            f"Attempt {each.attempt}",
            visit.url("job", id=job.ref.id, queue=job.ref.queue, attempt=each.attempt),
            each is chosen,
        )
        for each in reversed(job.errors)
    ]


def _timeline(job: Job) -> Iterator[Moment]:
    if job.created_at:
        yield Moment("pending", "Created", at=job.created_at)
    if job.created_at and job.scheduled_at > job.created_at and not job.errors:
        yield Moment("scheduled", "Due", at=job.scheduled_at)
    before: AttemptError | None = None
    for error in job.errors:
        if before is not None:
            yield Moment(gap=f"{duration((error.at - before.at).total_seconds())} later")
        note = _note(error.worker or ran_by(job, error.attempt), error.error)
        yield Moment("discarded", f"Attempt {error.attempt} failed", note, error.at)
        before = error
    yield from _latest(job)


def _latest(job: Job) -> Iterator[Moment]:
    """Return what is not a failed attempt: what runs, what ended it, what comes."""
    if job.state is State.RUNNING:
        yield Moment("running", f"Attempt {job.attempt} runs", _note(ran_by(job, job.attempt), ""), job.attempted_at)
    elif job.state in FINAL and job.finalized_at:
        yield Moment(job.state.value, job.state.value.capitalize(), _how_it_ended(job), job.finalized_at)
    elif job.state in (State.RETRYABLE, State.SCHEDULED):
        yield Moment(job.state.value, f"Attempt {job.attempt + 1} is due", "", job.scheduled_at)
    elif job.state is State.AVAILABLE:
        yield Moment("available", "Available: the next free worker takes it", "", job.scheduled_at)


def _how_it_ended(job: Job) -> str:
    if job.state is State.DISCARDED:
        return _joined(_ran(job), "no attempts left") if job.last else "gave up before its last attempt"
    if job.state is State.COMPLETED and (ran := _ran(job)):
        return ran + (f" on {job.attempted_by[-1]}" if job.attempted_by else "")
    return ""


def _ran(job: Job) -> str:
    if not (job.attempted_at and job.finalized_at):
        return ""
    return f"attempt {job.attempt} ran {duration((job.finalized_at - job.attempted_at).total_seconds())}"


def _note(worker: str, error: str) -> str:
    return _joined(f"on {worker}" if worker else "", error.partition("\n")[0][:200])


def _joined(*parts: str) -> str:
    return ". ".join(part for part in parts if part)


def _timeline_note(visit: Visit, job: Job) -> str:
    if visit.place.asynq and job.attempt > len(job.errors) > 0 and job.state is not State.RUNNING:
        return "Go's workers record only the latest error"
    return ""


def _payloads(visit: Visit, job: Job, safe: Job) -> Iterator[Payload]:
    pretty = formatted(visit, safe)
    yield payload(visit, "Arguments", safe.args, hidden=safe.args != job.args, none="No arguments.", pretty=pretty)
    result, rest = result_and_rest(safe.raw_metadata)
    hidden_result, hidden_rest = result_and_rest(job.raw_metadata)
    if result:
        yield payload(visit, "Result", result, hidden=result != hidden_result, none="")
    if rest not in (b"{}", b""):
        yield payload(visit, "Metadata", rest, hidden=rest != hidden_rest, none="")
    if safe.headers:
        text = "\n".join(f"{name}: {value}" for name, value in safe.headers.items()).encode()
        yield payload(visit, "Headers", text, hidden=safe.headers != job.headers, none="")


def _facts(visit: Visit, job: Job) -> Iterator[Facts]:
    unknown = "asynq does not record it" if visit.place.asynq else "not recorded"
    yield Facts(
        "Job",
        [
            Fact("Queue", job.queue, url=visit.url("queue", name=job.queue)),
            Fact("Attempt", f"{job.attempt} of {job.max_attempts}"),
            *([Fact("Priority", str(job.priority))] if job.priority else []),
            *([Fact("Tags", tags=job.tags)] if job.tags else []),
            *([Fact("Group", job.group)] if job.group else []),
            *([Fact("Timeout", duration(job.timeout))] if job.timeout else []),
            *([Fact("Unique", "yes", note=f"key {job.unique_key.hex()[:12]}…")] if job.unique_key else []),
            *([Fact("Retention", duration(job.retention))] if job.retention else []),
        ],
    )
    times = [
        Fact("Created", at=job.created_at, note="" if job.created_at else unknown),
        # asynq forgets when a job was due as soon as it runs.
        Fact("Due", at=job.scheduled_at if job.scheduled_at.year > 1970 else None, note="not recorded"),
        Fact("Started", at=job.attempted_at, note="" if job.attempted_at else "not started yet, or not recorded"),
        Fact("Ended", at=job.finalized_at, note="" if job.finalized_at else "not ended yet"),
        *([Fact("Deadline", at=job.deadline)] if job.deadline else []),
    ]
    yield Facts("Times", times)
