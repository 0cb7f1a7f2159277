"""The judge: captured rows, as the source said them, become changes as the contract understands them.

Every row comes out once. One that cannot be read comes out with its fault, its key where that was readable, and its
bytes; it will go to quarantine, and the others go on. Knows nothing of files, of what came before, or of time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ..base import change
from ..base.batch import Tally
from ..base.change import CAPTURED, JUDGED
from ..base.codec import canonical_json, sha256_hex
from ..base.errors import Broken
from ..base.order import CONTENT_WIDTH, EPOCH_FORMAT, Class, Order
from ..base.sql import Sql, Statements, literal, name
from ..base.types import INTEGERS, Column, ColumnType, Kind
from .contract import Contract
from .key import NEEDS_NO_ESCAPE, canonical, key_text
from .lanes import tally_of

_PARSE = Statements(__package__, "parse.sql")
_JUDGE = Statements(__package__, "judge.sql")

_NUMBERS = (*INTEGERS, Kind.DECIMAL, Kind.NUMERIC, Kind.FLOAT32, Kind.FLOAT64)
_LENGTHLESS = (*NEEDS_NO_ESCAPE, Kind.FLOAT32, Kind.FLOAT64, Kind.TIME, Kind.TIMESTAMP)
"""Kinds whose text holds no `|`, and is never `-` alone."""
_ENVELOPE = frozenset(CAPTURED.names) | {"_cover_judged", "_cover_id", "_cover_lacks"}
_SHORT_ID_WIDTH = 16
"""Of a hash that stands for a text among few: a cover, a moment."""
_ALIVE = pa.array([change.Kind.IMAGE, change.Kind.UNDELETE], pa.string())
_READERS = {
    **dict.fromkeys(INTEGERS, "read_integer"),
    Kind.FLOAT32: "read_float",
    Kind.FLOAT64: "read_float",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """`changes` has the shape of `change.JUDGED` and the contract's columns; the rest describes it for a footer."""

    changes: pa.Table
    received: Tally
    keyless: int
    positions: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Told:
    """A source's column in the statement: its name and type there, and its values as text."""

    name: Sql
    plain: Sql
    type: pa.DataType

    @property
    def is_text(self) -> bool:
        return bool(pa.types.is_string(self.type) or pa.types.is_large_string(self.type))


def batch_schema(contract: Contract) -> pa.Schema:
    """The columns of a batch under this contract."""
    return pa.schema([*JUDGED, *(pa.field(column.name, column.type.arrow) for column in contract.columns)])


def judge(captured: pa.Table, contract: Contract, *, encoding: str, epoch: int, at_one_moment: bool = False) -> Judged:
    """Types, keys, orders and hashes every row of a captured table, and leaves them in their order. The keywords as in
    `capture.source.Captured`."""
    captured, cover = _covered(captured, contract)
    told, sources = _renamed(captured)
    parts = {"cover": cover, **_parts(sources, contract, encoding)}
    placed = _at_one_moment(captured, epoch, cover) if at_one_moment else _anywhere(epoch, parts)
    with _engine().cursor() as connection:
        connection.register("captured", told)
        statement = _JUDGE("judged", **placed, **parts)
        judged = tallied(connection.sql(statement).to_arrow_table().cast(batch_schema(contract)))
    if judged.received.count != captured.num_rows:
        raise Broken(f"{contract.stream}: {captured.num_rows} rows went to the judge, {judged.received.count} came out")
    return judged


def tallied(changes: pa.Table) -> Judged:
    """Judged rows with what describes them."""
    keyless = pc.and_(pc.is_valid(changes["_fault"]), pc.is_null(changes["_key"]))
    live = pc.is_in(changes["_kind"], _ALIVE)
    span = pc.min_max(changes["_position"])
    positions = None if span["min"].as_py() is None else (span["min"].as_py(), span["max"].as_py())
    lost = pc.sum(pc.and_(keyless, live)).as_py() or 0
    return Judged(changes, tally_of(changes["_cid"]), lost, positions)


