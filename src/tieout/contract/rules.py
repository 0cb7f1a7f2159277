"""From one entry of a contract's `quality` to the rule that it names, its arguments read and nothing guessed.

The library is the standard's own; the rules of ours stand under `type: custom` with our engine. An argument that no
rule takes is refused: one that is passed over would be a check that looks at something else than its author thinks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from open_data_contract_standard.model import DataQuality

from ..base.duration import ALLOWED, seconds_of
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.types import INTEGERS, Column, Kind
from ..base.yamlfile import Document, Place, descend, nearest
from .checks import (
    PENDING_SECONDS,
    Duplicates,
    Freshness,
    Invalid,
    Missing,
    NullRate,
    Nulls,
    Query,
    Range,
    Reference,
    RowCount,
    Rule,
    Volume,
)
from .contract import Contract

ENGINE = "tieout"

MOMENTS = frozenset({Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
_NUMBERS = INTEGERS | {Kind.DECIMAL, Kind.NUMERIC, Kind.FLOAT32, Kind.FLOAT64}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_FORMER = {"duplicateCount": "duplicateValues", "nullCheck": "nullValues", "countCheck": "rowCount"}
"""What `rule` said before `metric` took its place."""
_BESIDE = ("nullValues", "missingValues", "invalidValues")
"""Metrics of the library that speak of a property, and stand beside it."""

WEEKS, WEEKS_MIN, VOLUME_TOLERANCE = 8, 4, 0.3
DAYS, DAYS_MIN, RATE_TOLERANCE = 28, 14, 0.02
WEEKS_MAX, DAYS_MAX = 52, 364


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `quality`, at `place`. `column` is the property that it stands beside; None: it is the table's."""

    document: Document
    contract: Contract
    place: Place
    said: DataQuality
    column: Column | None

    def refuse(self, place: Place, wanted: str, *, hint: str = "") -> NoReturn:
        """The error for what stands at `place`, which may be nothing."""
        raise self.document.wrong(place, f"is {self.found(place)}; {wanted}", hint=hint)

    def found(self, place: Place) -> str:
        try:
            descend(self.document.written, place)
        except (KeyError, IndexError, TypeError):
            return "missing"
        return self.document.found(place)


def rule_of(entry: Entry, type_: str) -> Rule:
    """The rule of an entry of this type: library, sql or custom. Raises Misconfigured."""
    if type_ == "sql":
        return _query(entry)
    return _of_ours(entry) if type_ == "custom" else _of_library(entry)


def _query(entry: Entry) -> Query:
    text = (entry.said.query or "").strip().removesuffix(";")
    if not text:
        entry.refuse((*entry.place, "query"), "write a statement that returns one number.")
    return Query(text, entry.column)


def _of_library(entry: Entry) -> Rule:
    word, at = entry.said.metric or "", (*entry.place, "metric")
    if entry.said.metric is None and entry.said.rule is not None:
        word, at = _FORMER.get(entry.said.rule, entry.said.rule), (*entry.place, "rule")
    if word in _OURS:
        hint = f"Write type: custom, engine: {ENGINE}, and metric: {word} within implementation."
        entry.refuse(at, f"the library has {', '.join(_LIBRARY)}.", hint=hint)
    if word not in _LIBRARY:
        entry.refuse(at, f"allowed: {', '.join(_LIBRARY)}.", hint=nearest(word, [*_LIBRARY, *_OURS]))
    if word in _BESIDE and entry.column is None:
        entry.refuse(at, "which speaks of a property: write the entry beside that one.")
    return _LIBRARY[word](_Arguments(entry, (*entry.place, "arguments"), entry.said.arguments or {}))


def _of_ours(entry: Entry) -> Rule:
    at = (*entry.place, "implementation")
    given = entry.said.implementation
    if not isinstance(given, dict):
        entry.refuse(at, "write a mapping, such as {metric: volume, property: ordered_at}.")
    word, where = str(given.get("metric", "")), (*at, "metric")
    if word in _LIBRARY:
        entry.refuse(where, f"which is the library's: write metric: {word} in the entry itself, without an engine.")
    if word not in _OURS:
        entry.refuse(where, f"allowed: {', '.join(_OURS)}.", hint=nearest(word, [*_OURS, *_LIBRARY]))
    return _OURS[word](_Arguments(entry, at, {key: value for key, value in given.items() if key != "metric"}))


