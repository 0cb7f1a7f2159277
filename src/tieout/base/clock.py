"""Time comes in through the door: whoever needs it is handed a `Clock`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time of day, in UTC and aware of it. May jump; never used to order changes."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...
