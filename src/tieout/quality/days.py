"""What is usual for a day, by the days before it; and on which days of the past a check would have failed.

The middle is the median and the spread the median distance from it, which a single bad day moves little. Days are whole
days in UTC, counted from 1970. Of the day that is judged nothing enters what it is judged by. A day that somebody has
named as exceptional is neither judged nor learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from statistics import median

from ..contract.calendar import ORDINARY, Calendar
from ..contract.checks import DAY_SECONDS, Freshness, NullRate, Volume
from .judging import SECOND
from .outcome import Backtest, State, Verdict

DEVIATIONS = 3.0
"""Spreads within which a number is taken for usual."""
_MAD_TO_SIGMA = 1.4826
"""Of a normal distribution, its standard deviation by its median distance from the median."""
_EPOCH = date(1970, 1, 1)
_DAY = DAY_SECONDS * SECOND


@dataclass(frozen=True, slots=True)
class Day:
    """How many rows a day has, and how many of them have no value in the column that is looked at."""

    rows: int
    nulls: int = 0


Days = Mapping[int, Day]
"""The days that have rows, the oldest known ones perhaps cut off."""


def last_whole_day(now: int, delay: int) -> int:
    """The newest day that has ended `delay` seconds before `now` (in microseconds) or earlier."""
    return (now - delay * SECOND) // _DAY - 1


def day_of(number: int) -> date:
    return _EPOCH + timedelta(days=number)


def volume(rule: Volume, days: Days, day: int, exceptional: Calendar = ORDINARY) -> Verdict:
    """Whether a day has about as many rows as that weekday has. How far days lie from what is usual is taken from all
    weekdays, each by its own median: eight of one weekday tell too little of it."""
    if exceptional.names(day_of(day)):
        return _unlike(day)
    wanted = [range(day - 7 * rule.weeks + at, day, 7) for at in range(7)]
    by_weekday = [_behind_first(days, of, exceptional) for of in wanted]
    known = by_weekday[0]
    weekday = f"{day_of(day):%A}"
    if len(known) < rule.weeks_min:
        return Verdict(State.UNKNOWN, _too_little(len(known), rule.weeks_min, weekday))
    rows, middle = _at(days, day).rows, _usual(days, known)
    afar = [_at(days, one).rows / usual - 1 for of in by_weekday if (usual := _usual(days, of)) for one in of]
    spread = middle * _spread(afar, 0.0)
    # Rows that come by chance alone differ by the root of their number.
    band = max(DEVIATIONS * max(spread, sqrt(max(middle, 1.0))), rule.tolerance * middle)
    low, high = max(middle - band, 0.0), middle + band
    state = State.PASSED if low <= rows <= high else State.FAILED
    limit = f"{low:,.0f} to {high:,.0f} rows are usual for a {weekday}"
    told = f"{weekday} {day_of(day)} has {rows:,} rows; {limit}, by {len(known)} of them"
    return Verdict(state, told, rows, limit)


def null_rate(rule: NullRate, days: Days, day: int, exceptional: Calendar = ORDINARY) -> Verdict:
    """Whether a day has more rows without a value than the days before it."""
    if exceptional.names(day_of(day)):
        return _unlike(day)
    known = [one for one in _behind_first(days, range(day - rule.days, day), exceptional) if one in days]
    if len(known) < rule.days_min:
        return Verdict(State.UNKNOWN, _too_little(len(known), rule.days_min, "day"))
    found = _at(days, day)
    if not found.rows:
        return Verdict(State.UNKNOWN, f"{day_of(day)} has no rows")
    rate, rates = found.nulls / found.rows, [days[one].nulls / days[one].rows for one in known]
    middle = median(rates)
    spread = _spread(rates, middle)
    # A share of few rows differs by chance alone, also where none was null so far.
    chance = min(max(middle, 1 / found.rows), 0.5)
    noise = sqrt(chance * (1 - chance) / found.rows)
    high = min(middle + max(DEVIATIONS * max(spread, noise), rule.tolerance), 1.0)
    state = State.PASSED if rate <= high else State.FAILED
    limit = f"up to {100 * high:.3g} percent is usual"
    told = (
        f"on {day_of(day)}, {found.nulls:,} of {found.rows:,} rows ({100 * rate:.3g} percent) have no "
        f"{rule.column.name}; {limit}, by {len(known)} days"
    )
    return Verdict(state, told, 100 * rate, limit, found.nulls)


def backtest(judge: Callable[[int], Verdict], *, last: int, days: int) -> Backtest:
    """What `judge` would have said of each of so many days up to `last`."""
    said = {day: judge(day).state for day in range(last - days + 1, last + 1)}
    judged = sum(state is not State.UNKNOWN for state in said.values())
    return Backtest(days, judged, tuple(day_of(day) for day, state in said.items() if state is State.FAILED))


def backtest_freshness(
    rule: Freshness, gaps: Iterable[tuple[int, int]], *, first: int | None, last: int, days: int
) -> Backtest:
    """The days on which the newest moment was too old at some time. `gaps` are the pauses between two moments that were
    longer than that, `first` is the first moment of all: before it there is nothing to say."""
    window = range(last - days + 1, last + 1)
    cried: set[int] = set()
    for begin, end in gaps:
        cried.update(day for day in window if (begin + rule.age_max * SECOND) // _DAY <= day <= (end - 1) // _DAY)
    judged = 0 if first is None else sum(day >= first // _DAY for day in window)
    return Backtest(days, judged, tuple(day_of(day) for day in sorted(cried)))


def _at(days: Days, day: int) -> Day:
    return days.get(day, Day(0))


def _behind_first(days: Days, wanted: Iterable[int], exceptional: Calendar) -> list[int]:
    """Of these what can be learned from. The first day that there is began somewhere in it."""
    first = min(days, default=None)
    return [] if first is None else [day for day in wanted if day > first and not exceptional.names(day_of(day))]


def _usual(days: Days, of: list[int]) -> float:
    """The rows that the middle one of these days has."""
    return median(_at(days, one).rows for one in of) if of else 0.0


def _spread(numbers: list[float], middle: float) -> float:
    """The standard deviation, by the median distance from the middle."""
    return _MAD_TO_SIGMA * median(abs(number - middle) for number in numbers) if numbers else 0.0


def _unlike(day: int) -> Verdict:
    return Verdict(State.UNKNOWN, f"{day_of(day)} is named as exceptional, and is not judged")


def _too_little(known: int, needed: int, what: str) -> str:
    return f"too little history: {known} whole {what}{'' if known == 1 else 's'} of {needed} that are needed"
