"""The lines of the log: what is said of each event, how loudly, and the values that stand beside it in JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ferryman import events as e
from ferryman.findings import Level
from ferryman.job import Job
from ferryman.named import in_words
from ferryman.outcome import Cancelled, Completed, Discarded, Outcome, Released, Retry, Snoozed, Uncounted

__all__ = ["LINES", "Line", "whence"]

logger = logging.getLogger("ferryman")

Line = tuple[int, str, Mapping[str, Any]]
"""A level, a sentence and its values."""


def _job(job: Job) -> dict[str, Any]:
    return {
        "job_id": str(job.ref),
        "kind": job.kind,
        "queue": job.queue,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
    }


def _named(job: Job) -> str:
    return f"{job.kind} {job.ref}"


def _started(event: e.JobStarted) -> Line:
    job = event.job
    return logging.INFO, f"{_named(job)} started (attempt {job.attempt} of {job.max_attempts})", _job(job)


def _finished(event: e.JobFinished) -> Line | None:
    if type(event.outcome) is Completed and event.state is not None and not logger.isEnabledFor(logging.INFO):
        return None
    job, after = event.job, f" after {_took(event.seconds)}" if event.seconds else ""
    values = {
        **_job(job),
        "outcome": type(event.outcome).__name__.lower(),
        "state": event.state,
        "seconds": event.seconds,
    }
    level, what = _outcome(event.outcome, job, event.seconds, after)
    error = getattr(event.outcome, "error", None)
    if error is not None:
        values |= {"error": error.error, "trace": error.trace}
    if event.state is None:
        return logging.WARNING, f"{_named(job)} ended{after}, but the job was no longer ours", values
    return level, f"{_named(job)} {what}", values


def _outcome(outcome: Outcome, job: Job, seconds: float, after: str) -> tuple[int, str]:
    attempt = f"attempt {job.attempt} of {job.max_attempts}"
    match outcome:
        case Completed():
            return logging.INFO, f"completed in {_took(seconds)}"
        case Uncounted(at=at, error=error):
            return logging.INFO, f"put off{after} (not counted; again at {at:%H:%M:%S} UTC): {error.error}"
        case Retry(at=at, error=error):
            return logging.WARNING, f"failed{after} ({attempt}; again at {at:%H:%M:%S} UTC): {error.error}"
        case Snoozed(until=until):
            return logging.INFO, f"snoozed{after} until {until:%H:%M:%S} UTC"
        case Cancelled(error=error):
            return logging.WARNING, f"cancelled{after}: {error.error}"
        case Discarded(error=error):
            return logging.ERROR, f"gave up{after} ({attempt}): {error.error}"
        case Released():
            return logging.INFO, f"went back unfinished{after}"


def _took(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _worker_started(event: e.WorkerStarted) -> Line:
    text = (
        f"worker ready: {len(event.kinds)} kinds, queues {' '.join(event.queues)}, "
        f"{event.concurrency} slots, storage {in_words(event.storage_name, event.storage)}{whence(event.origin)}"
    )
    values = {"worker": event.id, "queues": event.queues, "kinds": event.kinds, "concurrency": event.concurrency}
    where = {"storage": event.storage, "storage_name": event.storage_name, "origin": event.origin}
    return logging.INFO, text, {**values, **where}


def whence(origin: str) -> str:
    """Say where a setting came from, behind its value."""
    said = {"": "", "default": " (the default)", "argument": " (from the program)"}
    return said.get(origin, f" (from {origin})")


def _worker_quiet(event: e.WorkerQuiet) -> Line:
    why = f" ({event.why})" if event.why else ""
    text = f"worker quiet{why}: it takes no more jobs, {event.running} running"
    return logging.INFO, text, {"running": event.running, "why": event.why}


def _worker_stopping(event: e.WorkerStopping) -> Line:
    why = f" ({event.why})" if event.why else ""
    return logging.INFO, f"worker stopping{why}: {event.running} running", {"running": event.running, "why": event.why}


def _worker_stopped(event: e.WorkerStopped) -> Line:
    went = f"; {event.released} jobs went back" if event.released else ""
    lost = f"; what became of {event.unwritten} jobs could not be written" if event.unwritten else ""
    values = {"released": event.released, "unwritten": event.unwritten, "error": event.error and repr(event.error)}
    if event.error is not None:
        return logging.ERROR, f"worker ended by an error: {event.error!r}{went}{lost}", values
    return logging.WARNING if lost else logging.INFO, f"worker stopped{went}{lost}", values


def _process_started(event: e.ProcessStarted) -> Line:
    return logging.INFO, f"process {event.number} started (pid {event.pid})", {"pid": event.pid}


def _process_ended(event: e.ProcessEnded) -> Line:
    code = event.exit_code
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    again = "at the next change" if event.again_in is None else f"in {event.again_in:g} s"
    values = {"pid": event.pid, "exit_code": code, "again_in": event.again_in}
    return logging.WARNING, f"process {event.number} (pid {event.pid}) {how}; it is started again {again}", values


def _changed(event: e.CodeChanged) -> Line:
    first, *others = event.files
    more = f" and {len(others)} more" if others else ""
    return logging.INFO, f"{first}{more} changed: starting anew", {"files": event.files}


def _enqueued(event: e.JobEnqueued) -> Line:
    what = "was there already" if event.duplicate else "enqueued"
    values = {"job_id": str(event.ref), "kind": event.kind, "queue": event.queue, "duplicate": event.duplicate}
    return logging.DEBUG, f"{event.kind} {event.ref} {what} in {event.queue}", values


def _stuck(event: e.JobStuck) -> Line:
    text = (
        f"{_named(event.job)} ran out of its {event.timeout:g} s and goes on all the same: it keeps a slot until it "
        'returns. A plain function that may hang is stopped where it declares run="process"'
    )
    return logging.WARNING, text, _job(event.job)


def _unknown(event: e.UnknownKinds) -> Line:
    text = f"jobs wait whose kind no task here has: {', '.join(event.kinds)}. Import the modules that define them"
    return logging.WARNING, text, {"kinds": event.kinds}


def _service_failed(event: e.ServiceFailed) -> Line:
    text = f"{event.service} failed and is tried again: {event.error}"
    return logging.ERROR, text, {"service": event.service, "error": repr(event.error)}


def _service_back(event: e.ServiceBack) -> Line:
    return logging.INFO, f"{event.service} works again", {"service": event.service}


def _lost(event: e.StorageLost) -> Line:
    return logging.ERROR, f"storage does not answer: {event.error}", {"error": repr(event.error)}


def _back(event: e.StorageBack) -> Line:
    return logging.INFO, "storage answers again", {}


def _problem(event: e.ProblemFound) -> Line:
    found = event.finding
    level = logging.ERROR if found.level is Level.ERROR else logging.WARNING
    fix = f". To fix it: {found.fix}" if found.fix else ""
    return level, f"{found.id}: {found.text}{fix}", {"check": found.id, "fix": found.fix}


def _blocked(event: e.LoopBlocked) -> Line:
    running = ", ".join(event.running) or "nothing of ours"
    text = (
        f"the event loop has been blocked for {event.seconds:.1f} s; running: {running}. "
        "Write the task with plain def and it runs in a thread"
    )
    return logging.WARNING, text, {"seconds": event.seconds, "running": event.running}


def _acted(event: e.Acted) -> Line:
    by = f" by {event.actor}" if event.actor else ""
    why = f": {event.reason}" if event.reason else ""
    values = {"action": event.action, "target": event.target, "actor": event.actor, "reason": event.reason}
    return logging.INFO, f"{event.target} {event.action}{by}{why}", values


def _subscriber_failed(event: e.SubscriberFailed) -> Line:
    text = f"a subscriber of {type(event.event).__name__} failed: {event.error!r}"
    return logging.ERROR, text, {"event": type(event.event).__name__, "error": repr(event.error)}


def _result_dropped(event: e.ResultDropped) -> Line:
    return logging.WARNING, f"{_named(event.job)} completed, but its result was not kept: {event.why}", _job(event.job)


def _leader(event: e.LeaderChanged) -> Line:
    return logging.DEBUG, "this worker leads now" if event.leading else "this worker no longer leads", {}


def _listening(event: e.Listening) -> Line:
    level = logging.WARNING if event.lacking else logging.INFO
    why = f". {event.lacking}" if event.lacking else ""
    return level, f"hears of new jobs by {event.by}{why}", {"by": event.by, "lacking": event.lacking}


def _combined(event: e.GroupCombined) -> Line:
    text = f"{event.count} jobs of the group {event.group} became the job {event.ref}"
    return logging.INFO, text, {"group": event.group, "count": event.count, "job_id": str(event.ref)}


def _paused(event: e.QueuePaused) -> Line:
    return logging.INFO, f"queue {event.queue} is paused: no more jobs are taken from it", {"queue": event.queue}


def _resumed(event: e.QueueResumed) -> Line:
    return logging.INFO, f"queue {event.queue} goes on", {"queue": event.queue}


def _rebuilt(event: e.IndexRebuilt) -> Line:
    text = f"index {event.name} rebuilt in {_took(event.seconds)}"
    return logging.INFO, text, {"index": event.name, "seconds": event.seconds}


def _not_rebuilt(event: e.IndexSkipped) -> Line:
    return logging.WARNING, f"index {event.name} was not rebuilt: {event.why}", {"index": event.name, "why": event.why}


def _not_sent(event: e.OutboxRefused) -> Line:
    text = f"job {event.ref} stays in the outbox: {event.why}"
    return logging.WARNING, text, {"job_id": event.ref, "why": event.why}


def _counted(what: str) -> Callable[[Any], Line]:
    return lambda event: (logging.DEBUG, what.format(event.count), {"count": event.count})


def _rescued(event: e.JobsRescued) -> Line:
    return logging.WARNING, f"{event.count} jobs taken back from workers that died", {"count": event.count}


LINES: dict[type[e.Event], tuple[int, Callable[[Any], Line | None]]] = {
    e.Acted: (logging.INFO, _acted),
    e.CodeChanged: (logging.INFO, _changed),
    e.GroupCombined: (logging.INFO, _combined),
    e.IndexRebuilt: (logging.INFO, _rebuilt),
    e.IndexSkipped: (logging.WARNING, _not_rebuilt),
    e.JobEnqueued: (logging.DEBUG, _enqueued),
    e.JobFinished: (logging.ERROR, _finished),
    e.JobStarted: (logging.INFO, _started),
    e.JobStuck: (logging.WARNING, _stuck),
    e.JobsCleaned: (logging.DEBUG, _counted("{} old jobs deleted")),
    e.JobsFetched: (logging.DEBUG, _counted("{} jobs taken")),
    e.JobsRescued: (logging.WARNING, _rescued),
    e.JobsScheduled: (logging.DEBUG, _counted("{} jobs became available")),
    e.LeaderChanged: (logging.DEBUG, _leader),
    e.Listening: (logging.WARNING, _listening),
    e.LoopBlocked: (logging.WARNING, _blocked),
    e.OutboxRefused: (logging.WARNING, _not_sent),
    e.OutboxSent: (logging.DEBUG, _counted("{} jobs sent from the outbox")),
    e.ProcessEnded: (logging.WARNING, _process_ended),
    e.ProcessStarted: (logging.INFO, _process_started),
    e.ProblemFound: (logging.ERROR, _problem),
    e.QueuePaused: (logging.INFO, _paused),
    e.QueueResumed: (logging.INFO, _resumed),
    e.ResultDropped: (logging.WARNING, _result_dropped),
    e.ServiceBack: (logging.INFO, _service_back),
    e.ServiceFailed: (logging.ERROR, _service_failed),
    e.StorageBack: (logging.INFO, _back),
    e.StorageLost: (logging.ERROR, _lost),
    e.SubscriberFailed: (logging.ERROR, _subscriber_failed),
    e.UnknownKinds: (logging.WARNING, _unknown),
    e.WorkerQuiet: (logging.INFO, _worker_quiet),
    e.WorkerStarted: (logging.INFO, _worker_started),
    e.WorkerStopped: (logging.ERROR, _worker_stopped),
    e.WorkerStopping: (logging.INFO, _worker_stopping),
}
"""Each event, the highest level that its line can have, and the line."""
