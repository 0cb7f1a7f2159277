"""Rows as the org told them, in columns of text, and as changes of the shape `change.CAPTURED`.

Bulk's CSV and REST's JSON give the same table for the same rows, to the byte (`plain.py`). A column that was not told
is not there, which is another thing than null.

As a change a row stands at its own stamp or at the read's watermark, whichever is later: a second of which the org
swore, before the read, that all it had ordered up to then could be seen. Values in, values out, by the column.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from ...base.change import CAPTURED, TIMESTAMP
from ...base.change import Kind as Change
from ...base.codec import canonical_json
from ...base.errors import Broken, Rejected, Transient
from ...base.order import INT64_MAX, Class
from ...base.types import Kind
from .describe import DELETED, ID, SField, SObject
from .ids import to18
from .plain import NUMBERS, decimals_as_text, plain_moments, plain_numbers, plain_times

_BLOCK_BYTES = 2**20
"""What is parsed at once, as fits a processor's cache. A page with a row that does not fit in it is parsed whole."""
_ARROW_DIGITS = 38
_NOTHING = "[]"
_ID = r"^[0-9A-Za-z]{15}[A-Z0-5]{3}$"


def from_csv(page: bytes, fields: Sequence[SField], *, rows: int | None = None) -> pa.Table:
    """A page of Bulk's. Raises Transient where it does not hold as many rows as were announced."""
    told = _header(page)
    there = [field for field in fields if field.name in told]
    if not told:
        there, table = list(fields), _of_texts({field.name: pa.array([], pa.string()) for field in fields})
    else:
        try:
            table = _parsed(page, {field.name: _arrived(field) for field in there}, _BLOCK_BYTES)
        except pa.ArrowInvalid:  # a number of another form than its type's, or a very large row
            table = _readable(page, {field.name: pa.string() for field in there})
    if rows is not None and rows != table.num_rows:
        raise Transient(
            f"a page of a Bulk job holds {table.num_rows} rows, and {rows} were announced.",
            hint="It is asked for again.",
        )
    return _of_texts({field.name: _as_text(table.column(field.name), field) for field in there})


def from_json(records: Sequence[Mapping[str, Any]], fields: Sequence[SField]) -> pa.Table:
    """Records of REST's, decoded so that no digit is lost (`wire/client.py`)."""
    told = records[0].keys() if records else {field.name for field in fields}
    there = [field for field in fields if field.name in told]
    return _of_texts({field.name: _from_values([each[field.name] for each in records], field) for field in there})


def _header(page: bytes) -> list[str]:
    """The names in the first line. A name holds no newline."""
    end = page.find(b"\n")
    first = page if end < 0 else page[:end]
    return next(csv.reader([first.rstrip(b"\r").decode("utf-8-sig")]), [])


def _readable(page: bytes, types: Mapping[str, pa.DataType]) -> pa.Table:
    try:
        return _parsed(page, types, len(page) + 1)
    except pa.ArrowInvalid as error:
        raise Transient(f"a page of a Bulk job is no CSV: {error}.", hint="It is asked for again.") from error


def _parsed(page: bytes, types: Mapping[str, pa.DataType], block: int) -> pa.Table:
    return pa_csv.read_csv(
        BytesIO(page),
        read_options=pa_csv.ReadOptions(block_size=block),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _arrived(field: SField) -> pa.DataType:
    """What has a scale is read as a number, which is faster."""
    return pa.decimal128(_ARROW_DIGITS, field.type.scale) if field.type.kind is Kind.DECIMAL else pa.string()


def _as_text(column: pa.ChunkedArray, field: SField) -> pa.ChunkedArray:
    if pa.types.is_decimal(column.type):
        return decimals_as_text(column, field.type)
    if field.type.kind in NUMBERS:
        return plain_numbers(column, field.type)
    if field.type.kind is Kind.TIME:
        return plain_times(column)
    if field.type.kind is Kind.TIMESTAMPTZ:
        return plain_moments(column)
    return column


def _from_values(values: Sequence[Any], field: SField) -> pa.ChunkedArray:
    texts = pa.chunked_array([pa.array([_text(value) for value in values], pa.string())])
    return _as_text(texts, field)


def _text(value: Any) -> str | None:
    """Of a decoded value. The empty text is null, as Salesforce has it."""
    match value:
        case None | "":
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value)
        case _:
            return canonical_json(value)


