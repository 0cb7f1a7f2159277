"""The clock of the real world. The only place where tieout asks the time, and where it sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

_NAP_SECONDS = 0.05
"""How soon a sleeper notices that it was asked to stop."""


def _never() -> bool:
    return False


class SystemClock:
    """Sleeps no longer than until `stopping` says so: whoever is asked to stop must not wait for a pause to end."""

    def __init__(self, *, stopping: Callable[[], bool] = _never) -> None:
        self._stopping = stopping

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stopping():
            time.sleep(min(left, _NAP_SECONDS))