def read_as(texts: pa.Table, columns: Sequence[Column], *, encoding: str) -> pa.Table:
    """Of each column its texts, as a source would have told them in this encoding, in the column's type; what the type
    does not admit is null."""
    read = []
    for at, column in enumerate(columns):
        _, unwrap = _told(column, name(column.name), encoding)
        read.append({"name": name(column.name), "told": unwrap, "value": name(f"t{at}")})
        read[-1]["read"] = _reader(column.type, read[-1]["value"], encoding)
    with _engine().cursor() as connection:
        connection.register("texts", texts)
        schema = pa.schema([pa.field(column.name, column.type.arrow) for column in columns])
        return connection.sql(_JUDGE("read_as", columns=read)).to_arrow_table().cast(schema)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One engine a process, without a file and without a memory of its own: each judgement has a cursor, and what it
    registers there goes with it."""
    engine = duckdb.connect()
    engine.execute("set global TimeZone = 'UTC'")
    return engine


def _covered(captured: pa.Table, contract: Contract) -> tuple[pa.Table, dict[str, Sql]]:
    """What each row covers in the contract's names, a short name of that for hashing, and which required fields it
    lacks: as columns that are added, or, where all rows cover the same, as constants."""
    fields = {column.name for column in contract.fields}
    required = {column.name for column in contract.fields if column.required}
    told = captured.column("_cover").combine_chunks().dictionary_encode()
    covers = [set(json.loads(cover)) & fields for cover in told.dictionary.to_pylist()]
    texts = [canonical_json(sorted(cover)) for cover in [*covers, set()]]  # the last for a row that says nothing of it
    kinds = {
        "judged": texts,
        "id": [sha256_hex(text.encode())[:_SHORT_ID_WIDTH] for text in texts],
        "lacks": [canonical_json(sorted(required - cover)) for cover in [*covers, set()]],
    }
    if len(covers) == 1 and told.null_count == 0:
        return captured, {kind: literal(values[0]) for kind, values in kinds.items()}
    of_row = pc.fill_null(told.indices, len(covers))
    for kind, values in kinds.items():
        captured = captured.append_column(f"_cover_{kind}", pc.take(pa.array(values, pa.string()), of_row))
    return captured, {kind: name(f"_cover_{kind}") for kind in kinds}


def _renamed(told: pa.Table) -> tuple[pa.Table, Mapping[str, _Told]]:
    """The source's columns under names of ours: DuckDB takes `Amount` for `amount`, and a column of a source may bear
    a name that the statement uses itself."""
    sources: dict[str, _Told] = {}
    names = []
    for at, column in enumerate(told.schema):
        is_envelope = column.name in _ENVELOPE
        names.append(column.name if is_envelope else f"s{at}")
        if not is_envelope:
            sources[column.name] = _Told(name(f"s{at}"), _plain(column.type, name(f"s{at}")), column.type)
    return told.rename_columns(names), sources


def _plain(type_: pa.DataType, value: Sql) -> Sql:
    """A native value as the text from which a contract would read it."""
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        return canonical(ColumnType(Kind.BINARY), value)
    return _PARSE("plain_float" if pa.types.is_floating(type_) else "plain", value=value)


def _anywhere(epoch: int, parts: Mapping[str, object]) -> dict[str, Sql]:
    """Each row at its own place in the source's order, with its content as the last tie-break."""
    epoch_text = literal(format(epoch, EPOCH_FORMAT))
    numbers = {part: _JUDGE("hex64", value=name(f"_{part}")) for part in ("position", "minor", "rank")}
    return {
        "place": _JUDGE("place", epoch=epoch_text, **numbers),
        "content": Sql(f"left(cid, {CONTENT_WIDTH})"),
        "said": _JUDGE("said_anywhere", epoch=epoch_text, hashed=parts["hashed"], cover=parts["cover"]),
    }


def _at_one_moment(captured: pa.Table, epoch: int, cover: Mapping[str, Sql]) -> dict[str, Sql]:
    """All rows at the one place of their moment. Raises Broken when they stand at several."""
    parts = ("_position", "_class", "_minor", "_rank")
    spans = [pc.min_max(captured[part]) for part in parts]
    if any(span["min"] != span["max"] for span in spans):
        raise Broken("rows that were read at one moment stand at more than one place of the source's order.")
    position, class_, minor, rank = (span["min"].as_py() or 0 for span in spans)
    order = Order(epoch, position, Class(class_), minor, rank)
    moment = literal(sha256_hex(order.place.encode())[:_SHORT_ID_WIDTH])
    return {
        "place": literal(order.place),
        "content": literal("0" * CONTENT_WIDTH),
        "said": _JUDGE("said_at_one_moment", moment=moment, cover=cover),
    }


