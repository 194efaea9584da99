"""What the pages' buttons do: each changes something, goes back, and says what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from starlette.responses import Response

from ferryman.admin.outcomes import ActionOutcome
from ferryman.errors import ConfigError
from ferryman.job import JobRef
from ferryman.storage.values import Action
from ferryman.web import replies
from ferryman.web.entrance.access import Level, require
from ferryman.web.pages.job import show
from ferryman.web.refusals import Refusal
from ferryman.web.sharing import within_time
from ferryman.web.visit import Visit

__all__ = [
    "act",
    "delete_queue",
    "pause",
    "pause_periodic",
    "read_action",
    "resume",
    "resume_periodic",
    "reveal",
    "run",
]

_MOST = 1_000
_SKIPPED = {
    "skipped_state": "in another state",
    "not_found": "not stored any more",
    "conflict_unique": "another job with the same unique key is there",
    "refused": "refused",
}


async def act(visit: Visit) -> Response:
    """Do the same with the jobs that were chosen."""
    form = await visit.form()
    action = read_action(str(form.get("action", "")))
    refs = [JobRef.parse(str(text)) for text in form.getlist("ref")][:_MOST]
    back = visit.within(str(form.get("back", "")), visit.url("jobs"))
    if not refs:
        return replies.back(visit, "No job was selected, and nothing was changed.", back, tone="warn")
    outcomes = await visit.changes.act(action, refs, str(form.get("reason", "")))
    await visit.place.changed()
    text, tone = _said(action, outcomes)
    return replies.back(visit, text, back, tone=tone)


async def pause(visit: Visit) -> Response:
    """Pause queues."""
    names, reason, back = await _queues(visit)
    for name in names:
        await visit.changes.pause(name, reason)
    return await _done(visit, f"Paused {_listed(names)}. Running jobs finish; new ones wait.", back)


async def resume(visit: Visit) -> Response:
    """Resume queues."""
    names, reason, back = await _queues(visit)
    for name in names:
        await visit.changes.resume(name, reason)
    return await _done(visit, f"Resumed {_listed(names)}.", back)


async def delete_queue(visit: Visit) -> Response:
    """Delete a queue that holds no job."""
    form = await visit.form()
    name = str(form.get("name", ""))
    await visit.changes.delete_queue(name)
    return await _done(visit, f"Deleted the queue {name}.", visit.url("queues"))


async def run(visit: Visit) -> Response:
    """Enqueue the job of a periodic entry now."""
    form = await visit.form()
    key = str(form.get("key", ""))
    stored = await visit.changes.run_periodic(key)
    back = visit.within(str(form.get("back", "")), visit.url("periodic"))
    return await _done(visit, f"Enqueued {key} as job {stored.ref}. Its schedule stays as it is.", back)


async def pause_periodic(visit: Visit) -> Response:
    """Pause a periodic entry."""
    form = await visit.form()
    key = str(form.get("key", ""))
    await visit.changes.pause_periodic(key, str(form.get("reason", "")))
    back = visit.within(str(form.get("back", "")), visit.url("periodic"))
    return await _done(visit, f"Paused {key}. What is due meanwhile is left out.", back)


async def resume_periodic(visit: Visit) -> Response:
    """Resume a periodic entry."""
    form = await visit.form()
    key = str(form.get("key", ""))
    await visit.changes.resume_periodic(key)
    return await _done(visit, f"Resumed {key}.", visit.within(str(form.get("back", "")), visit.url("periodic")))


async def reveal(visit: Visit) -> Response:
    """Show a job with what is hidden, to somebody who may see it and says why."""
    form = await visit.form()
    reason, ref = str(form.get("reason", "")).strip(), JobRef.parse(str(form.get("ref", "")))
    require(Level.VIEW, visit.access)
    if not visit.access.reveal:
        raise Refusal(403, "role", "This takes the right to reveal, which you do not have.")
    if not reason:
        raise Refusal(400, "no_reason", "Say why you want to see what is hidden; it is written to the audit log.")
    with visit.board.deeds.counting("job.reveal"):
        job = await within_time(visit.place.admin.jobs.get(ref))
    visit.audit.write("job.reveal", [str(ref)], reason)
    return await show(visit, job, revealed=True)


def read_action(text: str) -> Action:
    """Read an action.  Raises ConfigError when there is none of this name."""
    try:
        return Action({"archive": "discard"}.get(text, text))
    except ValueError:
        raise ConfigError(f'There is no action "{text}". There are: {", ".join(Action)}.') from None


async def _queues(visit: Visit) -> tuple[list[str], str, str]:
    form = await visit.form()
    names = [str(name) for name in form.getlist("name") if name]
    if not names:
        raise Refusal(400, "no_queue", "No queue was named, and nothing was changed.")
    return names, str(form.get("reason", "")), visit.within(str(form.get("back", "")), visit.url("queues"))


async def _done(visit: Visit, said: str, back: str) -> Response:
    await visit.place.changed()
    return replies.back(visit, said, back)


def _said(action: Action, outcomes: Sequence[ActionOutcome]) -> tuple[str, str]:
    """Say what became of the jobs: "Retried 3. Skipped 1: already running."."""
    done = sum(each.what == "done" for each in outcomes)
    skipped = [each for each in outcomes if each.what != "done"]
    if len(outcomes) == 1 and skipped:
        return f"Nothing was done. {skipped[0].why}", "warn"
    parts = [f"{action.done.capitalize()} {done}."] if done else ["Nothing was done."]
    if skipped:
        reasons = Counter(_reason(each) for each in skipped)
        parts.append(
            f"Skipped {len(skipped)}: " + ", ".join(_times(why, number) for why, number in reasons.items()) + "."
        )
    return " ".join(parts), "ok" if not skipped else "warn"


def _reason(outcome: ActionOutcome) -> str:
    return (
        f"{outcome.state} now"
        if outcome.what == "skipped_state" and outcome.state
        else _SKIPPED.get(outcome.what, outcome.why)
    )


def _times(why: str, number: int) -> str:
    return why if number == 1 else f"{why} ({number})"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} queues"
