"""A length of time as people write it: `90s`, `15m`, `2h`, `30d`."""

from __future__ import annotations

import re

from .errors import Misconfigured

DAY_SECONDS = 86_400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": DAY_SECONDS, "w": 7 * DAY_SECONDS}
_WRITTEN = re.compile(r"([0-9]{1,6})\s*([smhdw])")


def seconds_of(text: str) -> int:
    """Its seconds. Raises Misconfigured when it is written otherwise."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        hint = "Write a whole number and s, m, h, d or w, such as 2h."
        raise Misconfigured(f"{text!r} is not a length of time.", hint=hint)
    return int(match[1]) * _UNITS[match[2]]


def duration(seconds: float) -> str:
    """The same for people, in the largest unit of which there are two or more: `45 s`, `90 min`, `3 h`, `12 d`."""
    for size, unit in ((DAY_SECONDS, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            return f"{seconds / size:.4g} {unit}"
    return f"{seconds:.4g} s"