@dataclass(frozen=True, slots=True)
class _Arguments:
    """The arguments of a rule, which stand at `place`."""

    entry: Entry
    place: Place
    given: Mapping[str, Any]

    def only(self, *allowed: str) -> _Arguments:
        """These, once no other is among them."""
        for key in self.given:
            if key not in allowed:
                told = f"allowed: {', '.join(allowed)}." if allowed else "none is taken here."
                raise self.entry.document.wrong(
                    (*self.place, key), f"is not an argument; {told}", hint=nearest(key, allowed)
                )
        return self

    def refuse(self, key: str, wanted: str, *, hint: str = "") -> NoReturn:
        self.entry.refuse((*self.place, key), wanted, hint=hint)

    def seconds(self, key: str, default: int | None = None) -> int:
        """A length of time; without a default it has to be there."""
        if key not in self.given and default is not None:
            return default
        try:
            return seconds_of(str(self.given.get(key, "")))
        except ValueError:
            self.refuse(key, f"write {ALLOWED}.")

    def whole(self, key: str, default: int, most: int) -> int:
        number = self.given.get(key, default)
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
            self.refuse(key, f"write a whole number from 1 to {most}.")
        return number

    def share(self, key: str, default: float) -> float:
        number = self.given.get(key, default)
        if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number <= 1:
            self.refuse(key, "write a share from 0 to 1, such as 0.3.")
        return float(number)

    def texts(self, key: str) -> tuple[Any, ...]:
        """A list of values, as they stand."""
        values = self.given.get(key)
        if not isinstance(values, list) or not values or any(isinstance(value, list | dict) for value in values):
            self.refuse(key, "write a list of one value or more.")
        return tuple(values)

    def column(self, key: str = "property") -> Column:
        """The column that is named; where none is, the one that the entry stands beside."""
        if key not in self.given and self.entry.column is not None:
            return self.entry.column
        return self._named(key, self.given.get(key), (*self.place, key))

    def columns(self) -> tuple[Column, ...]:
        """The same of several."""
        if "properties" not in self.given and self.entry.column is not None:
            return (self.entry.column,)
        names = self.texts("properties")
        return tuple(self._named("properties", name, (*self.place, "properties", at)) for at, name in enumerate(names))

    def moment(self, key: str = "property") -> Column:
        """A column of moments."""
        column = self.column(key)
        if column.type.kind not in MOMENTS:
            problem = f"{column.name} is of type {column.type}; name a column of type {', '.join(sorted(MOMENTS))}."
            self.refuse(key, problem)
        return column

    def _named(self, key: str, name: object, place: Place) -> Column:
        columns = {column.name: column for column in self.entry.contract.columns}
        if name is None:
            self.refuse(key, "name a property of the contract.")
        if str(name) not in columns:
            told = f"allowed: {', '.join(columns)}."
            self.entry.refuse(place, told, hint=nearest(name, columns))
        return columns[str(name)]


def _nulls(arguments: _Arguments) -> Rule:
    return Nulls(arguments.only().column())


def _missing(arguments: _Arguments) -> Rule:
    values = arguments.only("missingValues").texts("missingValues")
    return Missing(arguments.column(), _as_texts(values), None in values)


def _invalid(arguments: _Arguments) -> Rule:
    arguments.only("validValues", "pattern")
    pattern = arguments.given.get("pattern")
    listed = _as_texts(arguments.texts("validValues")) if "validValues" in arguments.given else None
    if pattern is None and listed is None:
        hint = "Write arguments with validValues or pattern."
        raise arguments.entry.document.wrong(arguments.place, "does not say what is valid.", hint=hint)
    return Invalid(arguments.column(), listed, None if pattern is None else str(pattern))


def _duplicates(arguments: _Arguments) -> Rule:
    if arguments.entry.column is not None:
        return Duplicates((arguments.only().column(),))
    return Duplicates(arguments.only("properties").columns())


