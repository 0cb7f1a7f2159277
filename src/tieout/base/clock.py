"""Time comes in through the door: whoever needs it is handed a `Clock`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The time of day, in UTC and aware of it. May jump; never used to order changes."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""
        ...


def moment_json(at: datetime | None) -> str | None:
    """As documents tell a moment: ISO 8601 in UTC, with a Z."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
