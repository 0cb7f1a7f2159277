"""Measures the checks of a stream: all that one pass over its live rows can tell in one statement, the rest one by one.

What the numbers mean is judged elsewhere. A check that the warehouse cannot be asked, for a pattern that is none or a
statement of somebody's own that is wrong, has failed and says why; the others go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

from ..base.errors import Misconfigured
from ..base.types import Column
from ..contract.calendar import ORDINARY, Calendar
from ..contract.checks import (
    DAY_SECONDS,
    Check,
    Duplicates,
    Freshness,
    NullRate,
    Number,
    Query,
    Reference,
    RowCount,
    Volume,
)
from ..contract.contract import Contract
from ..merge.asked import reading_of
from ..merge.warehouse import Reader
from .asking import Asking, Question
from .days import Day, backtest, backtest_freshness, last_whole_day, null_rate, volume
from .judging import SECOND, Counted, by_age, by_number, by_rows
from .outcome import Backtest, Checkup, Outcome, State, Verdict

QUERY_SECONDS = 30.0
"""How long a statement of somebody's own may take."""
DAYS_MAX = 4000
"""Days of a column that are looked at, the newest; about eleven years."""
_GAPS_MAX = 10_000

Parents = Mapping[str, Contract]
"""The contracts of the streams that are referred to, by their names."""


