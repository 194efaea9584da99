"""What workers count, as charts see it; and where nobody counts, what the stored jobs tell."""

from __future__ import annotations

from datetime import timedelta

from ferryman.admin._async.admin import AsyncAdmin
from ferryman.numbers import KEPT, Cell, page_of, write_cells
from ferryman.storage._async.protocol import AsyncStorage
from ferryman.storage.values import Feature, Note
from storage._async.acts import run
from storage.samples import NOW, completed, discarded, kept_mail, later, mail, needs

QUARTER = timedelta(minutes=15)


def admin_of(storage: AsyncStorage) -> AsyncAdmin:
    async def async_open() -> AsyncStorage:
        return storage

    return AsyncAdmin(async_open)


def counted(worker: str, minutes_ago: int, *cells: Cell, span: int = 60) -> Note:
    """Return what a worker noted of some span of time."""
    start = int(later(minutes=-minutes_ago).timestamp()) // span * span
    return Note(
        page_of(span, start), worker, write_cells({(cell.queue, cell.kind): cell for cell in cells}), KEPT[span]
    )


async def test_the_numbers_of_all_workers_are_put_together_and_what_nobody_counted_is_a_gap(
    storage: AsyncStorage,
) -> None:
    notes = [
        counted("one", 3, Cell("default", "mail", ok=5, run={-8: 5}), Cell("low", "report", gave_up=1)),
        counted("two", 3, Cell("default", "mail", ok=2, error=1, run={4: 3})),
        counted("one", 2),
    ]
    await storage.notebook.write(notes, now=NOW)

    series = await admin_of(storage).stats.series(timedelta(hours=1), now=NOW)

    (line,) = series.lines
    *_, before, then, idle, latest, _ = line.points
    assert then is not None
    assert (then.ok, then.error, then.gave_up, line.total.attempts) == (7, 1, 1, 9)
    assert (then.run_p50 or 0) < 0.1 < (then.run_p95 or 0)
    assert (idle.attempts if idle else None, before, latest) == (0, None, None)
    assert (series.step, "workers" in series.source) == (timedelta(minutes=1), True)


async def test_numbers_are_told_apart_by_kind_and_narrowed_to_a_queue(storage: AsyncStorage) -> None:
    cells = Cell("default", "mail", ok=2), Cell("default", "report", ok=5), Cell("low", "mail", ok=1)
    await storage.notebook.write([counted("one", 1, *cells)], now=NOW)
    stats = admin_of(storage).stats

    kinds = await stats.series(timedelta(hours=6), by="kind", queue="default", now=NOW)
    queues = await stats.series(timedelta(hours=6), by="queue", now=NOW)

    assert [(line.name, line.total.ok) for line in kinds.lines] == [("report", 5), ("mail", 2)]
    assert [(line.name, line.total.ok) for line in queues.lines] == [("default", 7), ("low", 1)]


@needs(Feature.COUNTS)
async def test_where_nobody_counted_the_stored_jobs_are_looked_at(storage: AsyncStorage) -> None:
    jobs = [await run(storage, job, now=later(minutes=-5)) for job in (kept_mail(), mail())]
    await storage.jobs.finish([completed(jobs[0]), discarded(jobs[1])], now=later(minutes=-4))

    series = await admin_of(storage).stats.series(QUARTER, now=NOW)

    (line,) = series.lines
    assert (line.total.ok, line.total.gave_up, "stored" in series.source) == (1, 1, True)
    assert 30 < (line.total.run_p50 or 0) < 120


async def test_without_anything_there_is_a_line_of_gaps(storage: AsyncStorage) -> None:
    series = await admin_of(storage).stats.series(QUARTER, now=NOW)

    assert [set(line.points) for line in series.lines] == [{None}]
