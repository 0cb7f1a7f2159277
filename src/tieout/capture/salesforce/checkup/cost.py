"""What reading an object costs the org in calls a day, by its settings, while nothing much changes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..catalogue import DESCRIBED_SECONDS
from ..wanted import Wanted
from ..wire.client import CLOCK_SECONDS_MAX

DAY_SECONDS = 86_400
CALLS_A_WINDOW = 2
"""How far the org has covered, and a page of up to 2,000 rows; each further page is one more."""
CALLS_A_COLUMNS = 4
"""How far the org has covered, the job, a look at it, and a page of up to 50,000 rows; each further look or page is one
more."""


TIME_CALLS = round(DAY_SECONDS / CLOCK_SECONDS_MAX)
"""A day, of a source whatever it reads, at most: the org is asked what time it is when no answer has said so lately."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Calls a day, of one object."""

    windows: float
    deletions: float
    describes: float
    derived: float

    @property
    def calls(self) -> int:
        return round(self.windows + self.deletions + self.describes + self.derived)


def cost(wanted: Wanted, *, has_deleted: bool = True, has_derived: bool = True) -> Cost:
    """The least that a day takes. `has_deleted`: its rows can be deleted; `has_derived`: it has fields of which neither
    events nor stamps tell."""
    is_derived_read = has_derived and wanted.derived_seconds > 0
    return Cost(
        windows=CALLS_A_WINDOW * _times(wanted.every_seconds),
        deletions=_times(wanted.deleted_seconds) if has_deleted else 0.0,
        describes=_times(DESCRIBED_SECONDS),
        derived=CALLS_A_COLUMNS * _times(wanted.derived_seconds) if is_derived_read else 0.0,
    )


def _times(every_seconds: float) -> float:
    """A day. What is to be done at every turn is counted as once a second."""
    return DAY_SECONDS / max(1.0, every_seconds)
