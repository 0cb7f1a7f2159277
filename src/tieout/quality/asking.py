"""The statements of checks about one stream: a contract's columns and a check's arguments, put into an engine's SQL.

Pure: nothing is asked here. Whatever a contract says is bound; its columns' names are quoted. What engines say
differently, their dialects know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..base.sql import Sql, written
from ..base.types import INTEGERS, Column, Kind
from ..contract.checks import Check, Duplicates, Freshness, Invalid, Missing, Nulls, Query, Range, Reference, RowCount
from ..contract.contract import Contract
from ..contract.rules import MOMENTS
from ..merge.warehouse import Engine, Side, table_of
from .dialect import Dialect
from .dialect_duckdb import DuckDBDialect
from .dialect_snowflake import SnowflakeDialect
from .outcome import KEYS_MAX

_PLACEHOLDER = re.compile(r"\$?\{(object|table|property|column)\}")
_DIALECTS: Mapping[Engine, Dialect] = {Engine.DUCKDB: DuckDBDialect(), Engine.SNOWFLAKE: SnowflakeDialect()}

Question = tuple[Sql, list[Any]]
"""A statement, and what is bound to it in the order of its places."""


def noted(engine: Engine) -> Sql:
    """Of which streams and moments the warehouse has checkups: `stream` and `moment`, microseconds since 1970."""
    return _DIALECTS[engine].statements("noted")


class Asking:
    """The statements about the live rows of one stream, in this engine's words."""

    def __init__(self, engine: Engine, contract: Contract) -> None:
        self._dialect = _DIALECTS[engine]
        self._contract = contract
        self._latest = self._table(contract, "latest")

    def rows(self, answered: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The rows that came of a statement, as these say them."""
        return [self._dialect.row(row) for row in answered]

    def measure(self, checks: Sequence[Check], now: int) -> Question:
        """One pass that counts for all of these checks. What it counts for the third is called `count2` and `keys2`."""
        bound = _Bound()
        conditions: list[dict[str, Sql]] = []
        numbers = [
            self._number(bound, conditions, at, check, now)
            for at, check in enumerate(checks)
            if not isinstance(check.rule, RowCount)
        ]
        asked = self._sql("measure", latest=self._latest, numbers=numbers, conditions=conditions)
        return asked, bound.values

    def repeated(self, rule: Duplicates) -> Question:
        """The keys of the first rows that another row equals."""
        columns = [self._name(column) for column in rule.columns]
        return self._sql("repeated", latest=self._latest, columns=columns, keys_max=KEYS_MAX), []

    def reference(self, rule: Reference, parent: Contract, since: int) -> Question:
        """Rows that name none of the parent's: those from before `since`, and the others. Columns of different types
        are compared as texts."""
        pairs = []
        for at, (child, key) in enumerate(zip(rule.columns, parent.key_columns, strict=True)):
            left, right = self._dialect.name("child", f"__{at}"), self._dialect.name("parent", f"__{at}")
            if child.type != key.type and not {child.type.kind, key.type.kind} <= INTEGERS:
                left, right = self._dialect.as_text(child, left), self._dialect.as_text(key, right)
            pairs.append(
                {
                    "child": self._name(child),
                    "parent": self._name(key),
                    "alias": self._dialect.name(f"__{at}"),
                    "left": left,
                    "right": right,
                }
            )
        tables = {"latest": self._latest, "raw": self._table(self._contract, "raw")}
        parts = {**tables, "parent": self._table(parent, "latest"), "pairs": pairs}
        return self._sql("reference", **parts, keys_max=KEYS_MAX), [str(self._contract.stream), since]

    def daily(self, moment: Column, lacking: Mapping[int, Column], now: int, *, days_max: int) -> Question:
        """Rows by day, newest day first, and how many of them lack values: those of the second column are `nulls1`."""
        counted = [
            {"column": self._name(column), "alias": self._dialect.result(f"nulls{at}")}
            for at, column in lacking.items()
        ]
        parts = {"latest": self._latest, "moment": self._dialect.as_moment(moment), "lacking": counted}
        return self._sql("daily", **parts, days_max=days_max), [now]

    def gaps(self, column: Column, now: int, *, longer: int, ending_after: int, gaps_max: int) -> Question:
        """The pauses between two moments, in microseconds; and the first of them all."""
        parts = {"latest": self._latest, "moment": self._dialect.as_moment(column)}
        return self._sql("gaps", **parts, gaps_max=gaps_max), [now, longer, ending_after]

    def last_merge(self) -> Question:
        return self._sql("last_merge"), [str(self._contract.stream)]

    def statement(self, rule: Query) -> Sql:
        """What somebody asks of the live rows, its placeholders filled in."""
        object_ = self._dialect.name(self._contract.stream.table)
        named = {"object": object_, "table": object_}
        if rule.column is not None:
            named |= dict.fromkeys(("property", "column"), self._name(rule.column))
        text = _PLACEHOLDER.sub(lambda found: named.get(found[1], found[0]), rule.text)
        columns = [self._name(column) for column in self._contract.columns]
        return self._sql("asked", object=object_, columns=columns, latest=self._latest, statement=written(text))

    def _number(self, bound: _Bound, conditions: list[dict[str, Sql]], at: int, check: Check, now: int) -> Sql:
        count, keys = self._dialect.result(f"count{at}"), self._dialect.result(f"keys{at}")
        match check.rule:
            case Duplicates(columns=columns):
                return self._sql("count_repeated", columns=[self._name(column) for column in columns], count=count)
            case Freshness(column=column):
                assert column is not None, "the last merge is no number of the rows"
                return self._sql("newest", moment=self._dialect.as_moment(column), now=bound.put(now), count=count)
            case _:
                condition = {"failing": self._failing(bound, check), "fails": self._dialect.result(f"fails{at}")}
                conditions.append(condition)
                return self._sql("count_failing", **condition, count=count, keys=keys, keys_max=KEYS_MAX)

    def _failing(self, bound: _Bound, check: Check) -> Sql:
        """What holds of a row that fails."""
        match check.rule:
            case Nulls(column=column):
                return self._sql("is_null", column=self._name(column))
            case Missing(column=column, texts=texts, null=null):
                among = self._dialect.among_texts(column, texts, bound.put)
                return self._sql("is_missing", column=self._name(column), among=among, null=int(null))
            case Invalid(column=column, texts=texts, pattern=pattern):
                quoted, conditions = self._name(column), []
                if texts is not None:
                    among = self._dialect.among(column, texts, bound.put)
                    conditions.append(self._sql("is_unlisted", column=quoted, among=among))
                if pattern is not None:
                    text, place = self._dialect.as_text(column, quoted), bound.put(self._dialect.pattern(pattern))
                    conditions.append(self._sql("is_unmatched", column=quoted, text=text, pattern=place))
                return self._sql("either", conditions=conditions)
            case Range(column=column, minimum=minimum, maximum=maximum):
                limits = [("is_below", minimum), ("is_above", maximum)]
                beyond = [self._beyond(bound, side, column, limit) for side, limit in limits if limit is not None]
                return self._sql("either", conditions=beyond)
            case rule:
                raise AssertionError(f"{rule.metric} is not measured in the pass over all rows")

    def _beyond(self, bound: _Bound, side: str, column: Column, limit: Decimal) -> Sql:
        value, type_ = self._dialect.comparable(column)
        if column.type.kind in MOMENTS:
            value, type_ = self._dialect.as_moment(column), self._dialect.whole
        elif not _holds(column, limit):
            value, type_ = self._dialect.as_double(column), self._dialect.double
        elif column.type.kind in INTEGERS:
            type_ = self._dialect.whole
        return self._sql(side, value=value, bound=bound.put(format(limit, "f")), type=type_)

    def _sql(self, statement: str, /, **parts: object) -> Sql:
        return self._dialect.statements(statement, **parts)

    def _name(self, column: Column) -> Sql:
        return self._dialect.name(column.name)

    def _table(self, contract: Contract, schema: str) -> Sql:
        return self._dialect.name(schema, table_of(contract.stream, Side.LIVE))


class _Bound:
    """The values of a statement in the making, in the order of their places."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def put(self, value: Any) -> Sql:
        """Its place."""
        self.values.append(value)
        return Sql(f"${len(self.values)}")


def _holds(column: Column, limit: Decimal) -> bool:
    """Whether a column's type can hold a limit to the last digit."""
    if column.type.kind in INTEGERS:
        return limit == limit.to_integral_value() and abs(limit) < Decimal(10) ** 30
    if column.type.kind is Kind.DECIMAL:
        scaled = limit.scaleb(column.type.scale)
        return scaled == scaled.to_integral_value() and abs(scaled) < Decimal(10) ** column.type.precision
    return False
