"""What Snowflake answers as Arrow: columns by their names in lower case, each with Snowflake's own word for its type.

The driver gives Python's values, of which every type of ours has one. Readings are small; tables are not read by this.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

import pyarrow as pa
from snowflake.connector.constants import FIELD_ID_TO_NAME

from ..warehouse import ENGINE_TYPE

_ARROW = {
    "BOOLEAN": pa.bool_(),
    "REAL": pa.float64(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP_NTZ": pa.timestamp("us"),
    "TIMESTAMP_LTZ": pa.timestamp("us", tz="UTC"),
    "TIMESTAMP_TZ": pa.timestamp("us", tz="UTC"),
    "BINARY": pa.binary(),
}
_INT64_DIGITS = 18


def table_of(description: Sequence[Any], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """`description` is the driver's, of the columns."""
    arrays, fields = [], []
    for place, column in enumerate(description):
        word = FIELD_ID_TO_NAME[column.type_code]
        type_ = _type(word, column)
        arrays.append(pa.array([_value(row[place], type_) for row in rows], type_))
        metadata = {ENGINE_TYPE: _spelled(word, column).encode()}
        fields.append(pa.field(column.name.lower(), type_, metadata=metadata))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _type(word: str, column: Any) -> pa.DataType:
    if word == "FIXED":
        if column.scale:
            return pa.decimal128(38, column.scale)
        return pa.int64() if (column.precision or 38) <= _INT64_DIGITS else pa.decimal128(38, 0)
    return _ARROW.get(word, pa.string())


def _spelled(word: str, column: Any) -> str:
    return f"NUMBER({column.precision or 38},{column.scale or 0})" if word == "FIXED" else word


def _value(value: Any, type_: pa.DataType) -> Any:
    if value is None:
        return None
    if pa.types.is_decimal(type_):
        return Decimal(value)
    if pa.types.is_timestamp(type_) and type_.tz is not None:
        return value.astimezone(UTC)
    if pa.types.is_binary(type_):
        return bytes(value)
    return str(value) if pa.types.is_string(type_) else value
