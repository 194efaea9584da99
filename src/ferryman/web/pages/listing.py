"""A list of jobs as several pages show it: its filters, its rows, where it goes on, and why it is empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ferryman.job import State
from ferryman.storage.matching import looks_inside
from ferryman.web.collector import Sight
from ferryman.web.filters import Chosen
from ferryman.web.pages.parts import Choice, Empty, Field, Form, Link, Pager
from ferryman.web.pages.rows import JobList, acts_for, row
from ferryman.web.reading import jobs_page
from ferryman.web.visit import Visit

__all__ = ["Chip", "chips", "filter_form", "job_list"]

_LABELS = {"fp": "error group", "older_than": "older than", "ended_since": "ended since"}
_SINCE = ("", "15m", "1h", "6h", "24h", "7d")


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address without it."""

    name: str
    text: str
    url: str


def chips(visit: Visit, chosen: Chosen, name: str, fixed: Sequence[str] = ()) -> list[Chip]:
    """Return the filters in force; what the page itself fixes is not among them."""
    return [
        Chip(_LABELS.get(word[0], word[0]), word[1], _address(visit, name, chosen.without(word), fixed))
        for word in chosen.words
        if word[0] not in fixed and word[0] != "state"
    ]


def filter_form(visit: Visit, sight: Sight, chosen: Chosen, *, fixed: Sequence[str] = (), name: str = "jobs") -> Form:
    """Return the fields that narrow a list."""
    said = dict(chosen.words)
    queues = sorted(queue.name for queue in sight.queues.value)
    kinds = sorted({kind for worker in sight.workers.value for kind in worker.kinds})
    since = [Choice(each, each or "any time") for each in _SINCE]
    if said.get("since", "") not in _SINCE:
        since.append(Choice(said["since"], said["since"]))
    fields = [
        Field("queue", "Queue", said.get("queue", ""), choices=[Choice("", "any"), *(Choice(q, q) for q in queues)]),
        Field("kind", "Kind", said.get("kind", ""), "any", suggestions=kinds),
        Field("since", "Created", said.get("since", ""), choices=since),
        Field("error", "Error contains", said.get("error", ""), "timeout", wide=True),
    ]
    more = [
        Field("args", "Argument", said.get("args", ""), "user.id=7"),
        Field("tag", "Tag", said.get("tag", "")),
        Field("priority", "Priority", said.get("priority", ""), "1"),
        Field("worker", "Worker", said.get("worker", "")),
        Field("older_than", "Older than", said.get("older_than", ""), "24h"),
        Field("fp", "Error group", said.get("fp", "")),
        Field(
            "order",
            "Order",
            visit.query.get("order", ""),
            choices=[Choice("", "newest first"), Choice("oldest", "oldest first")],
            disabled="asynq lists the newest first" if visit.place.asynq else "",
        ),
    ]
    return Form(
        fields=[each for each in fields if each.name not in fixed],
        more=more,
        more_open=any(each.value for each in more),
        hidden={word: said[word] for word in ("state", *fixed) if word in said},
        clear_url=_address(visit, name, [word for word in chosen.words if word[0] in ("state", *fixed)], fixed)
        if any(word[0] not in ("state", *fixed) for word in chosen.words)
        else "",
    )


async def job_list(visit: Visit, chosen: Chosen, name: str, fixed: Sequence[str] = ()) -> JobList:
    """Return a page of the jobs that are chosen."""
    likes = visit.likes
    found = await jobs_page(visit, chosen.which, limit=likes.size)
    rows = [row(job, visit.place, args=likes.args) for job in found.items]
    cursor = visit.query.get("cursor", "")
    older = _address(visit, name, chosen.words, fixed, cursor=found.next) if found.next else ""
    short = bool(found.next) and len(rows) < likes.size and looks_inside(chosen.which)
    return JobList(
        jobs=rows,
        text=_text(len(rows), short, visit.query.get("order") or "newest"),
        pager=Pager(
            newer=_address(visit, name, chosen.words, fixed) if cursor else "",
            newer_label="Newest",
            older="" if short else older,
        ),
        actions=acts_for(chosen.which.states, visit.place),
        empty=_empty(visit, chosen, name, fixed, short),
        all_url=visit.url("bulk_preview", **_query(chosen.words)) if chosen.words and found.next else "",
        all_label="Select all that match",
        further=older if short else "",
    )


def _text(number: int, short: bool, first: str) -> str:
    shown = "1 job" if number == 1 else f"{number} jobs"
    return f"{shown} so far: the {first} ones were searched" if short else shown


def _empty(visit: Visit, chosen: Chosen, name: str, fixed: Sequence[str], short: bool) -> Empty:
    narrowing = [word for word in chosen.words if word[0] not in ("state", *fixed)]
    if short:
        return Empty("Nothing found so far", "The newest jobs were searched, and none of them fits.")
    if narrowing:
        said = ", ".join(f"{_LABELS.get(word, word)} {value}" for word, value in narrowing)
        clear = _address(visit, name, [word for word in chosen.words if word not in narrowing], fixed)
        return Empty("No jobs match", f"Looked for {said}.", links=[Link("Clear filters", clear)])
    states = chosen.which.states
    if states == (State.COMPLETED,) and visit.place.asynq:
        return Empty("No completed jobs", 'asynq keeps them only when a retention is given: retention="24h".')
    if states:
        return Empty(f"No {' or '.join(states)} jobs")
    return Empty("No jobs", "Nothing has been enqueued yet.", "ferryman enqueue KIND '{}'")


def _query(words: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    query: dict[str, list[str]] = {}
    for word, value in words:
        query.setdefault(word, []).append(value)
    return query


def _address(
    visit: Visit, name: str, words: Sequence[tuple[str, str]], fixed: Sequence[str], cursor: str | None = None
) -> str:
    query: dict[str, object] = dict(_query(words))
    if "queue" in fixed:  # the page of a queue names it in a word of its own
        query = {("name" if word == "queue" else word): value for word, value in query.items()}
    return visit.url(name, **query, order=visit.query.get("order"), cursor=cursor)
