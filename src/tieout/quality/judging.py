"""From a measured number to what it means: passed, failed or pending, and why, in words.

Pure. What is usual for a day, `days.py` knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..base.duration import duration
from ..base.types import Column
from ..contract.checks import (
    Check,
    Duplicates,
    Freshness,
    Invalid,
    Missing,
    Nulls,
    Number,
    Range,
    Reference,
    Unit,
    figure,
)
from .outcome import State, Verdict

SECOND = 1_000_000
"""Microseconds, in which moments are counted, since 1970."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Of all `rows`: how many fail, how many wait for what they name, and the keys of the first that fail."""

    rows: int
    failing: int
    pending: int = 0
    keys: tuple[str, ...] = ()


def by_rows(check: Check, counted: Counted) -> Verdict:
    """What rows that fail come to, by their number or their share."""
    measured: Number = counted.failing
    if check.unit == Unit.PERCENT:
        measured = 100 * counted.failing / counted.rows if counted.rows else 0.0
    admitted = check.admits(measured)
    state = State.FAILED if not admitted else State.PENDING if counted.pending else State.PASSED
    share = f" ({figure(measured)} percent)" if check.unit == Unit.PERCENT else ""
    told = f"in {counted.failing:,} of {_rows(counted.rows)}{share}, {_fault(check)}"
    if counted.pending:
        assert isinstance(check.rule, Reference), "nothing else waits"
        told += f"; {counted.pending:,} more may wait for theirs, for {duration(check.rule.grace)}"
    return Verdict(
        state, f"{told}; {check.limit}", measured, check.limit, counted.failing, counted.pending, counted.keys
    )


def by_number(check: Check, number: Number | None) -> Verdict:
    """What one number comes to. None is no number, and admitted by no limit."""
    if number is None:
        return Verdict(State.FAILED, f"the statement returned null; {check.limit}", None, check.limit)
    state = State.PASSED if check.admits(number) else State.FAILED
    what = "there are {} rows" if check.rule.metric == "rowCount" else "the statement returned {}"
    told = what.format(figure(number)) if number != 1 or "rows" not in what else "there is 1 row"
    return Verdict(state, f"{told}; {check.limit}", number, check.limit)


def by_age(check: Check, newest: int | None, now: int) -> Verdict:
    """What the age of the newest moment comes to. A table that never says when is not fresh."""
    rule = check.rule
    assert isinstance(rule, Freshness)
    limit = f"must be at most {duration(rule.age_max)} old"
    what = "the last merge" if rule.column is None else f"the newest {rule.column.name}"
    if newest is None:
        return Verdict(State.FAILED, f"there is none for {what}, which {limit}", None, limit)
    age = max(now - newest, 0) / SECOND
    state = State.PASSED if age <= rule.age_max else State.FAILED
    return Verdict(state, f"{what} is {duration(age)} old; {limit}", age, limit)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _fault(check: Check) -> str:
    """What is wrong with a row that fails."""
    match check.rule:
        case Nulls(column=column):
            return f"{column.name} is null"
        case Missing(column=column):
            return f"{column.name} stands for no value"
        case Invalid(column=column, texts=None):
            return f"{column.name} does not match the pattern"
        case Invalid(column=column, pattern=None):
            return f"{column.name} is not an accepted value"
        case Invalid(column=column):
            return f"{column.name} is not an accepted value, or does not match the pattern"
        case Range(column=column, told=told):
            return f"{column.name} is not {told}"
        case Duplicates(columns=columns):
            return f"{_named(columns)} repeats another row's"
        case Reference(columns=columns, to=to):
            return f"{_named(columns)} names no row of {to}"
        case rule:
            raise AssertionError(f"{rule.metric} is not about single rows")


def _named(columns: Sequence[Column]) -> str:
    return " and ".join(column.name for column in columns)
