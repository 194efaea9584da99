"""How often somebody may try: logins by address and name, changes by person."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from ferryman.web.refusals import Refusal

__all__ = ["Limit"]

_MOST = 10_000


class Limit:
    """At most so many in a minute, for each who tries."""

    def __init__(self, per_minute: int, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._what = what
        self._clock = clock
        self._times: dict[str, deque[float]] = {}

    def take(self, who: str) -> None:
        """Count one more.  Raises Refusal when that is too many."""
        now = self._clock()
        if len(self._times) > _MOST:  # whoever asks under ever new names must not fill our memory
            self._times = {name: times for name, times in self._times.items() if times and times[-1] > now - 60}
        times = self._times.setdefault(who, deque())
        while times and times[0] <= now - 60:
            times.popleft()
        if len(times) >= self._per_minute:
            wait = int(60 - (now - times[0])) + 1
            raise Refusal(
                429,
                "too_many",
                f"More than {self._per_minute} {self._what} in a minute. Nothing was changed; try again in {wait} s.",
                headers={"Retry-After": str(wait)},
            )
        times.append(now)

    def give_back(self, who: str) -> None:
        """Count one less: what was taken last turned out to be right."""
        if times := self._times.get(who):
            times.pop()
