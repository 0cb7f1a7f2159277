"""The judge: captured rows, as the source said them, become changes as the contract understands them.

Every row comes out once. One that cannot be read comes out with its fault, its key where that was readable, and its
bytes; it will go to quarantine, and the others go on. Knows nothing of files, of what came before, or of time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ..base.batch import Tally
from ..base.change import CAPTURED, JUDGED
from ..base.codec import canonical_json
from ..base.errors import Broken
from ..base.sql import Sql, Statements, literal, name
from ..base.types import Column, ColumnType, Kind
from .contract import Contract

_PARSE = Statements(__package__, "parse.sql")
_JUDGE = Statements(__package__, "judge.sql")

_INTEGERS = (Kind.INT16, Kind.INT32, Kind.INT64)
_NUMBERS = (*_INTEGERS, Kind.DECIMAL, Kind.NUMERIC, Kind.FLOAT32, Kind.FLOAT64)
_NEEDS_NO_ESCAPE = (*_INTEGERS, Kind.BOOLEAN, Kind.UUID, Kind.DATE, Kind.DECIMAL)
_READERS = {
    **dict.fromkeys(_INTEGERS, "read_integer"),
    Kind.FLOAT32: "read_float",
    Kind.FLOAT64: "read_float",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """`changes` has the shape of `change.JUDGED` and the contract's columns; the rest describes it for a footer."""

    changes: pa.Table
    received: Tally
    positions: tuple[int, int] | None


def batch_schema(contract: Contract) -> pa.Schema:
    """The columns of a batch under this contract."""
    return pa.schema([*JUDGED, *(pa.field(column.name, column.type.arrow) for column in contract.columns)])


def judge(captured: pa.Table, contract: Contract, *, encoding: str, epoch: int) -> Judged:
    """Types, keys, orders and hashes every row of a captured table. `encoding` as in `capture.source.Captured`."""
    told = _with_covers(captured, contract)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("captured", told)
        statement = _JUDGE("judged", **_parts(told.schema, contract, encoding, epoch))
        judged = connection.sql(statement).to_arrow_table().cast(batch_schema(contract))
        connection.register("judged", judged)
        row = connection.execute(_JUDGE("tally")).fetchone()
    if row is None or row[0] != captured.num_rows:
        raise Broken(f"{contract.stream}: {captured.num_rows} rows went to the judge, {row and row[0]} came out")
    positions = None if row[3] is None else (int(row[3]), int(row[4]))
    return Judged(judged, Tally(int(row[0]), int(row[1]), int(row[2])), positions)


def _with_covers(captured: pa.Table, contract: Contract) -> pa.Table:
    """Adds, per row, its cover in the contract's names, and which required fields that cover lacks."""
    fields = {column.name for column in contract.fields}
    required = {column.name for column in contract.fields if column.required}
    captured = captured.combine_chunks()
    told = captured.column("_cover").combine_chunks().dictionary_encode()
    covers = [set(json.loads(cover)) & fields for cover in told.dictionary.to_pylist()]
    judged = pa.array([canonical_json(sorted(cover)) for cover in covers], pa.string())
    lacks = pa.array([canonical_json(sorted(required - cover)) for cover in covers], pa.string())
    of_row = pc.fill_null(pc.take(judged, told.indices), "[]")
    return captured.append_column("_judged_cover", of_row).append_column("_lacks", pc.take(lacks, told.indices))


def _parts(schema: pa.Schema, contract: Contract, encoding: str, epoch: int) -> dict[str, object]:
    """What the statement needs to know of the contract's columns and of how they were captured."""
    columns = {column.name: _column(at, column, schema, encoding) for at, column in enumerate(contract.columns)}
    fields = sorted(contract.fields, key=lambda column: column.name)
    unknown = sorted(set(schema.names) - set(CAPTURED.names) - set(columns) - {"_judged_cover", "_lacks"})
    sources = sorted(set(schema.names) - set(CAPTURED.names) - {"_judged_cover", "_lacks"})
    return {
        "columns": list(columns.values()),
        "key": [columns[column.name] for column in contract.key_columns],
        "required": [columns[column.name] for column in contract.fields if column.required],
        "hashed": [columns[column.name] for column in fields],
        "key_names": literal(canonical_json(sorted(contract.key))),
        "key_text": _key_text(contract, columns),
        "epoch": literal(format(epoch, "08x")),
        "extra": _json_object(unknown, encoding),
        "row_text": _json_object(sources, encoding) if sources else literal(""),
    }


