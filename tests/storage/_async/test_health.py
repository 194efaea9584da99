"""How a storage says that it is."""

from __future__ import annotations

from ferryman.findings import Level
from ferryman.storage._async.protocol import AsyncStorage


async def test_a_storage_in_order_has_no_error_and_says_what_was_looked_at(storage: AsyncStorage) -> None:
    findings = await storage.health.check(production=False)

    assert [each for each in findings if each.level is Level.ERROR] == []
    assert len({each.id for each in findings}) == len(findings) > 2
    assert all(each.text and "\n" not in each.text for each in findings)
    assert all(each.id == each.id.upper() for each in findings)


async def test_looking_changes_nothing(storage: AsyncStorage) -> None:
    first = await storage.health.check(production=True)
    again = await storage.health.check(production=True)

    assert [(each.id, each.level) for each in first] == [(each.id, each.level) for each in again]
    assert await storage.queues.list() == []
