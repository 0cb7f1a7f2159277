"""What a statement answers: a table of Arrow and what the wire says of its columns, in Snowflake's own encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fakesnow.rowtype  # type: ignore[import-not-found]
import pyarrow as pa
import pyarrow.compute as pc

Column = dict[str, Any]

_WHOLE = pa.int64()
_INT64 = range(-(2**63), 2**63)

fakesnow.rowtype.duckdb_to_sf_type.update(
    dict.fromkeys(("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT", "UINTEGER", "UHUGEINT"), "fixed")
    | {"FLOAT": "real", "TIMESTAMP WITH TIME ZONE": "timestamp_ltz", "TIMESTAMP_S": "timestamp_ntz"}
    | {"TIMESTAMP_MS": "timestamp_ntz", "UUID": "text"}
)


def texts(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """An answer that needs no engine; each column is of the type that its values have, or text."""
    columns = [pa.array([row[at] for row in rows]) for at in range(len(names))]
    told = [each.cast(pa.string()) if pa.types.is_null(each.type) else each for each in columns]
    return pa.table(dict(zip(names, told, strict=True)))


def described(table: pa.Table) -> list[Column]:
    """What the wire says of columns that no statement of the engine made."""
    kinds = {"int64": "BIGINT", "bool": "BOOLEAN", "double": "DOUBLE"}
    rows = [(field.name, kinds.get(str(field.type), "VARCHAR"), None, None, None, None) for field in table.schema]
    return list(fakesnow.rowtype.describe_as_rowtype(rows))


def encoded(table: pa.Table, columns: list[Column]) -> bytes:
    """As Snowflake sends rows: whole numbers in 64 bits where they fit, moments as seconds and a fraction."""
    arrays = [_encoded(table.column(at)) for at in range(table.num_columns)]
    fields = [
        pa.field(c["name"], array.type, nullable=True, metadata=_metadata(c))
        for c, array in zip(columns, arrays, strict=True)
    ]
    sink = pa.BufferOutputStream()
    schema = pa.schema(fields)
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return bytes(sink.getvalue())


def _metadata(column: Column) -> Mapping[str, str]:
    return {
        "logicalType": column["type"].upper(),
        "precision": str(column["precision"] or 38),
        "scale": str(column["scale"] or 0),
        "charLength": str(column["length"] or 0),
    }


def _encoded(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    kind = array.type
    if pa.types.is_timestamp(kind):
        return moments(array)
    if pa.types.is_time(kind):
        return pc.multiply(array.cast(pa.time64("us")).cast(_WHOLE), 1000)
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale == 0):
        return _whole(array)
    return array


def _whole(array: pa.Array) -> pa.Array:
    if pa.types.is_integer(array.type) and array.type != pa.uint64():
        return array.cast(_WHOLE)
    extremes = pc.min_max(array).as_py()
    if all(edge is None or int(edge) in _INT64 for edge in extremes.values()):
        return array.cast(pa.decimal128(38, 0)).cast(_WHOLE)
    return array.cast(pa.decimal128(38, 0))


def moments(array: pa.Array) -> pa.Array:
    """Whole seconds since 1970 and nanoseconds. A null stays a null, which fakesnow loses."""
    nulls = array.is_null()
    micros = pc.fill_null(array.cast(pa.timestamp("us", tz=array.type.tz)).cast(_WHOLE), 0)
    whole = pc.floor_temporal(micros.cast(pa.timestamp("us")), unit="second").cast(_WHOLE)
    seconds = pc.divide(whole, 1_000_000)
    fraction = pc.multiply(pc.subtract(micros, pc.multiply(seconds, 1_000_000)), 1_000).cast(pa.int32())
    fields = [pa.field("epoch", _WHOLE), pa.field("fraction", pa.int32())]
    return pa.StructArray.from_arrays([seconds, fraction], fields=fields, mask=nulls)
