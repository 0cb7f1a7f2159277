"""What the org's allowance of API calls has been used for, over a rolling day."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from ...base.clock import Clock

_DAY: Final = timedelta(hours=24)
_GRAIN_SECONDS: Final = 60


class ApiUsage:
    """`most` calls a rolling 24 hours, by all applications together; `long_running` of the `concurrent_most` calls that
    may last 20 seconds and longer at once are busy with others."""

    def __init__(self, clock: Clock, *, most: int = 1_000_000, concurrent_most: int = 25) -> None:
        self.most = most
        self.concurrent_most = concurrent_most
        self.long_running = 0
        self._clock = clock
        self._used: deque[tuple[datetime, int]] = deque()
        self._sum = 0
        self._lock = Lock()

    def use(self, calls: int = 1) -> None:
        """Ours, or those of other applications."""
        with self._lock:
            now = self._clock.now()
            minute = now.replace(second=now.second // _GRAIN_SECONDS * _GRAIN_SECONDS, microsecond=0)
            if self._used and self._used[-1][0] == minute:
                self._used[-1] = (minute, self._used[-1][1] + calls)
            else:
                self._used.append((minute, calls))
            self._sum += calls

    @property
    def used(self) -> int:
        with self._lock:
            start = self._clock.now() - _DAY
            while self._used and self._used[0][0] < start:
                self._sum -= self._used.popleft()[1]
            return self._sum

    @property
    def is_used_up(self) -> bool:
        return self.used >= self.most

    @property
    def is_crowded(self) -> bool:
        return self.long_running >= self.concurrent_most
