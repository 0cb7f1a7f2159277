"""Tables as they were at one moment, read in columns: whole, or by key.

What was read is stamped with the moment's place in the log, class read: it knows all that was committed before, and
can never beat what came after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_postgresql import dbapi

from ....base.change import CAPTURED, Kind
from ....base.codec import canonical_json
from ....base.errors import Transient
from ....base.order import Class
from ....base.sql import Sql, literal, name
from ..appends import ROW_ID
from ..captured import captured
from ..catalogue import Field, Table
from ..lsn import lsn_text
from ..refusal import refusals_told
from ..statements import statements
from ..values.arrived import arrived
from ..values.nested import as_json
from ..values.texts import faults_column

_NOTHING = "[]"

_rows_max = 2**17
"""Rows of a piece: a few tens of megabytes of an ordinary table."""


class Rewritten(Transient):
    """The table, or a part of it, was emptied, written anew or taken away as it was about to be read."""


@dataclass(frozen=True, slots=True)
class Part:
    """A table by itself, or a partition of one. `alone`: it can be asked for without the table that it is a part of;
    `by_blocks`: so can some blocks of it, of which each holds so many rows."""

    schema: str
    name: str
    alone: bool
    by_blocks: bool
    rows_a_block: float | None


@dataclass(frozen=True, slots=True)
class Size:
    """Of a part that is held: the file it is in, its blocks, and its bytes with all that is stored beside it."""

    file: int
    blocks: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """What all rows of a read share: the moment's place in the log, and when we read."""

    lsn: int
    read_at: datetime


class Snapshot:
    """An open view of the database. Of use within its context only.

    Each table is held while it is read, and let go then: whoever wants to empty it waits for no other table.
    """

    def __init__(self, cursor: Any, snapshot: str, stamp: Stamp) -> None:
        self._cursor = cursor
        self._snapshot = snapshot
        self.stamp = stamp

    def images(self, table: Table) -> Iterator[pa.Table]:
        """Every row of the table as an image, in pieces. Raises Rewritten when it was emptied meanwhile."""
        with self.held(table):
            yield from self.rows(table, first=0)

    def part(self, part: int) -> Part | None:
        """A table or partition by its number in the catalogue; None when it is gone."""
        with refusals_told("asking for a partition"):
            self._cursor.execute(str(statements("part", part=part)))
            found = self._cursor.fetchall()
        if not found:
            return None
        ((schema, table, counted, blocks, alone, by_blocks),) = found
        known = blocks > 0 and counted > 0
        return Part(schema, table, bool(alone), bool(by_blocks), counted / blocks if known else None)

    def size(self, part: int) -> Size:
        """Of a part that is held."""
        with refusals_told("asking for a size"):
            self._cursor.execute(str(statements("size", part=part)))
            ((file, blocks, size),) = self._cursor.fetchall()
        return Size(int(file or 0), int(blocks or 0), int(size or 0))

    def rows(self, table: Table, *, first: int, blocks: Mapping[str, int] | None = None) -> Iterator[pa.Table]:
        """Of a table that is held: its rows as images in pieces, numbered from `first` on; all of them, or those in the
        blocks from `first` to `end`."""
        columns = [self._read_of(field, table) for field in table.fields]
        with refusals_told(f"reading {table.quoted}"):
            chosen = "" if blocks is None else statements("blocks", blocks=blocks)
            self._cursor.execute(str(statements("rows", table=table, columns=columns, blocks=chosen)))
            for batch in self._cursor.fetch_record_batch():
                for piece in _pieces(batch):
                    yield _images(piece, table, self.stamp, first)
                    first += piece.num_rows

    def _read_of(self, field: Field, table: Table) -> dict[str, Sql]:
        if table.append_only and field.name == ROW_ID:
            return {"name": name(ROW_ID), "read": statements("row_id", origin=literal(_origin(self.stamp)))}
        return read_of(field)

    def keyed(self, table: Table, keys: Sequence[str]) -> pa.Table:
        """Of each of these canonical keys: an image where its row is there, a delete where it is not."""
        columns = [_asked(field, table.key) for field in table.fields]
        with refusals_told(f"reading keys of {table.quoted}"), self.held(table):
            statement = statements("keyed", table=table, columns=columns)
            self._cursor.execute(str(statement), (f"[{','.join(keys)}]",))
            answer = self._cursor.fetch_arrow_table()
        return _presence(answer, table, self.stamp)

    @contextmanager
    def holding(self, table: Table) -> Iterator[Any]:
        """A session in this view that holds the table, for questions of other modules. Raises Rewritten as `images`."""
        with self.held(table):
            yield self._cursor

    @contextmanager
    def held(self, table: Table) -> Iterator[None]:
        """The view, with the table as it was in it. TRUNCATE and ALTER TABLE write a table anew, and an older view then
        shows none of its rows."""
        with refusals_told(f"holding {table.quoted}"):
            self._cursor.execute(str(statements("begin")))
            self._cursor.execute(str(statements("adopt_snapshot", snapshot=literal(self._snapshot))))
            self._cursor.execute(str(statements("hold", table=table)))
            self._cursor.execute(str(statements("rewritten", table=table)))
            rewritten = [row[0] for row in self._cursor.fetchall()]
        if rewritten:
            raise Rewritten(f"{rewritten[0]} was emptied or written anew as it was about to be read.")
        yield
        with refusals_told(f"letting go of {table.quoted}"):
            self._cursor.execute(str(statements("end")))  # a read that broke off ends with its connection


