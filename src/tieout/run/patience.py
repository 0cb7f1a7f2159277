"""How long to wait before the next try.

Longer each time, and never as long as another worker that failed at the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 30.0


def pause(attempt: int, dice: Random) -> float:
    """Seconds to wait after the failure number `attempt` (from 1): doubling, with full jitter over its upper half."""
    longest = min(_LONGEST_SECONDS, _FIRST_SECONDS * float(2 ** min(attempt - 1, 16)))
    return longest * dice.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Rest:
    """A pause that a worker makes while it has other things to do."""

    since: datetime
    length: timedelta

    def lasts(self, now: datetime) -> bool:
        """Whether it is not over yet. A clock that was set back ends it, or it would last as much longer."""
        return timedelta() <= now - self.since < self.length
