"""Identifiers and column types as Snowflake has them, and how a contract's columns are spoken of in statements.

Names are written upper-case, which is what Snowflake folds an unquoted one to: people ask for them as they like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from ...base.errors import Misconfigured
from ...base.sql import Sql, escaped_literal, name
from ...base.stream import Stream
from ...base.types import Column, ColumnType, Kind
from ...contract.contract import Contract
from ..warehouse import Side, table_of

_FOLDED = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_TYPES = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INT16: "NUMBER(5,0)",
    Kind.INT32: "NUMBER(10,0)",
    Kind.INT64: "NUMBER(19,0)",
    Kind.NUMERIC: "VARCHAR",
    Kind.FLOAT32: "FLOAT",
    Kind.FLOAT64: "FLOAT",
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME(6)",
    Kind.TIMESTAMP: "TIMESTAMP_NTZ(6)",
    Kind.TIMESTAMPTZ: "TIMESTAMP_LTZ(6)",  # an instant, whatever zone a session shows it in
    Kind.UUID: "VARCHAR",
    Kind.JSON: "VARCHAR",  # VARIANT would keep a number of more than 38 digits as a double
    Kind.BINARY: "BINARY",
}

_SCALE_MAX = 37

_TRAVELS_AS: Mapping[Kind, pa.DataType] = {
    Kind.TIME: pa.int64(),
    Kind.TIMESTAMP: pa.int64(),
    Kind.TIMESTAMPTZ: pa.int64(),
}
"""Kinds that are another one on the way; what is lacking travels as what it is."""


def fold(word: str) -> str:
    """What a word is in the catalogue when nobody quotes it: only ASCII letters change."""
    return word.translate(_FOLDED)


def folded(*parts: str) -> Sql:
    """The identifier that these words are then."""
    return name(*(fold(part) for part in parts))


def bare(quoted: Sql) -> str:
    """An identifier as the catalogue has it."""
    return quoted.removeprefix('"').removesuffix('"').replace('""', '"')


def type_of(type_: ColumnType) -> Sql:
    """Raises Misconfigured for a decimal that no column there can hold."""
    if type_.kind is Kind.DECIMAL:
        if type_.scale > _SCALE_MAX:
            hint = f"Write decimal({type_.precision},{_SCALE_MAX}), or numeric for exact text."
            raise Misconfigured(f"{type_} has more than the {_SCALE_MAX} digits that Snowflake allows.", hint=hint)
        return Sql(f"NUMBER({type_.precision},{type_.scale})")
    return Sql(_TYPES[type_.kind])


def tables_of(stream: Stream, side: Side) -> dict[str, Sql]:
    table = table_of(stream, side)
    return {schema: folded(schema, table) for schema in ("raw", "latest", "quarantine")}


@dataclass(frozen=True, slots=True)
class Shape:
    """A column as the statements speak of it. `text`: what of it stands in the state's hash, alike in every warehouse;
    `one`: the aggregate that picks the one value that is there. For a field also the names of its working columns."""

    name: Sql
    label: Sql
    type: Sql
    text: Sql
    one: Sql
    is_uuid: bool
    covered: Sql
    token: Sql
    told: Sql
    held: Sql


@dataclass(frozen=True, slots=True)
class Shapes:
    """The columns of one contract."""

    columns: tuple[Shape, ...]
    key: tuple[Shape, ...]
    fields: tuple[Shape, ...]
    required: tuple[Shape, ...]

    @classmethod
    def of(cls, contract: Contract) -> Shapes:
        by_name = {column.name: _shape(at, column) for at, column in enumerate(contract.columns)}
        return cls(
            columns=tuple(by_name[column.name] for column in contract.columns),
            key=tuple(by_name[column.name] for column in contract.key_columns),
            fields=tuple(by_name[column.name] for column in contract.fields),
            required=tuple(by_name[column.name] for column in contract.fields if column.required),
        )


def _shape(at: int, column: Column) -> Shape:
    quoted, kind = folded(column.name), column.type.kind
    return Shape(
        name=quoted,
        label=escaped_literal(column.name),
        type=type_of(column.type),
        text=_text(quoted, kind),
        # Snowflake has no MAX of booleans.
        one=Sql("boolor_agg" if kind is Kind.BOOLEAN else "max"),
        is_uuid=kind is Kind.UUID,
        covered=Sql(f"__COVERED{at}"),
        token=Sql(f"__TOKEN{at}"),
        told=Sql(f"__TOLD{at}"),
        held=Sql(f"__HELD{at}"),
    )


def carried(type_: ColumnType, value: Sql) -> Sql:
    """A value on its way out, so that no driver can round it: moments as microseconds, decimals as text."""
    match type_.kind:
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return Sql(f"date_part(epoch_microsecond, {value})")
        case Kind.TIME:
            return Sql(f"datediff(microsecond, '00:00:00'::time, {value})")
        case Kind.DECIMAL:
            return Sql(f"to_varchar({value})")
        case _:
            return value


def travels_as(type_: ColumnType) -> pa.DataType:
    """As what it arrives then, to be what its contract says once it is here."""
    return _TRAVELS_AS.get(type_.kind, type_.arrow)


def _text(quoted: Sql, kind: Kind) -> Sql:
    match kind:
        case Kind.BINARY:
            return Sql(f"hex_encode({quoted})")
        case Kind.TIMESTAMP | Kind.TIMESTAMPTZ:
            return Sql(f"to_varchar(date_part(epoch_microsecond, {quoted}))")
        case Kind.DATE:
            return Sql(f"to_varchar(datediff(day, '1970-01-01'::date, {quoted}))")
        case Kind.TIME:
            return Sql(f"to_varchar(datediff(microsecond, '00:00:00'::time, {quoted}))")
        case _:
            return Sql(f"to_varchar({quoted})")
