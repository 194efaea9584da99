"""Jobs, by state and filter (spec/dashboard.md 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from starlette.responses import RedirectResponse, Response

from ferryman.errors import FerrymanError
from ferryman.job import State
from ferryman.web import replies
from ferryman.web.collector import Sight
from ferryman.web.filters import Chosen, read_chosen
from ferryman.web.pages.listing import chips, filter_form, job_list
from ferryman.web.pages.parts import Form, Tab
from ferryman.web.pages.rows import JobList
from ferryman.web.sharing import within_time
from ferryman.web.visit import Visit

__all__ = ["ORDER", "TONES", "page", "state_tabs"]

TONES = {State.DISCARDED: "bad", State.RETRYABLE: "warn"}
ORDER = (
    State.AVAILABLE,
    State.RUNNING,
    State.RETRYABLE,
    State.DISCARDED,
    State.SCHEDULED,
    State.PENDING,
    State.COMPLETED,
    State.CANCELLED,
)


@dataclass(frozen=True)
class Jobs:
    """The page."""

    states: Sequence[Tab]
    form: Form
    chips: Sequence[object]
    list: JobList
    command: str
    enqueue_url: str = ""


async def page(visit: Visit) -> Response:
    """Show jobs; a search for exactly one job goes to it."""
    found = await _searched(visit)
    if found is not None:
        return found
    chosen = read_chosen(visit.query, hides=visit.hides, now=visit.now)
    sight = await visit.place.collector.sight()
    jobs = await job_list(visit, chosen, "jobs")
    shown = Jobs(
        states=state_tabs(visit, sight, chosen),
        form=filter_form(visit, sight, chosen),
        chips=chips(visit, chosen, "jobs"),
        list=jobs,
        command=_command(chosen),
        enqueue_url=visit.url("enqueue"),
    )
    return await replies.page(visit, "jobs.html", shown)


def state_tabs(visit: Visit, sight: Sight, chosen: Chosen) -> list[Tab]:
    """Return a link per state, with how many there are in all queues."""
    others = [word for word in chosen.words if word[0] != "state"]
    current = chosen.which.states
    tabs = [Tab("All", _address(visit, others), not current, _sum(sight), reason=sight.queues.why)]
    for state in ORDER:
        number = sight.total(state)
        url = _address(visit, [("state", state.value), *others])
        tabs.append(
            Tab(state.value.capitalize(), url, current == (state,), number, TONES.get(state, ""), sight.queues.why)
        )
    return tabs


def _sum(sight: Sight) -> int | None:
    numbers = [sight.total(state) for state in State]
    return None if None in numbers else sum(number or 0 for number in numbers)


def _address(visit: Visit, words: Sequence[tuple[str, str]]) -> str:
    query: dict[str, list[str]] = {}
    for name, value in words:
        query.setdefault(name, []).append(value)
    return visit.url("jobs", **query, order=visit.query.get("order"))


async def _searched(visit: Visit) -> Response | None:
    """Return the way to the job that was searched by its id, if it was, and is there."""
    text = visit.query.get("q", "").strip()
    if not text or " " in text or len(text) > 200:
        return None
    try:
        job = await within_time(visit.place.admin.jobs.get(text))
    except FerrymanError:
        return None
    return RedirectResponse(visit.url("job", id=job.ref.id, queue=job.ref.queue), 303)


def _command(chosen: Chosen) -> str:
    options = {"state": "--state", "queue": "-Q", "kind": "--kind", "since": "--since", "older_than": "--older-than"}
    options |= {"error": "--error", "fp": "--fp", "args": "--args", "tag": "--tag", "worker": "--worker"}
    words = [f"{options[name]} {quote(value)}" for name, value in chosen.words if name in options]
    return " ".join(["ferryman job list", *words])