def _row_count(arguments: _Arguments) -> Rule:
    if arguments.only().entry.column is not None:
        raise arguments.entry.document.wrong(
            arguments.entry.place, "counts the rows of the table: write it above the properties, not beside one."
        )
    return RowCount()


def _range(arguments: _Arguments) -> Rule:
    column = arguments.only("property", "minimum", "maximum").column()
    if column.type.kind not in _NUMBERS | MOMENTS:
        arguments.refuse("property", f"{column.name} is of type {column.type}, which has no range.")
    minimum, maximum = _bound(arguments, "minimum", column), _bound(arguments, "maximum", column)
    if minimum is None and maximum is None:
        raise arguments.entry.document.wrong(arguments.place, "has no limit; write minimum, maximum or both.")
    least, most = arguments.given.get("minimum"), arguments.given.get("maximum")
    if minimum is not None and maximum is not None:
        told = f"{least} to {most}"
    else:
        told = f"at least {least}" if maximum is None else f"at most {most}"
    return Range(column, minimum, maximum, told)


def _reference(arguments: _Arguments) -> Rule:
    columns = arguments.only("property", "properties", "to", "pendingFor").columns()
    try:
        to = Stream.parse(str(arguments.given.get("to", "")))
    except Misconfigured as error:
        arguments.refuse("to", "name the stream that is referred to.", hint=error.hint)
    return Reference(columns, to, arguments.seconds("pendingFor", PENDING_SECONDS))


def _freshness(arguments: _Arguments) -> Rule:
    arguments.only("property", "maxAge")
    is_of_column = "property" in arguments.given or arguments.entry.column is not None
    return Freshness(arguments.moment() if is_of_column else None, arguments.seconds("maxAge"))


def _volume(arguments: _Arguments) -> Rule:
    column = arguments.only("property", "weeks", "weeksMin", "tolerance", "delay").moment()
    weeks = arguments.whole("weeks", WEEKS, WEEKS_MAX)
    weeks_min = arguments.whole("weeksMin", min(WEEKS_MIN, weeks), weeks)
    tolerance = arguments.share("tolerance", VOLUME_TOLERANCE)
    return Volume(column, weeks, weeks_min, tolerance, arguments.seconds("delay", 0))


def _null_rate(arguments: _Arguments) -> Rule:
    column = arguments.only("property", "by", "days", "daysMin", "tolerance", "delay").column()
    if "by" not in arguments.given:
        arguments.refuse("by", "name the column of moments that tells a row's day.")
    days = arguments.whole("days", DAYS, DAYS_MAX)
    days_min = arguments.whole("daysMin", min(DAYS_MIN, days), days)
    tolerance = arguments.share("tolerance", RATE_TOLERANCE)
    return NullRate(column, arguments.moment("by"), days, days_min, tolerance, arguments.seconds("delay", 0))


_LIBRARY: Mapping[str, Callable[[_Arguments], Rule]] = {
    Nulls.metric: _nulls,
    Missing.metric: _missing,
    Invalid.metric: _invalid,
    Duplicates.metric: _duplicates,
    RowCount.metric: _row_count,
}
_OURS: Mapping[str, Callable[[_Arguments], Rule]] = {
    Range.metric: _range,
    Reference.metric: _reference,
    Freshness.metric: _freshness,
    Volume.metric: _volume,
    NullRate.metric: _null_rate,
}
METRICS = (*_LIBRARY, *_OURS)
"""All that an entry may name."""


def _as_texts(values: Sequence[Any]) -> tuple[str, ...]:
    """As the engine writes them; that there may be no value at all is told apart."""
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in values if value is not None)


def _bound(arguments: _Arguments, key: str, column: Column) -> Decimal | None:
    value = arguments.given.get(key)
    if value is None:
        return None
    try:
        if column.type.kind in MOMENTS:
            at = datetime.fromisoformat(str(value))
            return Decimal(((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND)
        bound = Decimal(str(value))
    except (ValueError, InvalidOperation):
        bound = Decimal("NaN")
    if not bound.is_finite():
        wanted = "a moment such as 2026-01-01" if column.type.kind in MOMENTS else "a number"
        arguments.refuse(key, f"write {wanted}.")
    return bound