def _column(at: int, column: Column, schema: pa.Schema, encoding: str) -> Mapping[str, Sql]:
    """The pieces of one column: how it was told, unwrapped, read, compared and written out."""
    text, plain, value = name(f"t{at}"), name(f"p{at}"), name(f"v{at}")
    if column.name not in schema.names:
        told, unwrap, read = Sql("null"), Sql("null"), _typed_null(column.type)
    else:
        arrow = schema.field(column.name).type
        told, unwrap = _told(column, encoding)
        is_text = pa.types.is_string(arrow) or pa.types.is_large_string(arrow)
        read = (
            _reader(column.type, plain) if is_text else _PARSE("cast_native", value=plain, type=Sql(column.type.duckdb))
        )
    return {
        "name": name(column.name),
        "label": literal(column.name),
        "quoted": literal(json.dumps(column.name, ensure_ascii=False)),
        "type_label": literal(str(column.type)),
        "text": text,
        "plain": plain,
        "value": value,
        "told": told,
        "unwrap": unwrap,
        "read": read,
        "canonical": _canonical(column.type, value),
        "output": value,
    }


def _typed_null(type_: ColumnType) -> Sql:
    if type_.arrow == pa.string():
        return Sql("cast(null as varchar)")
    return Sql(f"cast(null as {type_.duckdb})")


def _told(column: Column, encoding: str) -> tuple[Sql, Sql]:
    source = name(column.name)
    if encoding != "json":
        return source, source
    told = Sql(f"nullif({source}, 'null')")
    if column.type.kind in _NUMBERS:
        return told, _PARSE("unwrap_number", value=told)
    if column.type.kind in (Kind.BOOLEAN, Kind.JSON):
        return told, _PARSE("unwrap_bare", value=told)
    return told, _PARSE("unwrap_string", value=told)


def _reader(type_: ColumnType, value: Sql) -> Sql:
    statement = _READERS.get(type_.kind, f"read_{type_.kind.value}")
    return _PARSE(statement, value=value, type=Sql(type_.duckdb), scale=type_.scale)


def _canonical(type_: ColumnType, value: Sql) -> Sql:
    """The text of a value that is equal on every machine."""
    if type_.kind is Kind.BINARY:
        return Sql(f"('\\x' || lower(hex({value})))")
    return Sql(f"cast({value} as varchar)")


def _key_text(contract: Contract, columns: Mapping[str, Mapping[str, Sql]]) -> Sql:
    """The canonical key: a JSON array of the canonical texts of its values."""
    texts = [columns[column.name]["canonical"] for column in contract.key_columns]
    if all(column.type.kind in _NEEDS_NO_ESCAPE for column in contract.key_columns):
        return Sql("concat('[\"', " + ", '\",\"', ".join(texts) + ", '\"]')")
    return Sql("cast(to_json([" + ", ".join(texts) + "]) as varchar)")


def _json_object(names: list[str], encoding: str) -> Sql:
    """An expression that writes the named source columns as one JSON object; null when there are none."""
    if not names:
        return Sql("cast(null as varchar)")
    members = []
    for column in names:
        value = (
            name(column) if encoding == "json" else Sql(f"cast(to_json(cast({name(column)} as varchar)) as varchar)")
        )
        members.append(f"{literal(json.dumps(column, ensure_ascii=False) + ':')} || {value}")
    joined = ", ".join(members)
    return Sql(f"nullif('{{' || concat_ws(',', {joined}) || '}}', '{{}}')")