def _of_texts(columns: Mapping[str, Any]) -> pa.Table:
    arrays = [column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in columns.values()]
    return pa.Table.from_arrays(arrays, names=list(columns))


def images(
    rows: pa.Table,
    sobject: SObject,
    *,
    watermark: int,
    read_start_us: int,
    read_at: datetime,
    since: int,
    origin: str,
    first: int,
) -> pa.Table:
    """Each row as it was read, whole over the columns that are there; a deleted one as a delete that says what it held.

    watermark      a second; `read_start_us`: when the read began, which orders two reads of one second
    since          a row whose stamp is later was first seen by this read, and is told to have happened at its stamp;
                   any other at `read_at`
    first          the number of the first row within `origin`
    """
    stamp = _Read(watermark, read_start_us, read_at, since, origin, first)
    return _captured(rows, sobject, stamp, Change.IMAGE)


def patches(
    rows: pa.Table,
    sobject: SObject,
    *,
    watermark: int,
    read_start_us: int,
    read_at: datetime,
    since: int,
    origin: str,
    first: int,
) -> pa.Table:
    """The same of rows of which only some columns were read: they say nothing of the others."""
    stamp = _Read(watermark, read_start_us, read_at, since, origin, first)
    return _captured(rows, sobject, stamp, Change.PATCH)


def deletes(
    entries: Iterable[tuple[str, int]], *, read_start_us: int, read_at: datetime, since: int, origin: str, first: int
) -> pa.Table:
    """Ids of the log of deletions with the second of each. It stands there, and not at a watermark: what was undeleted
    since lives."""
    told = list(entries)
    ids = pa.array([id_ for id_, _ in told], pa.string())
    seconds = pa.array([at for _, at in told], pa.int64())
    moments = pc.cast(pc.multiply(seconds, 1_000_000), pa.int64()).cast(pa.timestamp("us")).cast(TIMESTAMP)
    stamp = _Read(0, read_start_us, read_at, since, origin, first)
    ids, faults = _ids(pa.table({ID: ids}))
    observed = pc.if_else(pc.greater(seconds, since), moments, pa.scalar(read_at, TIMESTAMP))
    envelope = stamp.envelope(
        len(told),
        _kind=_same(Change.DELETE.value, "_kind", len(told)),
        _position=seconds,
        _cover=_same(_NOTHING, "_cover", len(told)),
        _observed_at=observed,
        _fault=faults,
    )
    envelope |= {
        # It happened, like an event, and after whatever else is told of its second: a row that was made and deleted for
        # good within one is dead. One that was undeleted then is read by the next window.
        "_class": _same(int(Class.EVENT), "_class", len(told)),
        "_minor": _same(INT64_MAX, "_minor", len(told)),
    }
    return _table(envelope, {ID: ids})


def presence(
    asked: Sequence[str],
    rows: pa.Table,
    sobject: SObject,
    *,
    watermark: int,
    read_start_us: int,
    read_at: datetime,
    since: int,
    origin: str,
    first: int,
) -> pa.Table:
    """Of each id that was asked for: its row as `images` tells it, or where there is none a delete at the watermark."""
    stamp = _Read(watermark, read_start_us, read_at, since, origin, first)
    found = _captured(rows, sobject, stamp, Change.IMAGE)
    wanted = pa.array(sorted({to18(id_) for id_ in asked}), pa.string())
    gone = pc.filter(wanted, pc.invert(pc.is_in(wanted, found.column(ID).combine_chunks())))
    behind = _Read(watermark, read_start_us, read_at, since, origin, first + rows.num_rows)
    envelope = behind.envelope(
        len(gone),
        _kind=_same(Change.DELETE.value, "_kind", len(gone)),
        _position=_same(watermark, "_position", len(gone)),
        _cover=_same(_NOTHING, "_cover", len(gone)),
        _observed_at=_same(read_at, "_observed_at", len(gone)),
        _fault=pa.nulls(len(gone), pa.string()),
    )
    columns = {name: pa.nulls(len(gone), pa.string()) for name in rows.column_names} | {ID: gone}
    return pa.concat_tables([found, _table(envelope, columns)])


