"""A batch in the columns of today's contract: what it was judged to be, and what its own contract did not know.

Pure. The batch was sealed under the contract of its day; values that stood in `_extra` then are read back into the
columns that the contract has gained, and its changes speak of these columns from now on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from ..base.batch import Batch
from ..base.change import CONTROL, Kind
from ..base.codec import canonical_json
from ..base.errors import Misconfigured
from ..base.types import Column
from ..contract.contract import Contract
from ..contract.extra import read_back
from ..contract.judge import batch_schema

ROWS_AT_ONCE = 100_000
"""Rows read back at a time: each is a Python object for a while."""
READ_BACK = pa.schema(
    [
        pa.field("_cid", pa.string()),
        pa.field("_cover", pa.string()),
        pa.field("_extra", pa.string()),
    ]
)
"""What a row is after it was read back: its cover, and what is left of its `_extra`, which no column would take."""


def aligned(batch: Batch, contract: Contract) -> pa.Table:
    """The batch's rows in the contract's columns. Raises Misconfigured when what landed does not fit them."""
    changes = batch.changes
    table = _cast_to(batch, batch_schema(contract))
    gained = [column for column in contract.fields if column.name not in changes.column_names]
    at = _readable(changes, gained)
    if not len(at):
        return table
    some = changes.select([name for name in READ_BACK.names if name in changes.column_names]).take(at)
    pieces = list(lifted(some, gained, encoding=batch.footer.encoding))
    return _put(table, at, pa.concat_tables(pieces).combine_chunks())


def lifted(rows: pa.Table, gained: Sequence[Column], *, encoding: str) -> Iterator[pa.Table]:
    """Rows of `_cid`, `_cover` and `_extra`, as they are with these columns: READ_BACK, and the columns' values."""
    for start in range(0, rows.num_rows, ROWS_AT_ONCE):
        piece = rows.slice(start, ROWS_AT_ONCE)
        back = read_back(piece["_extra"].to_pylist(), gained, encoding=encoding)
        covers = [
            canonical_json(sorted({*json.loads(cover), *told}))
            for cover, told in zip(piece["_cover"].to_pylist(), back.told, strict=True)
        ]
        read = [piece["_cid"].combine_chunks(), pa.array(covers, pa.string()), back.extra]
        table = pa.table(dict(zip(READ_BACK.names, read, strict=True)), schema=READ_BACK)
        for name in back.values.column_names:
            table = table.append_column(name, back.values.column(name))
        yield table


def may_be_unfit(batches: Sequence[Batch], incoming: pa.Table, contract: Contract) -> bool:
    """Whether a row may have told a column that its contract did not know then what the column does not admit."""
    kept = incoming["_extra"].drop_null()
    gained = [
        column.name
        for column in contract.fields
        if len(kept) and any(column.name not in batch.changes.column_names for batch in batches)
    ]
    return any(pc.any(pc.match_substring(kept, quoted(name))).as_py() for name in gained)


def quoted(column: str) -> str:
    """How a member of this name begins in `_extra`: within a value its quotes would be escaped."""
    return json.dumps(column, ensure_ascii=False) + ":"


def _readable(changes: pa.Table, gained: Sequence[Column]) -> pa.Array:
    """The places of the rows that told one of these columns: changes, and no marks of ours."""
    told = pa.scalar(False)
    for column in gained:
        told = pc.or_(told, pc.match_substring(changes["_extra"], quoted(column.name)))
    if not gained:
        return pa.array([], pa.int64())
    # The fields of a gap are what is not known.
    is_change = pc.invert(pc.is_in(changes["_kind"], pa.array(sorted({*CONTROL, Kind.GAP}), pa.string())))
    readable = pc.and_(pc.and_(pc.fill_null(told, False), is_change), pc.is_null(changes["_fault"]))
    return pc.indices_nonzero(readable)


def _put(table: pa.Table, at: pa.Array, read: pa.Table) -> pa.Table:
    """The table with these values at these places."""
    mask = pc.is_in(pa.array(range(table.num_rows), pa.uint64()), at.cast(pa.uint64()))
    for name in read.column_names:
        if name in table.column_names:
            where = table.schema.get_field_index(name)
            column = pc.replace_with_mask(table.column(name).combine_chunks(), mask, read.column(name).combine_chunks())
            table = table.set_column(where, table.schema.field(where), column)
    return table


def _cast_to(batch: Batch, schema: pa.Schema) -> pa.Table:
    """What the batch never knew is null."""
    columns = []
    for field in schema:
        if field.name not in batch.changes.column_names:
            columns.append(pa.nulls(batch.changes.num_rows, field.type))
            continue
        try:
            columns.append(_cast_taken(batch.changes, field))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise Misconfigured(
                f"{batch.footer.stream}: what landed as {field.name} does not fit its contract: {error}.",
                hint="Widen the type in the contract.",
            ) from error
    return pa.Table.from_arrays(columns, schema=schema)


def _cast_taken(changes: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    """The column in this type. A row that was refused stands in its bytes: what a contract that was wrong read of it
    must not keep the right one from being followed."""
    column = changes.column(field.name)
    try:
        return _cast(column, field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        taken = pc.if_else(pc.is_null(changes.column("_fault")), column, pa.scalar(None, column.type))
        if taken.null_count == len(taken):
            return pa.chunked_array([pa.nulls(len(taken), field.type)])
        return _cast(taken, field.type)


def _cast(column: pa.ChunkedArray, to: pa.DataType) -> pa.ChunkedArray:
    """Refuses values that do not fit. Arrow alone would refuse any decimal without room for every integer."""
    if pa.types.is_integer(column.type) and pa.types.is_decimal(to):
        column = column.cast(pa.decimal256(76, to.scale))
    return column.cast(to)
