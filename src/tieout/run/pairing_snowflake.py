"""The same in Snowflake, in its own SQL (`migrating_snowflake.sql`). Needs no driver.

Only the keys that are named leave it. Their values are written here, as what the source says of them is: Snowflake
writes moments and fractional numbers in another way, and the two could not be held against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from ..base.sql import Sql, Statements, name
from ..base.types import INTEGERS, Column, ColumnType, Kind
from ..contract.contract import Contract
from ..contract.key import key_text
from ..merge.aside import HasAside
from ..merge.snowflake.naming import carried, fold, folded, travels_as, type_of
from ..merge.texts import written_of
from ..merge.warehouse import ENGINE_TYPE, Engine
from ..quality.dialect_snowflake import SnowflakeDialect
from ..quality.migration import Comparison, Field, Named, Side
from .migration import Moved
from .pairing import Pairing, values_of

_SQL = Statements("tieout.run", "migrating_snowflake.sql")
_MOMENTS = {
    "TIMESTAMP_NTZ": Kind.TIMESTAMP,
    "TIMESTAMP_LTZ": Kind.TIMESTAMPTZ,
    "TIMESTAMP_TZ": Kind.TIMESTAMPTZ,
}
_KINDS = {"DATE": Kind.DATE, "TIME": Kind.TIME, "BINARY": Kind.BINARY, **_MOMENTS}
"""Of old columns whose text Snowflake writes otherwise than the embedded engine."""
_HOLDS: Mapping[Kind, frozenset[str]] = {
    Kind.BOOLEAN: frozenset({"BOOLEAN"}),
    Kind.FLOAT32: frozenset({"REAL", "NUMBER"}),
    Kind.FLOAT64: frozenset({"REAL", "NUMBER"}),
    Kind.DATE: frozenset({"DATE", *_MOMENTS}),
    Kind.TIME: frozenset({"TIME", *_MOMENTS}),
    Kind.TIMESTAMP: frozenset({"DATE", *_MOMENTS}),
    Kind.TIMESTAMPTZ: frozenset({"DATE", *_MOMENTS}),
    Kind.BINARY: frozenset({"BINARY"}),
}
"""The old types of which each value is one of the kind."""
_WHOLE_DIGITS = {Kind.INT16: 5, Kind.INT32: 10, Kind.INT64: 19}
_TEXTS = (Kind.TEXT, Kind.JSON, Kind.NUMERIC)
_dialect = SnowflakeDialect()


class SnowflakePairing(Pairing):
    statements = _SQL

    def compared(self, moved: Moved, contract: Contract, *, limit: int) -> Comparison:
        """Old rows that lie in a file are compared beside this program, to which the live rows are brought."""
        if moved.legacy is None or moved.legacy.file is None:
            return super().compared(moved, contract, limit=limit)
        self._check_stands(moved)
        assert isinstance(self._reader, HasAside), "a reader of tables elsewhere can bring them"
        with self._reader.aside() as aside:
            aside.look(contract)
            return Pairing(_Here(aside.connection), self._schema).compared(moved, contract, limit=limit)

    def _stands(self, schema: str, table: str) -> bool:
        return super()._stands(fold(schema), fold(table))

    def _name(self, *parts: str) -> Sql:
        return folded(*parts)

    def _as_told(self, column: str) -> str:
        return column.lower()  # as answers name them

    def _words(self, legacy: Sql) -> dict[str, str]:
        told = self._reader.query(self.statements("columns", legacy=legacy)).schema
        return {field.name: field.metadata[ENGINE_TYPE].decode() for field in told}

    def _part(self, index: int, old: str, kept: Column, word: str) -> dict[str, Any]:
        text = _text(folded(old), word)
        unlike = "unlike_reals" if kept.type.kind is Kind.FLOAT32 else "unlike"
        return {
            "was": _taken(folded(old), text, kept.type, word),
            "text": text,
            "new": folded(kept.name),
            "unlike": _SQL(unlike, was=Sql(f"told.value_{index}"), **{"is": Sql(f"live.value_{index}")}),
            "told": _dialect.as_text(kept, Sql(f"told.key_{index}")),
            "carried": carried(kept.type, Sql(f"key_{index}")),
            "carried_was": carried(kept.type, Sql(f"was_{index}")),
            "carried_is": carried(kept.type, Sql(f"is_{index}")),
        }

    def _named(self, moved: Moved, contract: Contract, rows: pa.Table) -> tuple[Named, ...]:
        types = {column.name: column.type for column in contract.columns}
        values = values_of(moved)
        here = {f"key_{at}": types[moved.field(old)] for at, old in enumerate(moved.key)}
        for at, old in enumerate(values):
            here |= {f"was_{at}": types[moved.field(old)], f"is_{at}": types[moved.field(old)]}
        brought = pa.table({one: _arrived(rows.column(one), type_) for one, type_ in here.items()})
        key = key_text(contract, {moved.field(old): name(f"key_{at}") for at, old in enumerate(moved.key)})
        named = [
            _named_one(row, texts, values)
            for row, texts in zip(rows.to_pylist(), written_of(brought, key), strict=True)
        ]  # fmt: skip
        return tuple(sorted(named, key=lambda one: (one.side, one.key)))


class _Here:
    """Implements `Reader` for what was brought beside this program."""

    engine = Engine.DUCKDB

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        return self._connection.sql(statement, params=list(parameters)).to_arrow_table()

    def close(self) -> None:
        """Whoever brought it has it closed."""


def _named_one(row: Mapping[str, Any], texts: Mapping[str, Any], values: Sequence[str]) -> Named:
    side = Side(row["side"])
    if side is not Side.DIFFERS:
        return Named(texts["key"] if side is Side.ONLY_LEGACY else row["row_key"], side)
    fields = tuple(
        Field(old, texts[f"was_{at}"] if row[f"text_{at}"] is None else row[f"text_{at}"], texts[f"is_{at}"])
        for at, old in enumerate(values)
        if row[f"differs_{at}"]
    )
    return Named(row["row_key"], side, fields)


def _arrived(column: pa.ChunkedArray, type_: ColumnType) -> pa.ChunkedArray:
    return column.cast(travels_as(type_)).cast(type_.arrow)


def _text(old: Sql, word: str) -> Sql:
    kind = _KINDS.get(_family(word), Kind.TEXT)
    return _dialect.as_text(Column("", ColumnType(kind)), old)


def _taken(old: Sql, text: Sql, type_: ColumnType, word: str) -> Sql:
    """An old value in the contract's type."""
    family = _family(word)
    if type_.kind in _TEXTS:
        return text
    if type_.kind is Kind.UUID:
        return _SQL("taken_as_uuid", text=text)
    if family in _HOLDS.get(type_.kind, ()):
        return _SQL("taken", value=old, type=type_of(type_))
    if family == "REAL" and (type_.kind in INTEGERS or type_.kind is Kind.DECIMAL):
        digits = _WHOLE_DIGITS.get(type_.kind, type_.precision - type_.scale)
        return _SQL("taken_from_double", value=old, scale=type_.scale, digits=digits, type=type_of(type_))
    return _SQL("taken_from_text", text=text, type=type_of(type_))


def _family(word: str) -> str:
    return word.partition("(")[0]
