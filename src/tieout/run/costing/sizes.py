"""What a warehouse bills: its sizes, the minute that every start costs, and the idle tail until it sleeps.

The arithmetic is Snowflake's own (docs/operate/cost.md): billed by the second, a minute at least for each start.
"""

from __future__ import annotations

from typing import Final

DAY_SECONDS: Final = 86_400.0
START_SECONDS_MIN: Final = 60.0
"""Every start is billed as a minute at least."""

CREDITS_AN_HOUR: Final = {
    "XSMALL": 1, "SMALL": 2, "MEDIUM": 4, "LARGE": 8, "XLARGE": 16, "XXLARGE": 32, "XXXLARGE": 64, "X4LARGE": 128,
}  # fmt: skip
"""Each size has twice the one before, and does twice as much."""

BUSY_MAX: Final = 0.5
"""Of the time between two merges: above it a merge that takes twice as long delays the next."""


def awake_seconds(runs: float, seconds: float, suspend: float, *, within: float = DAY_SECONDS) -> float:
    """How long a warehouse is billed for so many runs a day, spread evenly over `within`, each of so many seconds."""
    return min(within, runs * max(seconds + suspend, START_SECONDS_MIN))


def credits(size: str, seconds: float) -> float:
    return seconds / 3600 * CREDITS_AN_HOUR[size]


def size_for(seconds: float, room: float) -> str:
    """The least size on which what takes an XSMALL so many seconds fits into the room; the greatest, if none does."""
    enough = (size for size, pace in CREDITS_AN_HOUR.items() if seconds / pace <= room)
    return next(enough, list(CREDITS_AN_HOUR)[-1])


def stored(active: float, rewritten_a_day: float, *, time_travel_days: float, fail_safe_days: float) -> float:
    """What is billed as kept, in the unit of `active`: every version that was rewritten, as long as it can be read."""
    return active + rewritten_a_day * (time_travel_days + fail_safe_days)
