"""The org's calls of a day, which are not ours alone: what each kind of our work may still take of them.

Each answer says how many of how many calls the whole org has made in the last 24 hours. A share is left to the org's
other applications, and lesser work stops before greater work does. Knows no clock: moments are handed in.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from ...base.clock import moment_json

RESERVE = 0.2
"""Of the daily limit, what is the other applications'."""


class Work(Enum):
    """Kinds of our work, in the order of their precedence."""

    LIVE = "live"
    REPAIR = "repair"
    BACKFILL = "backfill"
    ACTIVITIES = "activities"


_SHARE: Mapping[Work, float] = {Work.LIVE: 1.0, Work.REPAIR: 0.95, Work.BACKFILL: 0.875, Work.ACTIVITIES: 0.75}
"""Of what is not reserved, up to where the org's use may stand for this work to go on."""

LOOK_AGAIN = timedelta(minutes=15)
"""So old, what was told of the use counts no longer: one call is let through, and its answer tells anew."""
_PARKED_MAX = timedelta(hours=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_SAMPLE_EVERY = timedelta(seconds=30)
_SAMPLES_MAX = 256

_USED = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a limit of the org stands at: so many of so many, told at this moment."""

    used: int
    limit: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Forecast:
    """At the pace of the last hour.

    pace      calls an hour by which the org's use grows, all applications together; `ours`: calls of ours in that hour
    exhausted when the limit would be reached; None: not at this pace
    """

    pace: float
    ours: int
    exhausted: datetime | None


class Budget:
    """Of one org. `reserve`: the share of its daily limit that is never ours; `look_again`: after so long what was told
    of the use counts no longer, and a refusal is tried anew.

    Fed by `told` and `spent`; asked by `allows`. Bulk jobs have a limit of their own, kept the same way.
    """

    def __init__(self, *, reserve: float = RESERVE, look_again: timedelta = LOOK_AGAIN) -> None:
        self._reserve = reserve
        self._look_again = look_again
        self._calls: Allowance | None = None
        self._jobs: Allowance | None = None
        self._samples: deque[Allowance] = deque(maxlen=_SAMPLES_MAX)
        self._spent: deque[tuple[datetime, Work, int]] = deque()
        self._parked_until: datetime | None = None
        self._parked_for = self._look_again

    def told(self, limit_info: str, at: datetime) -> None:
        """`api-usage=18/5000`, as each answer bears it. Whatever does not read so says nothing."""
        found = _USED.search(limit_info)
        if found and int(found[2]):
            self._calls = Allowance(int(found[1]), int(found[2]), at)
            if not self._samples or not timedelta() <= at - self._samples[-1].at < _SAMPLE_EVERY:
                self._samples.append(self._calls)

    def told_limits(self, limits: Mapping[str, Any], at: datetime) -> None:
        """The answer of `/limits`: of each allowance what it is and what is left."""
        if jobs := _allowance(limits.get("DailyBulkV2QueryJobs"), at):
            self._jobs = jobs
        if calls := _allowance(limits.get("DailyApiRequests"), at):
            self._calls = calls

    def spent(self, work: Work, at: datetime) -> None:
        """A call of ours was made."""
        minute = at.replace(second=0, microsecond=0)
        if self._spent and self._spent[-1][:2] == (minute, work):
            self._spent[-1] = (minute, work, self._spent[-1][2] + 1)
        else:
            self._spent.append((minute, work, 1))
        while self._spent and at - self._spent[0][0] > _DAY:
            self._spent.popleft()
        if self._calls is not None:
            self._calls = Allowance(self._calls.used + 1, self._calls.limit, self._calls.at)

    def job_spent(self) -> None:
        """A Bulk job of ours was made."""
        if self._jobs is not None:
            self._jobs = Allowance(self._jobs.used + 1, self._jobs.limit, self._jobs.at)

    def park(self, at: datetime) -> None:
        """The org refused a call, as its limit of the day is reached. Longer each time, an hour at most."""
        self._parked_until = at + self._parked_for
        self._parked_for = min(2 * self._parked_for, _PARKED_MAX)

    def answered(self) -> None:
        """The org took a call: whatever was parked goes on."""
        self._parked_until, self._parked_for = None, self._look_again

    def allows(self, work: Work, at: datetime) -> bool:
        """Whether a call for this work may be made."""
        if self._parked_until is not None and timedelta() < self._parked_until - at <= _PARKED_MAX:
            return False
        return self._within(self._calls, work, at)

    def allows_job(self, work: Work, at: datetime) -> bool:
        """Whether a Bulk job for this work may be made."""
        return self._within(self._jobs, work, at) and self.allows(work, at)

    def ceiling(self, work: Work) -> float:
        """Of a limit, the share up to which the org's use may stand for this work to go on."""
        return round((1.0 - self._reserve) * _SHARE[work], 6)

    @property
    def calls(self) -> Allowance | None:
        return self._calls

    @property
    def jobs(self) -> Allowance | None:
        return self._jobs

    @property
    def parked_until(self) -> datetime | None:
        return self._parked_until

    def spent_of(self, work: Work | None, at: datetime, within: timedelta = _DAY) -> int:
        """Calls of ours for this work, or for any, within so long before."""
        return sum(calls for minute, kind, calls in self._spent if work in (None, kind) and at - minute <= within)

    def forecast(self, at: datetime) -> Forecast | None:
        """None while less than a minute is known."""
        known = [each for each in self._samples if timedelta() <= at - each.at <= _HOUR]
        if self._calls is None or not known or (hours := (self._calls.at - known[0].at) / _HOUR) < 1 / 60:
            return None
        pace = (self._calls.used - known[0].used) / hours
        ours = round(self.spent_of(None, at, self._calls.at - known[0].at) / hours)
        left = self._calls.limit - self._calls.used
        # What would take longer than a day is made good by then: the limit is of the last 24 hours.
        exhausted = self._calls.at + _HOUR * (left / pace) if pace > 0 and left / pace <= 24 else None
        return Forecast(pace, ours, exhausted)

    def to_json(self, at: datetime) -> dict[str, Any]:
        forecast = self.forecast(at)
        return {
            "calls": _allowance_json(self._calls),
            "bulk_jobs": _allowance_json(self._jobs),
            "reserve": self._reserve,
            "ceilings": {work.value: self.ceiling(work) for work in Work},
            "parked_until": moment_json(self._parked_until),
            "spent": {work.value: self.spent_of(work, at) for work in Work},
            "allows": {work.value: self.allows(work, at) for work in Work},
            "pace": None if forecast is None else round(forecast.pace),
            "ours": None if forecast is None else forecast.ours,
            "exhausted": None if forecast is None else moment_json(forecast.exhausted),
        }

    def _within(self, known: Allowance | None, work: Work, at: datetime) -> bool:
        # A clock that was set back must not make old news last.
        if known is None or not timedelta() <= at - known.at < self._look_again:
            return True
        return known.used < known.limit * self.ceiling(work)


def _allowance(told: Any, at: datetime) -> Allowance | None:
    if not isinstance(told, Mapping) or not told.get("Max"):
        return None
    return Allowance(int(told["Max"]) - int(told.get("Remaining", 0)), int(told["Max"]), at)


def _allowance_json(known: Allowance | None) -> dict[str, Any] | None:
    return None if known is None else {"used": known.used, "limit": known.limit, "at": moment_json(known.at)}
