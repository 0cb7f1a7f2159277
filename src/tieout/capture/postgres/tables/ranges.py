"""Ranges of a table: read in chunks along an index, estimated without reading, and compared as the server compares.

A chunk looks at a bounded number of rows: its end is found first, in the index alone, and what lies before it is read
then. So its time is bounded also where a window admits few of them. Every value stands beside its column's own type and
collation; nothing is ordered here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_postgresql import dbapi

from ....base.codec import canonical_json
from ....base.errors import Misconfigured
from ....base.range import Range
from ....base.sql import Sql, Statements, name
from ...source import Estimate, Place
from ..catalogue import Field, Table
from ..refusal import refusals_told
from .snapshot import Snapshot, images_of, read_of

statements = Statements(__package__, "ranges.sql")

_PLAINLY = {"adbc.postgresql.use_copy": "false"}
"""The driver would fetch rows by COPY, which explains nothing."""
_DATA = "22"
"""Of the server's codes, the class of values that are none of their type."""


@dataclass(frozen=True, slots=True)
class Trait:
    """Of a column: how its type's values are ordered, and whether an index begins with it."""

    collate: Sql
    indexed: bool


@dataclass(slots=True)
class _Bounds:
    """Conditions, and the values that they speak of: these are bound together, as one JSON array of text."""

    values: list[str] = field(default_factory=list)
    conditions: list[Sql] = field(default_factory=list)

    def value(self, of: Field, text: str) -> Sql:
        """The text as a value of that column."""
        self.values.append(text)
        return of.passage.asked.of(statements("bound", place=len(self.values) - 1), of.cast)

    def add(self, left: Sequence[Sql], sign: str, of: Sequence[Field], texts: Sequence[str]) -> None:
        """Columns, as many as there are texts, against these texts; of several the first counts first."""
        right = [self.value(column, text) for column, text in zip(of, texts, strict=False)]
        self.conditions.append(statements("compared", left=list(left[: len(right)]), sign=Sql(sign), right=right))

    @property
    def condition(self) -> Sql:
        return Sql(" and ".join(self.conditions) or "true")

    @property
    def bound(self) -> tuple[str, ...]:
        return (canonical_json(self.values),) if self.values else ()


def understood(dsn: str, table: Table, wish: Range) -> Range:
    """The range in the server's own spelling. Raises Misconfigured for a value that is none, or ends that cross."""
    fields, traits = _by_name(table), traits_of(dsn, table)
    if wish.column is not None and wish.column not in fields:
        raise Misconfigured(
            f"table {table.quoted} has no column {wish.column}.", hint=f"It has: {', '.join(sorted(fields))}."
        )
    key, bounds = [fields[column] for column in table.key], _Bounds()
    ends = [text for text in (wish.since, wish.until) if text is not None]
    window = [fields[wish.column]] * len(ends) if wish.column is not None else []
    asked = [(key[: len(wish.first)], wish.first), (key[: len(wish.last)], wish.last), (window, ends)]
    values = [bounds.value(one, text) for of, texts in asked for one, text in zip(of, texts, strict=True)]
    if not values:
        return wish
    found = iter(_told(dsn, statements("understood", values=values), bounds.bound)[0])
    first, last = (tuple(next(found) for _ in texts) for texts in (wish.first, wish.last))
    since, until = (None if text is None else str(next(found)) for text in (wish.since, wish.until))
    range_ = Range(first, last, wish.column, since, until)
    _refuse_crossed(dsn, table, traits, range_)
    return range_


def estimate(dsn: str, table: Table, range_: Range) -> Estimate:
    bounds = _limits(table, range_)
    columns = [{"name": name(one.name)} for one in table.fields]
    asked = statements("estimated", table=table, columns=columns, condition=bounds.condition)
    ((plan,),) = _told(dsn, asked, bounds.bound)
    top = json.loads(plan)[0]["Plan"]
    return Estimate(int(top["Plan Rows"]), int(top["Plan Rows"]) * int(top["Plan Width"]))


def within(dsn: str, table: Table, range_: Range, keys: Sequence[str]) -> tuple[str, ...]:
    """Of these canonical keys those between the range's first and last key."""
    if not keys or not (range_.first or range_.last):
        return tuple(keys)
    traits, key = traits_of(dsn, table), _fields(table, table.key)
    columns = [
        Sql(one.passage.asked.of(statements("told", place=place), one.cast) + traits[one.name].collate)
        for place, one in enumerate(key)
    ]
    bounds = _key_limits(columns, key, range_)
    asked = (*bounds.bound, f"[{','.join(keys)}]")
    return tuple(str(row[0]) for row in _told(dsn, statements("within", condition=bounds.condition), asked))


def walk_of(dsn: str, table: Table, range_: Range) -> tuple[str, ...]:
    """The columns along which a range is read: by the window's own index if it has one, else by the key's."""
    if range_.column is not None and traits_of(dsn, table)[range_.column].indexed:
        return (range_.column, *(column for column in table.key if column != range_.column))
    return table.key