@contextmanager
def snapshot_at(dsn: str, snapshot: str, stamp: Stamp) -> Iterator[Snapshot]:
    """Joins the view that another session holds open."""
    with refusals_told("connecting"):
        connection = dbapi.connect(dsn, autocommit=True)
    try:
        with connection.cursor() as cursor:
            yield Snapshot(cursor, snapshot, stamp)
    finally:
        connection.close()


def sweep(stamp: Stamp, rows: int) -> pa.Table:
    """The table was read to its end: what was not mentioned is not there. `rows` were."""
    return _alone(Kind.SWEEP, Class.READ, stamp, rows, _origin(stamp))


def mark(stamp: Stamp, rows: int) -> pa.Table:
    """Says nothing of any row: partitions that a table has gained were read to their end, or it is to be read anew."""
    return _alone(Kind.MARK, Class.READ, stamp, rows, _origin(stamp))


def gap(stamp: Stamp) -> pa.Table:
    """Of the whole table, what happened before this position may not have been told. A sweep as of the position itself
    has seen all of it, so it stands one before."""
    before = Stamp(stamp.lsn - 1, stamp.read_at)
    return _alone(Kind.GAP, Class.EVENT, before, 0, f"hole {lsn_text(stamp.lsn)}")


def _origin(stamp: Stamp) -> str:
    return f"snapshot {lsn_text(stamp.lsn)}"


def _alone(kind: Kind, class_: Class, stamp: Stamp, first: int, origin: str) -> pa.Table:
    """One row, of the whole table."""
    kinds, covers, faults = pa.array([kind.value]), pa.array([_NOTHING]), pa.nulls(1, pa.string())
    envelope = _envelope(kinds, covers, stamp, first, faults)
    envelope |= {"_class": _same(int(class_), "_class", 1), "_origin": _same(origin, "_origin", 1)}
    return captured(envelope, {})


def images_of(answer: pa.Table, table: Table, stamp: Stamp) -> pa.Table:
    """Rows that were read at a stamp, in the table's columns, as images."""
    batch = pa.RecordBatch.from_arrays([_whole(column) for column in answer.columns], schema=answer.schema)
    return _images(batch, table, stamp, 0)


def read_of(field: Field) -> dict[str, Sql]:
    """A column as a statement reads it."""
    return {"name": name(field.name), "read": field.read(name(field.name))}


def _asked(field: Field, key: Sequence[str]) -> dict[str, Sql]:
    """A column of a question by key: of the key it is there even where its row is not."""
    column, held = name(field.name), name("held", field.name)
    if field.name not in key:
        return {"name": column, "read": field.read(held), "asked": Sql()}
    text = statements("asked_text", place=key.index(field.name))
    asked = field.passage.asked.of(text, field.cast)
    return {
        "name": column,
        "read": field.read(statements("or_asked", held=held, asked=asked)),
        "asked": asked,
    }


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, _rows_max):
        yield batch.slice(start, _rows_max)


def _images(batch: pa.RecordBatch, table: Table, stamp: Stamp, first: int) -> pa.Table:
    rows = batch.num_rows
    columns, faults = _columns(batch.columns, table)
    kinds, covers = pa.repeat(pa.scalar(Kind.IMAGE, pa.string()), rows), _same(_cover(table), "_cover", rows)
    return captured(_envelope(kinds, covers, stamp, first, faults), columns)


def _presence(answer: pa.Table, table: Table, stamp: Stamp) -> pa.Table:
    found, *held = (_whole(column) for column in answer.columns)
    columns, faults = _columns(held, table)
    kinds = pc.if_else(found, Kind.IMAGE.value, Kind.DELETE.value)
    covers = pc.if_else(found, _cover(table), _NOTHING)
    return captured(_envelope(kinds, covers, stamp, 0, faults), columns)


def _columns(arrays: Sequence[Any], table: Table) -> tuple[dict[str, Any], pa.Array]:
    """The server's columns under their names; what cannot be held is null, and its row has a fault."""
    columns, faults = {}, []
    rows = len(arrays[0]) if arrays else 0
    for field, array in zip(table.fields, arrays, strict=True):
        columns[field.name], found = arrived(array)
        faults.append((field.name, found))
        if field.composition is not None:
            columns[field.name], found = as_json(columns[field.name], field.composition)
            faults.append((field.name, found))
    return columns, faults_column(faults, rows)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _cover(table: Table) -> str:
    return canonical_json(sorted(field.name for field in table.fields))


def _envelope(kinds: pa.Array, covers: pa.Array, stamp: Stamp, first: int, faults: pa.Array) -> dict[str, pa.Array]:
    rows = len(kinds)
    return {
        "_kind": kinds,
        "_position": _same(stamp.lsn, "_position", rows),
        "_class": _same(int(Class.READ), "_class", rows),
        "_minor": _same(0, "_minor", rows),
        "_rank": _same(0, "_rank", rows),
        "_cover": covers,
        "_keyed": _same(None, "_keyed", rows),
        "_observed_at": _same(stamp.read_at, "_observed_at", rows),
        "_origin": _same(_origin(stamp), "_origin", rows),
        "_ordinal": pa.arange(first, first + rows),
        "_fault": faults,
        "_raw": _same(None, "_raw", rows),
    }


def _same(value: object, column: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, CAPTURED.field(column).type), rows)
