"""The statements of checks: a contract's columns and a check's arguments, put into `checks.sql`.

Pure: nothing is asked here. Whatever a contract says is bound; its columns' names are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ..base.sql import Sql, Statements, name, written
from ..base.types import INTEGERS, Column, Kind
from ..contract.checks import Check, Duplicates, Freshness, Invalid, Missing, Nulls, Query, Range, Reference, RowCount
from ..contract.contract import Contract
from ..contract.rules import MOMENTS
from ..merge.warehouse import Side, table_of
from .outcome import KEYS_MAX

SQL = Statements(__package__, "checks.sql")

_PLACEHOLDER = re.compile(r"\$?\{(object|table|property|column)\}")
_DOUBLE = Sql("DOUBLE")


class Asked:
    """A statement in the making: `values` are what is bound to it, in the order of their places."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def bound(self, value: Any) -> Sql:
        """The place of a value that is bound."""
        self.values.append(value)
        return Sql(f"${len(self.values)}")


def table(contract: Contract, schema: str = "latest") -> Sql:
    return name(schema, table_of(contract.stream, Side.LIVE))


def measure(contract: Contract, checks: Sequence[Check], now: int) -> tuple[Sql, list[Any]]:
    """One pass that counts for all of these checks. What it counts for the third is called `count2` and `keys2`."""
    asked = Asked()
    counted = [(at, check) for at, check in enumerate(checks) if not isinstance(check.rule, RowCount)]
    numbers = [_number(asked, at, check, now) for at, check in counted]
    return SQL("measure", latest=table(contract), numbers=numbers), asked.values


def _number(asked: Asked, at: int, check: Check, now: int) -> Sql:
    count, keys = name(f"count{at}"), name(f"keys{at}")
    match check.rule:
        case Duplicates(columns=columns):
            return SQL("count_repeated", columns=[name(column.name) for column in columns], count=count)
        case Freshness(column=column):
            assert column is not None, "the last merge is no number of the rows"
            return SQL("newest", column=name(column.name), now=asked.bound(now), count=count)
        case _:
            return SQL("count_failing", failing=_failing(asked, check), count=count, keys=keys, keys_max=KEYS_MAX)


def _failing(asked: Asked, check: Check) -> Sql:
    """What holds of a row that fails."""
    match check.rule:
        case Nulls(column=column):
            return SQL("is_null", column=name(column.name))
        case Missing(column=column, texts=texts, null=null):
            return SQL("is_missing", column=name(column.name), texts=asked.bound(list(texts)), null=int(null))
        case Invalid(column=column, texts=texts, pattern=pattern):
            quoted, conditions = name(column.name), []
            if texts is not None:
                value, type_ = _comparable(column)
                listed = asked.bound(list(texts))
                conditions.append(SQL("is_unlisted", column=quoted, texts=listed, value=value, type=type_))
            if pattern is not None:
                conditions.append(SQL("is_unmatched", column=quoted, pattern=asked.bound(pattern)))
            return SQL("either", conditions=conditions)
        case Range(column=column, minimum=minimum, maximum=maximum):
            limits = [("is_below", minimum), ("is_above", maximum)]
            return SQL(
                "either",
                conditions=[_beyond(asked, side, column, limit) for side, limit in limits if limit is not None],
            )
        case rule:
            raise AssertionError(f"{rule.metric} is not measured in the pass over all rows")


def _beyond(asked: Asked, side: str, column: Column, limit: Decimal) -> Sql:
    value, type_ = _comparable(column)
    if column.type.kind in MOMENTS:
        value, type_ = SQL("moment", column=name(column.name)), Sql("BIGINT")
    elif not _holds(column, limit):
        value, type_ = SQL("as_double", column=name(column.name)), _DOUBLE
    elif column.type.kind in INTEGERS:
        type_ = Sql("HUGEINT")
    return SQL(side, value=value, bound=asked.bound(str(limit)), type=type_)


def _comparable(column: Column) -> tuple[Sql, Sql]:
    """A column as it is compared with what a contract says, and the type in which it is."""
    if column.type.kind is Kind.NUMERIC:
        return SQL("as_double", column=name(column.name)), _DOUBLE
    return name(column.name), Sql(column.type.duckdb)


def _holds(column: Column, limit: Decimal) -> bool:
    """Whether a column's type can hold a limit to the last digit."""
    if column.type.kind in INTEGERS:
        return limit == limit.to_integral_value() and abs(limit) < Decimal(10) ** 30
    if column.type.kind is Kind.DECIMAL:
        scaled = limit.scaleb(column.type.scale)
        return scaled == scaled.to_integral_value() and abs(scaled) < Decimal(10) ** column.type.precision
    return False


def repeated(contract: Contract, rule: Duplicates) -> Sql:
    columns = [name(column.name) for column in rule.columns]
    return SQL("repeated", latest=table(contract), columns=columns, keys_max=KEYS_MAX)


def reference(contract: Contract, rule: Reference, parent: Contract) -> Sql:
    """Two columns of different types are compared as texts."""
    pairs = []
    for at, (child, key) in enumerate(zip(rule.columns, parent.key_columns, strict=True)):
        alias = name(f"__{at}")
        is_alike = child.type == key.type or {child.type.kind, key.type.kind} <= INTEGERS
        side = "same" if is_alike else "as_text"
        pairs.append(
            {
                "child": name(child.name),
                "parent": name(key.name),
                "alias": alias,
                "left": SQL(side, column=name("child", f"__{at}")),
                "right": SQL(side, column=name("parent", f"__{at}")),
            }
        )
    parts = {"latest": table(contract), "raw": table(contract, "raw"), "parent": table(parent), "pairs": pairs}
    return SQL("reference", **parts, keys_max=KEYS_MAX)


def statement(contract: Contract, rule: Query) -> Sql:
    """What somebody asks of the live rows, its placeholders filled in."""
    object_ = name(contract.stream.table)
    named = {"object": object_, "table": object_}
    if rule.column is not None:
        named |= dict.fromkeys(("property", "column"), name(rule.column.name))
    text = _PLACEHOLDER.sub(lambda found: named.get(found[1], found[0]), rule.text)
    columns = [name(column.name) for column in contract.columns]
    return SQL("asked", object=object_, columns=columns, latest=table(contract), statement=written(text))
