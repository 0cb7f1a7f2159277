"""What a check came to, as people and programs are told it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from ..base.codec import canonical_json
from ..base.stream import Stream
from ..contract.checks import Check, Number, Severity

KEYS_MAX = 10
"""Rows that fail whose keys are named."""


class State(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"
    """Rows wait for what they name, and none has waited too long."""
    UNKNOWN = "unknown"
    """Nothing can be said yet: too little history, or nothing has been merged."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """On how many of the last `days` whole days a check would have failed: those of `cried`, out of the `judged` ones,
    which had enough history before them."""

    days: int
    judged: int
    cried: tuple[date, ...]

    def to_json(self) -> dict[str, Any]:
        return {"days": self.days, "judged": self.judged, "cried": [day.isoformat() for day in self.cried]}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the numbers come to.

    told      why, in words, with the number and its limit
    measured  the number that was held against the limit, None where there is none
    limit     what it must be, in words
    failing   rows that fail; None where the check is not about single rows
    pending   rows that wait for what they name
    keys      the first of the failing rows, by their `_key`
    """

    state: State
    told: str
    measured: Number | None = None
    limit: str = ""
    failing: int | None = None
    pending: int = 0
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    check: Check
    verdict: Verdict
    backtest: Backtest | None = None

    def to_json(self) -> dict[str, Any]:
        check, verdict = self.check, self.verdict
        return {
            "check": check.name,
            "metric": check.rule.metric,
            "columns": [column.name for column in check.columns],
            "severity": check.severity.value,
            "implied": check.implied,
            "description": check.description,
            "outcome": verdict.state.value,
            "told": verdict.told,
            "measured": verdict.measured,
            "limit": verdict.limit,
            "failing": verdict.failing,
            "pending": verdict.pending,
            "keys": list(verdict.keys),
            **({} if self.backtest is None else {"backtest": self.backtest.to_json()}),
        }


@dataclass(frozen=True, slots=True)
class Checkup:
    """All checks of one stream, as of one moment. `rows` is None where it has no tables yet."""

    stream: Stream
    rows: int | None
    outcomes: tuple[Outcome, ...]

    def failing(self, *severities: Severity) -> tuple[Outcome, ...]:
        return tuple(
            one for one in self.outcomes if one.verdict.state is State.FAILED and one.check.severity in severities
        )

    @property
    def state(self) -> str:
        """`failed` where a check that blocks failed, `warned` where one that warns did, else `passed`."""
        if self.failing(Severity.BLOCK):
            return "failed"
        return "warned" if self.failing(Severity.WARN) else "passed"

    def to_json(self) -> dict[str, Any]:
        return {
            "stream": str(self.stream),
            "state": self.state,
            "rows": self.rows,
            "checks": [one.to_json() for one in self.outcomes],
        }

    def report(self) -> str:
        """The same for the ledger, as short as will do: no key of any row, and words only where it did not pass."""
        return canonical_json([_short(one) for one in self.outcomes])


def _short(one: Outcome) -> dict[str, Any]:
    verdict = one.verdict
    short: dict[str, Any] = {
        "check": one.check.name,
        "severity": one.check.severity.value,
        "outcome": verdict.state.value,
        "measured": verdict.measured,
    }
    if verdict.state is not State.PASSED:
        short |= {"told": verdict.told, "failing": verdict.failing, "pending": verdict.pending}
    return short


def worst(checkups: Sequence[Checkup]) -> str:
    """The state of several."""
    states = {checkup.state for checkup in checkups}
    return next((state for state in ("failed", "warned") if state in states), "passed")
