# Generated from tests/storage/_async/test_health.py by tools/unasync.py: change that file and run `make sync`.
"""How a storage says that it is."""

from __future__ import annotations

from ferryman.findings import Level
from ferryman.storage._sync.protocol import Storage


def test_a_storage_in_order_has_no_error_and_says_what_was_looked_at(storage: Storage) -> None:
    findings = storage.health.check(production=False)

    assert [each for each in findings if each.level is Level.ERROR] == []
    assert len({each.id for each in findings}) == len(findings) > 2
    assert all(each.text and "\n" not in each.text for each in findings)
    assert all(each.id == each.id.upper() for each in findings)


def test_looking_changes_nothing(storage: Storage) -> None:
    first = storage.health.check(production=True)
    again = storage.health.check(production=True)

    assert [(each.id, each.level) for each in first] == [(each.id, each.level) for each in again]
    assert storage.queues.list() == []
