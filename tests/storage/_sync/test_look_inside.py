# Generated from tests/storage/_async/test_look_inside.py by tools/unasync.py: change that file and run `make sync`.
"""Filters that have to look at each job, and failures gathered by what went wrong."""

from __future__ import annotations

import pytest

from ferryman.admin._sync.admin import Admin
from ferryman.errors import Unsupported
from ferryman.fingerprint import fingerprint
from ferryman.job import Job, State
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.filters import JobFilter
from storage._sync.acts import run, store
from storage.samples import NOW, discarded, failed, later, mail


def gave_up(storage: Storage, text: str = "no route to host", **said: object) -> Job:
    """Store a job that has failed for good."""
    job = run(storage, mail(**said))
    storage.jobs.finish([discarded(job, text)], now=NOW)
    return storage.jobs.get(job.ref)


def admin_of(storage: Storage) -> Admin:
    def open() -> Storage:
        return storage

    return Admin(open)


@pytest.mark.parametrize(
    "which",
    [
        JobFilter(error="NO ROUTE"),
        JobFilter(args={"to": "ada"}),
        JobFilter(args={"user.ids.1": "2", "n": "true"}),
        JobFilter(tags=("blue",)),
        JobFilter(states=(State.DISCARDED,), ended_since=NOW, ended_before=later(seconds=1)),
    ],
)
def test_jobs_are_found_by_what_is_in_them(storage: Storage, which: JobFilter) -> None:
    args = b'{"to":"ada","user":{"ids":[1,2]},"n":true}'
    wanted = gave_up(storage, args=args, tags=("blue", "red"))
    store(storage, mail(args=b'{"to":"bob"}', tags=("red",)))
    store(storage, mail(args=b"[]"))

    assert [job.ref for job in (storage.jobs.list(which)).items] == [wanted.ref]
    assert storage.jobs.count(which) == {State.DISCARDED: 1}


def test_jobs_are_found_by_who_runs_them(storage: Storage) -> None:
    store(storage)

    assert (storage.jobs.list(JobFilter(worker="nobody"))).items == []


def test_pages_of_what_was_looked_for_have_no_gap_and_no_double(storage: Storage) -> None:
    for number in range(7):
        store(storage, mail(args=b'{"odd":%s}' % (b"true" if number % 2 else b"false")))
    which = JobFilter(args={"odd": "false"})

    first = storage.jobs.list(which, limit=3)
    second = storage.jobs.list(which, limit=3, cursor=first.next)

    assert (len(first.items), len(second.items), second.next) == (3, 1, None)
    assert len({job.ref for job in [*first.items, *second.items]}) == 4


def test_failures_are_gathered_by_what_went_wrong(storage: Storage) -> None:
    for number in range(3):
        gave_up(storage, f"TimeoutError: took {number} s")
    other = gave_up(storage, "KeyError: 'x'", queue="low")
    again = run(storage)
    storage.jobs.finish([failed(again, again=later(hours=1))], now=NOW)

    found = admin_of(storage).failed.groups(now=later(minutes=90))

    assert [(group.count, group.error) for group in found.groups] == [
        (3, "TimeoutError: took <n> s"),
        (1, "KeyError: <text>"),
    ]
    assert (found.groups[0].last_hour, found.groups[0].last_day) == (0, 3)
    assert (found.groups[1].queues, found.groups[1].latest) == (("low",), (other.ref,))
    assert (found.scanned, found.of, found.truncated) == (4, 4, False)


def test_a_group_leads_to_its_jobs(storage: Storage) -> None:
    one = gave_up(storage, "took 1 s")
    gave_up(storage, "no such user")
    two = gave_up(storage, "took 2 s")

    group = (admin_of(storage).failed.groups(now=NOW)).groups[0]
    page = storage.jobs.list(JobFilter(fingerprint=group.fingerprint))

    assert group.fingerprint == fingerprint("mail", one.errors[-1])
    assert {job.ref for job in page.items} == {one.ref, two.ref}


def test_what_was_not_looked_at_is_said(storage: Storage) -> None:
    for _ in range(5):
        gave_up(storage)

    found = admin_of(storage).failed.groups(sample=3, now=NOW)

    assert (found.groups[0].count, found.scanned, found.of, found.truncated) == (3, 3, 5, True)


def test_failures_that_will_be_tried_again_are_gathered_when_asked_for(storage: Storage) -> None:
    again = run(storage)
    storage.jobs.finish([failed(again, again=later(hours=1))], now=NOW)

    found = admin_of(storage).failed.groups(JobFilter(states=(State.RETRYABLE,)), now=NOW)

    assert [(group.count, group.latest) for group in found.groups] == [(1, (again.ref,))]


def test_where_jobs_are_in_no_group_none_is_looked_for(storage: Storage) -> None:
    store(storage)

    if storage.groups is not None:
        assert (storage.jobs.list(JobFilter(group="news"))).items == []
        return
    with pytest.raises(Unsupported, match="none is in"):
        storage.jobs.list(JobFilter(group="news"))
    with pytest.raises(Unsupported, match="none is in"):
        storage.jobs.count(JobFilter(group="news"))