class Measuring:
    """The checks of one stream as of `now`, in microseconds since 1970. `backtest_days`: how many days they are held
    against as well; 0 for none. `exceptional`: days that are unlike others, besides those that the contract names."""

    def __init__(
        self,
        reader: Reader,
        contract: Contract,
        parents: Parents,
        *,
        now: int,
        backtest_days: int = 0,
        exceptional: Calendar = ORDINARY,
    ) -> None:
        self._reader = reader
        self._contract = contract
        self._asking = Asking(reader.engine, contract)
        self._parents = parents
        self._now = now
        self._backtest_days = backtest_days
        self._exceptional = contract.exceptional | exceptional
        self._rows = 0

    def checkup(self, checks: Sequence[Check]) -> Checkup:
        """What they come to, in their order."""
        reading = reading_of(self._reader, self._contract)
        if not reading.exists():
            told = Verdict(State.UNKNOWN, "nothing has been merged yet")
            return Checkup(self._contract.stream, None, tuple(Outcome(check, told) for check in checks))
        lacking = {column.lower() for column in reading.lacking()}
        verdicts: dict[str, Verdict] = {}
        for check in checks:
            if missing := [column.name for column in check.columns if column.name.lower() in lacking]:
                gains = f"its table has yet to gain {', '.join(missing)}, at the next run"
                verdicts[check.name] = Verdict(State.UNKNOWN, gains)
        able = [check for check in checks if check.name not in verdicts]
        verdicts |= self._of_one_pass([check for check in able if _is_of_the_pass(check)])
        for check in able:
            if check.name not in verdicts and not isinstance(check.rule, Volume | NullRate):
                verdicts[check.name] = self._asked(check, partial(self._alone, check))
        outcomes = {check.name: Outcome(check, verdicts[check.name]) for check in checks if check.name in verdicts}
        outcomes |= self._of_days([check for check in able if check.name not in verdicts])
        for check in able:
            if self._backtest_days and isinstance(check.rule, Freshness) and check.rule.column is not None:
                outcomes[check.name] = replace(
                    outcomes[check.name], backtest=self._paused(check.rule, check.rule.column)
                )
        return Checkup(self._contract.stream, self._rows, tuple(outcomes[check.name] for check in checks))

    def _of_one_pass(self, checks: Sequence[Check]) -> dict[str, Verdict]:
        """All of them in one statement; where that cannot be asked, each alone, so that one is blamed and no other."""
        try:
            (row,) = self._ask(self._asking.measure(checks, self._now))
        except Misconfigured as error:
            if not checks:
                raise  # then it is not theirs
            if len(checks) == 1:
                return self._of_one_pass([]) | {checks[0].name: _unasked(checks[0], error)}
            alone = [self._of_one_pass([check]) for check in checks]
            return {name_: verdict for one in alone for name_, verdict in one.items()}
        self._rows = row["rows"]
        return {check.name: self._judged(check, at, row) for at, check in enumerate(checks)}

    def _judged(self, check: Check, at: int, row: Mapping[str, Any]) -> Verdict:
        number = row["rows"] if isinstance(check.rule, RowCount) else row[f"count{at}"]
        match check.rule:
            case RowCount():
                return by_number(check, number)
            case Freshness():
                return by_age(check, number, self._now)
            case Duplicates():
                verdict = by_rows(check, Counted(self._rows, number))
                if verdict.state is not State.FAILED:
                    return verdict
                ((keys),) = self._ask(self._asking.repeated(check.rule))
                return replace(verdict, keys=tuple(keys["keys"] or ()))
            case _:
                return by_rows(check, Counted(self._rows, number, keys=tuple(row[f"keys{at}"] or ())))

    def _asked(self, check: Check, ask: Callable[[], Verdict]) -> Verdict:
        try:
            return ask()
        except Misconfigured as error:
            return _unasked(check, error)

    def _alone(self, check: Check) -> Verdict:
        match check.rule:
            case Reference():
                return self._referring(check, check.rule)
            case Query():
                return self._queried(check, check.rule)
            case _:
                (row,) = self._ask(self._asking.last_merge())
                return by_age(check, row["newest"], self._now)

    def _referring(self, check: Check, rule: Reference) -> Verdict:
        parent = self._parents[str(rule.to)]
        if not reading_of(self._reader, parent).exists():
            return Verdict(State.UNKNOWN, f"nothing of {rule.to} has been merged yet", limit=check.limit)
        since = self._now - rule.grace * SECOND
        (row,) = self._ask(self._asking.reference(rule, parent, since))
        counted = Counted(self._rows, row["failing"], row["pending"], tuple(row["keys"] or ()))
        return by_rows(check, counted)

    def _queried(self, check: Check, rule: Query) -> Verdict:
        found = self._reader.query(self._asking.statement(rule), seconds=QUERY_SECONDS)
        if found.num_rows != 1 or found.num_columns != 1:
            rows = "no row" if not found.num_rows else "1 row" if found.num_rows == 1 else "more than one row"
            told = f"the statement returned {rows} with {found.num_columns} columns, not one number"
            return Verdict(State.FAILED, told, limit=check.limit)
        value = found.column(0)[0].as_py()
        if value is None:
            return by_number(check, None)
        if (number := _number(value)) is None:
            return Verdict(State.FAILED, "the statement returned what is no number", limit=check.limit)
        return by_number(check, number)

    def _of_days(self, checks: Sequence[Check]) -> dict[str, Outcome]:
        """The rules about days: one pass for all that go by the same column of moments."""
        by_moment: dict[Column, list[Check]] = {}
        for check in checks:
            assert isinstance(check.rule, Volume | NullRate)
            moment = check.rule.column if isinstance(check.rule, Volume) else check.rule.by
            by_moment.setdefault(moment, []).append(check)
        found: dict[str, Outcome] = {}
        for moment, of_moment in by_moment.items():
            found |= {outcome.check.name: outcome for outcome in self._by_day(moment, of_moment)}
        return found

    def _by_day(self, moment: Column, checks: Sequence[Check]) -> Iterator[Outcome]:
        lacking = {at: check.rule.column for at, check in enumerate(checks) if isinstance(check.rule, NullRate)}
        rows = self._ask(self._asking.daily(moment, lacking, self._now, days_max=DAYS_MAX))
        for at, check in enumerate(checks):
            days = {row["day"]: Day(row["rows"], row.get(f"nulls{at}", 0)) for row in rows}
            match check.rule:
                case Volume() as rule:
                    judge, delay = partial(volume, rule, days, exceptional=self._exceptional), rule.delay
                case NullRate() as rule:
                    judge, delay = partial(null_rate, rule, days, exceptional=self._exceptional), rule.delay
                case other:
                    raise AssertionError(f"{other.metric} is not about days")
            last = last_whole_day(self._now, delay)
            past = backtest(judge, last=last, days=self._backtest_days) if self._backtest_days else None
            yield Outcome(check, judge(last), past)

    def _paused(self, rule: Freshness, column: Column) -> Backtest:
        last = last_whole_day(self._now, 0)
        begin = (last - self._backtest_days + 1) * DAY_SECONDS * SECOND
        longer = rule.age_max * SECOND
        rows = self._ask(self._asking.gaps(column, self._now, longer=longer, ending_after=begin, gaps_max=_GAPS_MAX))
        gaps = [(row["moment"], row["next"]) for row in rows if row["next"] - row["moment"] > longer]
        first = rows[0]["first"] if rows else None
        return backtest_freshness(rule, gaps, first=first, last=last, days=self._backtest_days)

    def _ask(self, question: Question) -> list[dict[str, Any]]:
        return self._asking.rows(self._reader.query(*question).to_pylist())


def _is_of_the_pass(check: Check) -> bool:
    match check.rule:
        case Reference() | Query() | Volume() | NullRate() | Freshness(column=None):
            return False
        case _:
            return True


def _unasked(check: Check, error: Misconfigured) -> Verdict:
    """Nobody can say that it holds."""
    told = " ".join(error.message.removeprefix("the warehouse cannot answer: ").split())
    return Verdict(State.FAILED, f"it could not be asked: {told}", limit=check.limit)


def _number(value: object) -> Number | None:
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float | Decimal) and math.isfinite(value):
        is_whole = isinstance(value, Decimal) and value == value.to_integral_value()
        return int(value) if is_whole else float(value)  # engines differ in which whole numbers they call a decimal
    return None
