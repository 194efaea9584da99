"""What ferryman notes beside the jobs."""

from __future__ import annotations

from datetime import timedelta

from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Note
from storage.samples import NOW, later

HOUR = timedelta(hours=1)


def note(name: str, text: str, *, page: str = "first") -> Note:
    return Note(page, name, text, HOUR)


async def test_notes_are_read_page_by_page_wherever_they_were_written(
    storage: AsyncStorage, elsewhere: AsyncStorage
) -> None:
    await storage.notebook.write([note("a", "1"), note("b", "zwei ½"), note("a", "3", page="second")], now=NOW)

    pages = await elsewhere.notebook.read(["second", "third", "first"], now=NOW)

    assert [dict(page) for page in pages] == [{"a": "3"}, {}, {"a": "1", "b": "zwei ½"}]


async def test_a_note_takes_the_place_of_the_one_before(storage: AsyncStorage) -> None:
    await storage.notebook.write([note("a", "1"), note("b", "2")], now=NOW)

    await storage.notebook.write([note("a", "3")], now=NOW)
    await storage.notebook.erase("first", ["b", "c"])

    assert [dict(page) for page in await storage.notebook.read(["first"], now=NOW)] == [{"a": "3"}]


async def test_who_claims_a_name_second_is_told_what_the_first_wrote(
    storage: AsyncStorage, elsewhere: AsyncStorage
) -> None:
    first = await storage.notebook.claim(note("a", "mine"), now=NOW)
    second = await elsewhere.notebook.claim(note("a", "no, mine"), now=NOW)

    assert (first, second) == ("mine", "mine")


async def test_old_notes_are_thrown_away_and_others_are_not(storage: AsyncStorage) -> None:
    await storage.notebook.write([note("old", "1", page="old")], now=NOW)
    await storage.notebook.write([note("new", "2")], now=later(minutes=1))

    await storage.notebook.prune(now=later(hours=1))

    assert dict((await storage.notebook.read(["first"], now=later(hours=1)))[0]) == {"new": "2"}