def read(
    snapshot: Snapshot, table: Table, range_: Range, *, walk: Sequence[str], behind: Place | None, rows_max: int
) -> tuple[pa.Table, Place | None]:
    """The rows of the next chunk as images, and where it ends; None at the range's end."""
    names, of = [name(column) for column in walk], _fields(table, walk)
    past = [value for _, value in behind or ()]
    with refusals_told(f"reading a range of {table.quoted}"), snapshot.holding(table) as cursor:
        ahead = _limits(table, range_, window=range_.column is not None and walk[0] == range_.column)
        if past:
            ahead.add(names, ">", of, past)
        asked = statements("reached", table=table, walk=names, rows=rows_max, condition=ahead.condition)
        cursor.execute(str(asked), ahead.bound or None)
        ends = cursor.fetchall()
        chunk = _limits(table, range_)
        if past:
            chunk.add(names, ">", of, past)
        if ends:
            chunk.add(names, "<=", of, ends[0])
        columns = [read_of(one) for one in table.fields]
        rows = statements("ranged", table=table, columns=columns, condition=chunk.condition)
        cursor.execute(str(rows), chunk.bound or None)
        images = images_of(cursor.fetch_arrow_table(), table, snapshot.stamp)
    return images, tuple(zip(walk, map(str, ends[0]), strict=True)) if ends else None


def _limits(table: Table, range_: Range, *, window: bool = True) -> _Bounds:
    """The range as conditions on the table's columns."""
    bounds = _key_limits([name(column) for column in table.key], _fields(table, table.key), range_)
    if window and range_.column is not None:
        column, of = [name(range_.column)], _fields(table, [range_.column])
        for sign, text in ((">=", range_.since), ("<", range_.until)):
            if text is not None:
                bounds.add(column, sign, of, [text])
    return bounds


def _key_limits(columns: Sequence[Sql], of: Sequence[Field], range_: Range) -> _Bounds:
    bounds = _Bounds()
    for sign, texts in ((">=", range_.first), ("<=", range_.last)):
        if texts:
            bounds.add(columns, sign, of, texts)
    return bounds


def _refuse_crossed(dsn: str, table: Table, traits: dict[str, Trait], range_: Range) -> None:
    """A range that ends before it begins is a slip, and not an empty wish."""
    bounds = _Bounds()
    if both := min(len(range_.first), len(range_.last)):
        key = _fields(table, table.key[:both])
        values = [bounds.value(one, text) for one, text in zip(key, range_.first, strict=False)]
        left = [Sql(value + traits[one.name].collate) for one, value in zip(key, values, strict=True)]
        bounds.add(left, "<=", key, range_.last[:both])
    if range_.column is not None and range_.since is not None and range_.until is not None:
        of = _fields(table, [range_.column])
        bounds.add([bounds.value(of[0], range_.since)], "<", of, [range_.until])
    if bounds.conditions:
        ((holds,),) = _told(dsn, statements("holds", condition=bounds.condition), bounds.bound)
        if not holds:
            raise Misconfigured(f"the range ends before it begins: {range_}.", hint="Exchange its ends.")


def _by_name(table: Table) -> dict[str, Field]:
    if not table.key:
        raise Misconfigured(f"table {table.quoted} has no key along which it could be read in parts.")
    return {one.name: one for one in table.fields}


def _fields(table: Table, columns: Sequence[str]) -> list[Field]:
    fields = _by_name(table)
    return [fields[column] for column in columns]


def traits_of(dsn: str, table: Table) -> dict[str, Trait]:
    """Of each column. One question."""
    return {
        column: Trait(Sql(f" collate {name(schema, collation)}") if collation else Sql(), bool(indexed))
        for column, schema, collation, indexed in _told(dsn, statements("traits", table=table), ())
    }


def _told(dsn: str, statement: Sql, bound: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows that the server answers with, in a session of its own."""
    with _session(dsn) as cursor:
        cursor.execute(str(statement), tuple(bound) or None)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


@contextmanager
def _session(dsn: str) -> Iterator[Any]:
    with refusals_told("asking about a range"), _values_told():
        connection = dbapi.connect(dsn, autocommit=True)
        try:
            with connection.cursor() as cursor:
                cursor.adbc_statement.set_options(**_PLAINLY)
                yield cursor
        finally:
            connection.close()


@contextmanager
def _values_told() -> Iterator[None]:
    """A value that is none of its type is a wrong wish, not a fault of the server's or ours."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        if (error.sqlstate or "")[:2] != _DATA:
            raise
        told = str(error).partition("ERROR:")[2].partition("\n")[0].strip()
        raise Misconfigured(
            f"the range cannot be read: {told}.", hint="Write values as the column holds them."
        ) from error