def _parts(sources: Mapping[str, _Told], contract: Contract, encoding: str) -> dict[str, object]:
    """What the statement needs to know of the contract's columns and of how they were captured."""
    columns = {
        column.name: _column(at, column, sources.get(column.name), encoding)
        for at, column in enumerate(contract.columns)
    }
    fields = sorted(contract.fields, key=lambda column: column.name)
    unknown = {column: told for column, told in sorted(sources.items()) if column not in columns}
    return {
        "columns": list(columns.values()),
        "key": [columns[column.name] for column in contract.key_columns],
        "required": [columns[column.name] for column in contract.fields if column.required],
        "hashed": [columns[column.name] for column in fields],
        "key_names": literal(canonical_json(sorted(contract.key))),
        "key_text": key_text(contract, {column: parts["value"] for column, parts in columns.items()}),
        "extra": _json_object(unknown, encoding, nulls=True),
        "row_text": _json_object(dict(sorted(sources.items())), encoding) if sources else literal(""),
    }


def _column(at: int, column: Column, source: _Told | None, encoding: str) -> Mapping[str, Sql]:
    """The pieces of one column: how it was told, unwrapped, read, compared and written out."""
    text, plain, value = name(f"t{at}"), name(f"p{at}"), name(f"v{at}")
    if source is None:
        told, unwrap, read = Sql("null"), Sql("null"), _typed_null(column.type)
    else:
        is_native = not source.is_text and _holds(source.type, column.type)
        told, unwrap = _told(column, source.name if source.is_text or is_native else source.plain, encoding)
        cast = _PARSE("cast_native", value=plain, type=Sql(column.type.duckdb))
        read = cast if is_native else _reader(column.type, plain, encoding)
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
        "hashed": _hashed(column.type, value),
        "output": value,
    }


def _holds(native: pa.DataType, wanted: ColumnType) -> bool:
    """Whether the type may take native values as they are. Into another kind they would be rounded, or guessed: those
    are read from their text, like any other."""
    if pa.types.is_integer(native):
        return wanted.kind in INTEGERS
    if native == pa.uuid():
        return wanted.kind is Kind.UUID
    return bool(native == wanted.arrow)


def _typed_null(type_: ColumnType) -> Sql:
    if type_.arrow == pa.string():
        return Sql("cast(null as varchar)")
    return Sql(f"cast(null as {type_.duckdb})")


def _told(column: Column, source: Sql, encoding: str) -> tuple[Sql, Sql]:
    """The value as it was told, null where it is none; and the same without its JSON wrapping."""
    if encoding != "json":
        return source, source
    told = Sql(f"nullif({source}, 'null')")
    if column.type.kind in _NUMBERS:
        return told, _PARSE("unwrap_number", value=told)
    if column.type.kind in (Kind.BOOLEAN, Kind.JSON):
        return told, _PARSE("unwrap_bare", value=told)
    return told, _PARSE("unwrap_string", value=told)


def _reader(type_: ColumnType, value: Sql, encoding: str) -> Sql:
    statement = _READERS.get(type_.kind, f"read_{type_.kind.value}")
    if type_.kind is Kind.JSON and encoding == "json":
        statement = "read_text"  # it was decoded as a part of a document, so it is one
    return _PARSE(statement, value=value, type=Sql(type_.duckdb), scale=type_.scale)


def _hashed(type_: ColumnType, value: Sql) -> Sql:
    """The value as it enters a change's id, `-` for none. No type's text may run into the next one's."""
    if type_.kind in _LENGTHLESS:
        return Sql(f"coalesce(cast({value} as varchar), '-')")
    if type_.kind is Kind.TIMESTAMPTZ:  # as text it would be asked for its zone; infinity has no microseconds
        return Sql(f"coalesce(cast(epoch_us({value}) as varchar), cast({value} as varchar), '-')")
    text = canonical(type_, value)
    return Sql(f"coalesce(strlen({text}) || ':' || {text}, '-')")


def _json_object(sources: Mapping[str, _Told], encoding: str, *, nulls: bool = False) -> Sql:
    """An expression that writes these source columns as one JSON object; null when there are none. With `nulls` also
    those that are null and that the row's cover names."""
    if not sources:
        return Sql("cast(null as varchar)")
    members = []
    for column, told in sources.items():
        quoted = literal(json.dumps(column, ensure_ascii=False))
        value = told.name if encoding == "json" else Sql(f"cast(to_json({told.plain}) as varchar)")
        if nulls and encoding != "json":
            value = Sql(f"coalesce({value}, case when json_contains(_cover, {quoted}) then 'null' end)")
        members.append(f"{quoted} || ':' || {value}")
    joined = ", ".join(members)
    return Sql(f"nullif('{{' || concat_ws(',', {joined}) || '}}', '{{}}')")
