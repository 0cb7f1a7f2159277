"""How long something may last, as people write it: `90s`, `30m`, `24h`, `7d`."""

from __future__ import annotations

import re

ALLOWED = "a whole number and one of s, m, h, d, such as 90s, 30m, 24h or 7d"
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WRITTEN = re.compile(r"([1-9][0-9]{0,8}) ?([smhd])")


def seconds_of(text: str) -> int:
    """Raises ValueError for what is no duration."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"it is no duration; write {ALLOWED}")
    return int(match[1]) * _SECONDS[match[2]]


def duration(seconds: float) -> str:
    """For people, rounded down, with one unit: `26 hours`."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (seconds >= size and size == 60):
            count = int(seconds // size)
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    count = int(seconds)
    return f"{count} second{'' if count == 1 else 's'}"
