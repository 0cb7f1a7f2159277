"""One line of a bill, and how long a month is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MONTH_DAYS: Final = 365 / 12
MONTH_HOURS: Final = MONTH_DAYS * 24
MB, GB, TB = 1e6, 1e9, 1e12


@dataclass(frozen=True, slots=True)
class Item:
    """`what` it is, of which `quantity` a month costs `usd`; `how` that was computed. `once`: it is paid once, and is
    no part of a month."""

    what: str
    unit: str
    quantity: float
    usd: float
    how: str
    once: bool = False
