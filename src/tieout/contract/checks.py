"""What a contract demands of its rows: each check a value that is whole or does not exist.

What a check counts is its rule, what the number must be its demands, and what follows when it is not its severity.
How an entry of a document becomes one, `quality.py` knows; how one is measured, the room `quality/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from ..base.stream import Stream
from ..base.types import Column

Number = int | float

DAY_SECONDS = 86_400


class Severity(StrEnum):
    """What a check that fails does: nothing but stand there, ask to be looked at, or close the gate."""

    NOTE = "note"
    WARN = "warn"
    BLOCK = "block"


class Unit(StrEnum):
    """Of what a demand speaks where rows that fail are counted: of their number, or their share of all rows."""

    ROWS = "rows"
    PERCENT = "percent"


_HOLDS: Mapping[str, Callable[[Number, tuple[Number, ...]], bool]] = {
    "mustBe": lambda number, limits: number == limits[0],
    "mustNotBe": lambda number, limits: number != limits[0],
    "mustBeGreaterThan": lambda number, limits: number > limits[0],
    "mustBeGreaterOrEqualTo": lambda number, limits: number >= limits[0],
    "mustBeLessThan": lambda number, limits: number < limits[0],
    "mustBeLessOrEqualTo": lambda number, limits: number <= limits[0],
    "mustBeBetween": lambda number, limits: limits[0] < number < limits[1],
    "mustNotBeBetween": lambda number, limits: not limits[0] < number < limits[1],
}
_WORDS = {
    "mustBe": "must be {}",
    "mustNotBe": "must not be {}",
    "mustBeGreaterThan": "must be greater than {}",
    "mustBeGreaterOrEqualTo": "must be at least {}",
    "mustBeLessThan": "must be less than {}",
    "mustBeLessOrEqualTo": "must be at most {}",
    "mustBeBetween": "must be between {} and {}",
    "mustNotBeBetween": "must not be between {} and {}",
}
OPERATORS = tuple(_HOLDS)
"""The standard's operators."""


@dataclass(frozen=True, slots=True)
class Demand:
    """`operator` is one of OPERATORS, `limits` its one number, or the two of a range, to which
    neither belongs: so the standard has it."""

    operator: str
    limits: tuple[Number, ...]

    def admits(self, number: Number) -> bool:
        return _HOLDS[self.operator](number, self.limits)

    def __str__(self) -> str:
        return _WORDS[self.operator].format(*(figure(limit) for limit in self.limits))


NONE = (Demand("mustBe", (0,)),)
"""No row may fail."""


@dataclass(frozen=True, slots=True)
class Nulls:
    """Rows without a value in `column`."""

    metric: ClassVar[str] = "nullValues"
    column: Column


@dataclass(frozen=True, slots=True)
class Missing:
    """Rows whose value, as text, stands for none: `texts`, and NULL where `null`."""

    metric: ClassVar[str] = "missingValues"
    column: Column
    texts: tuple[str, ...]
    null: bool


@dataclass(frozen=True, slots=True)
class Invalid:
    """Rows with a value that is not among `texts` (the accepted ones), or in which `pattern` is not found; each of the
    two may be None. A row without a value is not invalid."""

    metric: ClassVar[str] = "invalidValues"
    column: Column
    texts: tuple[str, ...] | None
    pattern: str | None


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Rows that say again what another row says in all of `columns`: of three that are equal, two. A row without a
    value in one of them repeats nothing."""

    metric: ClassVar[str] = "duplicateValues"
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class RowCount:
    """All rows."""

    metric: ClassVar[str] = "rowCount"


@dataclass(frozen=True, slots=True)
class Range:
    """Rows whose value lies below `minimum` or above `maximum`: a number, or of a moment its microseconds since 1970.
    Each of the two may be None; `told` has them as they were written. A row without a value lies nowhere."""

    metric: ClassVar[str] = "range"
    column: Column
    minimum: Decimal | None
    maximum: Decimal | None
    told: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows whose `columns` name no live row of the stream `to` by its key, and have done so for longer than `grace`
    seconds since that was merged; until then they are pending. A row without a value names nothing."""

    metric: ClassVar[str] = "reference"
    columns: tuple[Column, ...]
    to: Stream
    grace: int


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds since the newest moment in `column` that is not ahead of us; without a column, since the last merge."""

    metric: ClassVar[str] = "freshness"
    column: Column | None
    age_max: int


@dataclass(frozen=True, slots=True)
class Volume:
    """Rows of the last whole day by `column` (in UTC, ended `delay` seconds ago or earlier), held against that weekday
    in the `weeks` before: needs `weeks_min` of them, and lets at least `tolerance` (a share of what is usual) pass."""

    metric: ClassVar[str] = "volume"
    column: Column
    weeks: int
    weeks_min: int
    tolerance: float
    delay: int


@dataclass(frozen=True, slots=True)
class NullRate:
    """The share of rows without a value in `column` on that last whole day by `by`, held against the `days` before:
    needs `days_min` of them with rows, and lets a rise of `tolerance` (a share of all rows) pass."""

    metric: ClassVar[str] = "nullRate"
    column: Column
    by: Column
    days: int
    days_min: int
    tolerance: float
    delay: int


@dataclass(frozen=True, slots=True)
class Query:
    """The one number of a statement that somebody wrote, its placeholders as they stand; `column` is what they name."""

    metric: ClassVar[str] = "sql"
    text: str
    column: Column | None


Rule = Nulls | Missing | Invalid | Duplicates | RowCount | Range | Reference | Freshness | Volume | NullRate | Query

PENDING_SECONDS = DAY_SECONDS
"""How long a row may wait for what it names, where the contract does not say."""


@dataclass(frozen=True, slots=True)
class Check:
    """One demand of a contract.

    name      the contract's own, or made of the column and the metric; no two of a stream are alike
    demands   what the number must be, all of them; none where the rule itself says what is too much
    unit      of what they speak: Unit where rows that fail are counted, else a word for people
    implied   what of the contract it follows from: "required" or "unique"; "" where somebody wrote it
    """

    name: str
    rule: Rule
    demands: tuple[Demand, ...] = ()
    unit: str = ""
    severity: Severity = Severity.BLOCK
    implied: str = ""
    description: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that have to be there for it to be measured."""
        match self.rule:
            case RowCount() | Query():
                return ()
            case Duplicates(columns=columns) | Reference(columns=columns):
                return columns
            case NullRate(column=column, by=by):
                return (column, by)
            case rule:
                return () if rule.column is None else (rule.column,)

    def admits(self, number: Number) -> bool:
        return all(demand.admits(number) for demand in self.demands)

    @property
    def limit(self) -> str:
        """`must be less than 5 percent`; "" where the rule says it itself."""
        told = " and ".join(str(demand) for demand in self.demands)
        unit = "" if self.unit == Unit.ROWS or not self.unit else f" {self.unit}"
        return f"{told}{unit}" if told else ""


def figure(number: Number) -> str:
    """A number for people, whole where it is: `1,000`, `2.5`."""
    return f"{int(number):,}" if float(number).is_integer() else f"{number:,.6g}"
