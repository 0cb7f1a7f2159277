"""Days that are unlike others, as somebody has named them: holidays, and the ends of months.

What is usual for a day nobody can learn from such a day, nor judge it by the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

MONTH_END = "month_end"
ALLOWED = f"a date such as 2026-12-25, a day of every year such as 12-25, or {MONTH_END}"

_A_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Calendar:
    """`dates`: single days; `yearly`: month and day of each year; `month_end`: the last day of each month."""

    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()
    month_end: bool = False

    def names(self, day: date) -> bool:
        is_last = self.month_end and (day + timedelta(days=1)).day == 1
        return is_last or day in self.dates or (day.month, day.day) in self.yearly

    def __or__(self, other: Calendar) -> Calendar:
        return Calendar(self.dates | other.dates, self.yearly | other.yearly, self.month_end or other.month_end)


ORDINARY = Calendar()
"""No day is unlike others."""


def calendar_of(words: Iterable[str]) -> Calendar:
    """Raises ValueError, which says so, for the first word that is none of ALLOWED."""
    found = ORDINARY
    for word in words:
        found |= _day_of(word)
    return found


def _day_of(word: str) -> Calendar:
    if word == MONTH_END:
        return Calendar(month_end=True)
    is_yearly = word.count("-") == 1
    whole = f"{_A_LEAP_YEAR}-{word}" if is_yearly else word
    try:
        day = date.fromisoformat(whole)
    except ValueError as error:
        raise ValueError(_refusal(word)) from error
    if day.isoformat() != whole:  # other forms of ISO 8601 would be taken too
        raise ValueError(_refusal(word))
    return Calendar(yearly=frozenset({(day.month, day.day)})) if is_yearly else Calendar(dates=frozenset({day}))


def _refusal(word: str) -> str:
    return f"names {word}, which is no day; write {ALLOWED}."
