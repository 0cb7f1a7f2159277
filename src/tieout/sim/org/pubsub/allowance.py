"""How many events the org delivers within any 24 hours: counted per subscriber, over all topics together."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

from ....base.clock import Clock

_DAY = timedelta(days=1)
_GRAIN = timedelta(minutes=1)


class Allowance:
    """`events_max` within a day; None: no bound. Counted by the minute, so what was delivered weighs up to a minute
    longer than a day. Streams share it."""

    def __init__(self, events_max: int | None, clock: Clock) -> None:
        self.events_max = events_max
        self._clock = clock
        self._lock = Lock()
        self._delivered: deque[tuple[datetime, int]] = deque()
        self._total = 0

    def left(self, most: int) -> int:
        """How many of `most` may be delivered now."""
        if self.events_max is None:
            return most
        with self._lock:
            self._forget(self._clock.now())
            return min(most, max(0, self.events_max - self._total))

    def deliver(self, count: int) -> None:
        now = self._clock.now()
        with self._lock:
            last = self._delivered[-1] if self._delivered else None
            if last is not None and now - last[0] < _GRAIN:
                self._delivered[-1] = (last[0], last[1] + count)
            else:
                self._delivered.append((now, count))
            self._total += count

    def _forget(self, now: datetime) -> None:
        while self._delivered and self._delivered[0][0] < now - _DAY - _GRAIN:
            self._total -= self._delivered.popleft()[1]