@dataclass(frozen=True, slots=True)
class _Read:
    """What all rows of a read share."""

    watermark: int
    start_us: int
    at: datetime
    since: int
    origin: str
    first: int

    def envelope(self, rows: int, **columns: Any) -> dict[str, Any]:
        return {
            "_class": _same(int(Class.READ), "_class", rows),
            "_minor": _same(self.start_us, "_minor", rows),
            "_rank": _same(0, "_rank", rows),
            "_keyed": _same(None, "_keyed", rows),
            "_origin": _same(self.origin, "_origin", rows),
            "_ordinal": pa.arange(self.first, self.first + rows),
            "_raw": _same(None, "_raw", rows),
            **columns,
        }


def _captured(rows: pa.Table, sobject: SObject, read: _Read, kind: Change) -> pa.Table:
    count = rows.num_rows
    ids, id_faults = _ids(rows)
    seconds, moments, stamp_faults = _stamps(rows, sobject)
    position = pc.max_element_wise(seconds, pa.scalar(read.watermark, pa.int64()))
    is_new = pc.fill_null(pc.greater(seconds, read.since), False)
    envelope = read.envelope(
        count,
        _kind=_kinds(rows, kind),
        _position=position,
        _cover=_same(canonical_json(sorted(rows.column_names)), "_cover", count),
        _observed_at=pc.if_else(is_new, moments, pa.scalar(read.at, TIMESTAMP)),
        _fault=pc.coalesce(id_faults, stamp_faults),
    )
    return _table(envelope, {name: rows.column(name) for name in rows.column_names} | {ID: ids})


def _kinds(rows: pa.Table, kind: Change) -> Any:
    if DELETED not in rows.column_names:
        return _same(kind.value, "_kind", rows.num_rows)
    is_deleted = pc.fill_null(pc.equal(rows.column(DELETED), "true"), False)
    return pc.if_else(is_deleted, Change.DELETE.value, kind.value)


def _ids(rows: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Ids of 18 characters, and per row null or why it has none."""
    if ID not in rows.column_names:
        raise Broken("rows of Salesforce were read without their ids.")
    ids = _whole(rows.column(ID))
    is_right = pc.fill_null(pc.match_substring_regex(ids, _ID), False)
    if pc.all(is_right).as_py() is not False:
        return ids, pa.nulls(len(ids), pa.string())
    mended = [_id(text) for text in ids.to_pylist()]
    return pa.array([id_ for id_, _ in mended], pa.string()), pa.array([fault for _, fault in mended], pa.string())


def _id(text: str | None) -> tuple[str | None, str | None]:
    if text is None:
        return None, f"undecodable: column {ID} is null"
    try:
        return to18(text), None
    except Rejected:
        return text, f"undecodable: column {ID} is {text[:40]}, which is no id of Salesforce"


def _stamps(rows: pa.Table, sobject: SObject) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Of each row the second of its stamp and the moment, null where it bears none, and what is wrong with it."""
    count, name = rows.num_rows, sobject.stamp
    if name is None or name not in rows.column_names:
        return pa.nulls(count, pa.int64()), pa.nulls(count, TIMESTAMP), pa.nulls(count, pa.string())
    told = _whole(rows.column(name))
    try:
        moments, faults = pc.cast(told, TIMESTAMP), pa.nulls(count, pa.string())
        is_bad = pc.is_null(told)
    except pa.ArrowInvalid:
        read = [_moment(text) for text in told.to_pylist()]
        moments = pa.array(read, TIMESTAMP)
        is_bad = pa.array([moment is None for moment in read], pa.bool_())
    if pc.any(is_bad).as_py():
        why = pc.binary_join_element_wise(
            f"undecodable: column {name} is", pc.coalesce(told, pa.scalar("null")), pa.scalar(" ")
        )
        faults = pc.if_else(is_bad, why, pa.scalar(None, pa.string()))
    seconds = pc.floor(pc.divide(pc.cast(pc.cast(moments, pa.int64()), pa.float64()), 1_000_000.0))
    return pc.cast(seconds, pa.int64()), moments, faults


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _table(envelope: Mapping[str, Any], columns: Mapping[str, Any]) -> pa.Table:
    fields = [pa.field(name, pa.string()) for name in columns]
    arrays = [envelope[name] for name in CAPTURED.names] + list(columns.values())
    return pa.Table.from_arrays(arrays, schema=pa.schema([*CAPTURED, *fields]))


def _same(value: object, column: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, CAPTURED.field(column).type), rows)
