"""Several programs at once, each in a thread and on a storage of its own: what the conformance suite does in turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TypeVar

import pytest

from ferryman.job import State
from ferryman.options import unique_for
from ferryman.storage._sync.protocol import Storage
from ferryman.storage.values import Feature
from storage._sync.acts import answer, run, states, take
from storage.places import Place
from storage.samples import NOW, completed, discarded, kept_mail, mail, needs

T = TypeVar("T")
PROGRAMS = 4


@pytest.fixture
def storages(place: Place, skip_what_it_lacks: Callable[[frozenset[Feature]], None]) -> Iterator[list[Storage]]:
    """Storages of several programs."""
    with ExitStack() as opened:
        storages = [opened.enter_context(place.open()) for _ in range(PROGRAMS)]
        skip_what_it_lacks(storages[0].features)
        yield storages


def at_once(storages: list[Storage], act: Callable[[Storage, str], T]) -> list[T]:
    """Let each storage act in a thread, all from the same moment on."""
    ready = Barrier(len(storages))

    def begin(storage: Storage, name: str) -> T:
        ready.wait()
        return act(storage, name)

    with ThreadPoolExecutor(len(storages)) as threads:
        return list(threads.map(begin, storages, ["ada", "bob", "cyd", "dan"]))


def test_racing_workers_share_the_jobs_out(storages: list[Storage]) -> None:
    storages[0].jobs.insert([mail()] * 200, now=NOW)

    def work(storage: Storage, name: str) -> list[str]:
        taken = []
        while jobs := take(storage, limit=3, worker=name):
            taken += [job.id for job in jobs]
        return taken

    taken = [id for each in at_once(storages, work) for id in each]

    assert len(taken) == len(set(taken)) == 200
    assert states(storages[0]) == {State.RUNNING: 200}


def test_of_racing_duplicates_one_is_stored(storages: list[Storage]) -> None:
    answers = at_once(storages, lambda storage, _: answer(storage, mail(unique=unique_for("1h"))))

    assert sorted(each.duplicate for each in answers) == [False, True, True, True]
    assert len({each.ref for each in answers}) == 1
    assert states(storages[0]) == {State.AVAILABLE: 1}


def test_of_racing_outcomes_one_is_written(storages: list[Storage]) -> None:
    job = run(storages[0], kept_mail())
    outcomes = {"ada": completed, "bob": completed, "cyd": discarded, "dan": discarded}

    answers = at_once(storages, lambda storage, name: storage.jobs.finish([outcomes[name](job)], now=NOW))

    # Who came while another held the row is told that the job still runs, and would try again.
    (written,) = [state for (state,) in answers if state not in (None, State.RUNNING)]
    assert storages[0].jobs.get(job.ref).state is written


@needs(Feature.LEADERS)
def test_of_racing_candidates_one_leads(storages: list[Storage]) -> None:
    terms = at_once(storages, lambda storage, name: storage.leaders.elect(name, term=None, now=NOW))

    assert sum(term is not None for term in terms) == 1


def test_racing_programs_lose_none_of_what_they_store(storages: list[Storage]) -> None:
    def enqueue(storage: Storage, name: str) -> set[str]:
        return {each.ref.id for _ in range(10) for each in storage.jobs.insert([mail()] * 3, now=NOW)}

    refs = at_once(storages, enqueue)

    assert len(set.union(*refs)) == states(storages[0])[State.AVAILABLE] == PROGRAMS * 30
