"""Promises of a contract about time: how soon what happens in the source is here, and how often the source is read.

The standard's word for them is `slaProperties`. It names days and years and says "etc."; these are the units we take.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class About(StrEnum):
    """LATENCY: what the source had so long ago is here. FREQUENCY: it was read to its end so long ago, or later."""

    LATENCY = "latency"
    FREQUENCY = "frequency"


ABOUT = {
    "latency": About.LATENCY,
    "ly": About.LATENCY,
    "freshness": About.LATENCY,
    "frequency": About.FREQUENCY,
    "fy": About.FREQUENCY,
}
"""The standard's names with its synonyms, in lower case. It prefers latency to freshness, so that these are one."""

_UNITS = {
    1.0: ("s", "sec", "second", "seconds"),
    60.0: ("m", "min", "minute", "minutes"),
    3600.0: ("h", "hr", "hour", "hours"),
    86_400.0: ("d", "day", "days"),
    604_800.0: ("w", "wk", "week", "weeks"),
    31_536_000.0: ("y", "yr", "year", "years"),
}
SECONDS = {word: seconds for seconds, words in _UNITS.items() for word in words}
"""How long each unit is. A month is none, as no two are alike; so `m` can only be minutes."""


@dataclass(frozen=True, slots=True)
class Promise:
    """`seconds`: how much time it gives, more than 0."""

    about: About
    seconds: float
