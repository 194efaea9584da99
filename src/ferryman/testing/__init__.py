"""What tests of programs that use ferryman need: a recorder of events, a burst of work, a clock in hand.

    async def test_a_new_customer_gets_a_mail(outbox):
        await welcome.enqueue("ada@example.com")

        await run_until_empty(jobs)

        assert outbox == ["ada@example.com"]

Nothing here changes what is under test: jobs are stored and run as in production.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ferryman.clock import Clock
from ferryman.events import Event, EventBus, JobFinished
from ferryman.middleware import Middleware
from ferryman.testing.clock import FakeClock

if TYPE_CHECKING:
    from ferryman.app import Ferryman

__all__ = ["FakeClock", "Recorder", "run_until_empty"]

E = TypeVar("E", bound=Event)

_MOST_DUE = 10_000


class Recorder:
    """Collects the events of a bus, from whichever thread they come, and waits for those that are to come.

    `Recorder(jobs.events)` listens until the end of its `with` block, or for good.
    """

    def __init__(self, bus: EventBus | None = None) -> None:
        self.bus = bus or EventBus()
        self.events: list[Event] = []
        """Everything that happened, in order."""
        self._given: set[int] = set()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._stop = self.bus.subscribe(Event, self._hear)

    def of(self, event: type[E]) -> list[E]:
        """Return the events of this class, in order."""
        return [each for each in self.events if isinstance(each, event)]

    async def wait_for(self, event: type[E], where: Callable[[E], object] | None = None, *, within: float = 10.0) -> E:
        """Return the next event of this class (for which `where` is true), come or to come; each is returned once.

        Raises TimeoutError when there is none within this many seconds, and says what there was.
        """
        arrived = asyncio.Event()
        waiter = (asyncio.get_running_loop(), arrived)
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(within):
                while (found := self._next(event, where)) is None:
                    await arrived.wait()
                    arrived.clear()
                return found
        except TimeoutError:
            seen = ", ".join(type(each).__name__ for each in self.events) or "nothing"
            raise TimeoutError(f"No such {event.__name__} within {within:g} s. What happened: {seen}.") from None
        finally:
            self._waiting.remove(waiter)

    def _next(self, event: type[E], where: Callable[[E], object] | None) -> E | None:
        for position, each in enumerate(self.events):
            if isinstance(each, event) and position not in self._given and (where is None or where(each)):
                self._given.add(position)
                return each
        return None

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        for loop, arrived in list(self._waiting):
            loop.call_soon_threadsafe(arrived.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop()


async def run_until_empty(
    jobs: Ferryman, *, clock: Clock | None = None, inside: Sequence[Middleware] = (), **settings: Any
) -> list[JobFinished]:
    """Run every job that is due, and what those enqueue, until none is left; return what became of each.

    A job that failed and is to be tried again later, or that snoozed, is not waited for.  `inside` are middlewares
    next to the function, and `settings` those of the worker, such as `queues`.
    """
    storage = await jobs.connections.storage()
    worker = jobs.worker(burst=True, **{"lead": False, "periodic": False, **settings})
    worker.clock, worker.middleware = clock or worker.clock, (*worker.middleware, *inside)
    await storage.jobs.promote(limit=_MOST_DUE, now=worker.clock.stamp())  # what a leader does in between
    with Recorder(jobs.events) as seen:
        await worker.serve()
    return seen.of(JobFinished)
