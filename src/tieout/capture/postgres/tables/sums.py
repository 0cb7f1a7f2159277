"""Sums of a table's fingerprints by the server itself, in the view of a cut.

Blocks by blocks, so that no question takes longer than some seconds, and one after the other, so that the application
loses no more than one of the server's processors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa

from ....base.codec import canonical_json
from ....base.errors import Broken
from ....base.fingerprint import DIGITS, FORMS, Form
from ....base.sql import Sql, Statements, name
from ....base.types import ColumnType, Kind
from ...source import Captured
from ...sums import SUMMED, Layout
from ..catalogue import Field, Table
from ..refusal import refusals_told
from ..statements import statements as of_tables
from ..wire import Moment, Wire
from .pieces import pieces
from .ranges import Trait, traits_of
from .snapshot import Snapshot, images_of, read_of

statements = Statements(__package__, "sums.sql")

_UTF8 = "UTF8"
_SPANS_MAX = 64
"""Runs of buckets that are asked for by their ends, along an index if there is one; more are picked from all rows."""
_PARTS_MAX = 25
"""Columns of one call; a function of the server's takes a hundred arguments."""
_NARROW_ROWS_MAX = 1_000_000
"""Rows that one question along an index may find."""
_share_bytes = 256 * 2**20
_keys_max = 5_000


@dataclass(frozen=True, slots=True)
class _Share:
    """Some rows of a table: where they lie, and by which condition they are told from the others there."""

    table: Sql
    condition: Sql


@dataclass(frozen=True, slots=True)
class _Within:
    """That a row lies in one of some buckets, of which the bounds are `$1` and the numbers `$3`, both JSON arrays.
    `is_narrow`: an index leads to these few rows, so the table is asked in one go."""

    condition: Sql
    bounds: str
    numbers: str
    is_narrow: bool

    def bound(self, wanted: Sequence[int] = ()) -> tuple[str, str, str]:
        """The values of a statement in which `$2` are these fingerprints."""
        return self.bounds, canonical_json(wanted), self.numbers


class TableSums:
    """Of these tables, by their objects, in the view `snapshot`."""

    def __init__(self, wire: Wire, snapshot: Snapshot, moment: Moment, tables: Sequence[Table], epoch: int) -> None:
        self._wire = wire
        self._snapshot = snapshot
        self._moment = moment
        self._tables = {table.object: table for table in tables}
        self._epoch = epoch
        self._encoding = ""
        self._traits: dict[str, Mapping[str, Trait]] = {}

    def columns(self, object_: str) -> Mapping[str, ColumnType | None]:
        table = self._tables[object_]
        if table.append_only:
            return {}
        return {field.name: self._type(field) for field in table.fields}

    def summed(self, layout: Layout, buckets: Sequence[int] | None) -> Iterator[pa.Table]:
        table, within = self._tables[layout.object], self._within(layout, buckets)
        parts = {"fingerprint": _fingerprint(table, layout), "bucket": _bucket(table, layout)}
        parts["within"] = within.condition
        with refusals_told(f"summing {table.quoted}"), self._snapshot.holding(table) as cursor:
            for share in self._shares(table, whole=within.is_narrow):
                cursor.execute(str(statements("summed", share=share, **parts)), within.bound())
                yield cursor.fetch_arrow_table().cast(SUMMED)

    def fingerprints(self, layout: Layout, buckets: Sequence[int]) -> Iterator[pa.Array]:
        table, within = self._tables[layout.object], self._within(layout, buckets)
        parts = {"fingerprint": _fingerprint(table, layout), "within": within.condition}
        with refusals_told(f"summing {table.quoted}"), self._snapshot.holding(table) as cursor:
            for share in self._shares(table, whole=within.is_narrow):
                cursor.execute(str(statements("fingerprints", share=share, **parts)), within.bound())
                yield pa.concat_arrays(cursor.fetch_arrow_table()["fingerprint"].chunks or [pa.array([], pa.int64())])

    def rows(self, layout: Layout, buckets: Sequence[int], wanted: Sequence[int]) -> Iterator[Captured]:
        table = self._tables[layout.object]
        yield from pieces("cut", table, self._moment, self._epoch, self._rows(table, layout, buckets, wanted))

    def keyed(self, object_: str, keys: Sequence[str]) -> Iterator[Captured]:
        table = self._tables[object_]
        asked = (self._snapshot.keyed(table, some) for some in _runs(list(dict.fromkeys(keys)), _keys_max))
        yield from pieces("cut-keys", table, self._moment, self._epoch, asked)

    def _rows(self, table: Table, layout: Layout, buckets: Sequence[int], wanted: Sequence[int]) -> Iterator[pa.Table]:
        within = self._within(layout, buckets)
        columns = [read_of(field) for field in table.fields]
        parts = {"columns": columns, "fingerprint": _fingerprint(table, layout), "within": within.condition}
        with refusals_told(f"reading {table.quoted}"), self._snapshot.holding(table) as cursor:
            for share in self._shares(table, whole=within.is_narrow):
                cursor.execute(str(statements("rows", share=share, **parts)), within.bound(wanted))
                for batch in cursor.fetch_record_batch():
                    yield images_of(pa.Table.from_batches([batch]), table, self._snapshot.stamp)

    def _shares(self, table: Table, *, whole: bool = False) -> Iterator[_Share]:
        """Of a table that is held: some blocks each of its parts; or all of it, where blocks cannot be asked for."""
        all_ = _Share(Sql(("" if table.partitioned else "only ") + table.quoted), Sql("true"))
        numbers = [] if whole else [number for number, _ in self._wire.shapes([table])[table.object].files]
        parts = [part for number in numbers if (part := self._snapshot.part(number)) is not None]
        if not parts or len(parts) < len(numbers) or not all(part.alone and part.by_blocks for part in parts):
            yield all_
            return
        for number, part in zip(numbers, parts, strict=True):
            size = self._snapshot.size(number)
            step = max(1, _share_bytes * size.blocks // max(size.bytes, 1))
            file = Sql("only " + name(part.schema, part.name))
            for first in range(0, size.blocks, step):
                # The last ones have no end, as rows may be added.
                ends = {"first": first, "end": first + step if first + step < size.blocks else 0}
                yield _Share(file, of_tables("blocks", blocks=ends))

    def _within(self, layout: Layout, buckets: Sequence[int] | None) -> _Within:
        bounds = canonical_json(layout.bounds)
        if buckets is None or not layout.bounds:
            return _Within(Sql("true"), bounds, "[]", is_narrow=False)
        table, numbers = self._tables[layout.object], canonical_json(sorted(buckets))
        spans = list(_spans(sorted(buckets)))
        if len(spans) > _SPANS_MAX:
            return _Within(statements("in_buckets", bucket=_bucket(table, layout)), bounds, numbers, is_narrow=False)
        by = _by(table, layout)
        between = [_between(by, first, last, layout) for first, last in spans]
        rows = layout.rows * len(buckets) / layout.buckets
        is_narrow = rows <= _NARROW_ROWS_MAX and self._is_indexed(table, by)
        return _Within(Sql("(" + " or ".join(between) + ")"), bounds, numbers, is_narrow=is_narrow)

    def _is_indexed(self, table: Table, by: Field) -> bool:
        """By the column as it is: an index knows no texts in the order of their bytes."""
        if FORMS[by.type.kind] is Form.SIZED:
            return False
        if table.object not in self._traits:
            self._traits[table.object] = traits_of(self._wire.dsn, table)
        return self._traits[table.object][by.name].indexed

    def _type(self, field: Field) -> ColumnType | None:
        """Text is summed by its bytes, so they must be those that it has here."""
        told = field.type
        is_other = field.composition is not None or field.is_retyped
        is_foreign = FORMS[told.kind] is Form.SIZED and self._is_foreign()
        return None if is_other or is_foreign else told

    def _is_foreign(self) -> bool:
        if not self._encoding:
            self._encoding = self._wire.encoding()
        return self._encoding != _UTF8


def _runs(of: list[Any], size: int) -> Iterator[list[Any]]:
    return (of[start : start + size] for start in range(0, len(of), size))


def _fingerprint(table: Table, layout: Layout) -> Sql:
    fields = {field.name: field for field in table.fields}
    cells = [_cell(fields[column]) for column in layout.columns]
    texts = [statements("joined", parts=some) for some in _runs(cells, _PARTS_MAX)]
    text = texts[0] if len(texts) == 1 else statements("joined", parts=texts)
    return statements("fingerprint", text=text, digits=DIGITS)


def _cell(field: Field) -> Sql:
    form = FORMS[field.type.kind]
    bits = {Kind.FLOAT32: "bits4", Kind.FLOAT64: "bits8"}
    statement = bits[field.type.kind] if form is Form.BITS else form.value
    return statements(statement, value=name(field.name))


def _ordered(field: Field) -> Sql:
    """The column, in the order of the layout."""
    is_text = FORMS[field.type.kind] is Form.SIZED
    return statements("alike", column=name(field.name)) if is_text else name(field.name)


def _bound(field: Field, text: Sql) -> Sql:
    is_text = FORMS[field.type.kind] is Form.SIZED
    return text if is_text else field.passage.asked.of(text, field.cast)


def _by(table: Table, layout: Layout) -> Field:
    for field in table.fields:
        if field.name == layout.by:
            return field
    raise Broken(f"{table.quoted} has no column {layout.by} by which it could be summed.")


def _bucket(table: Table, layout: Layout) -> Sql:
    if not layout.bounds:
        return Sql("0")
    by = _by(table, layout)
    return statements("bucket", column=_ordered(by), bound=_bound(by, Sql("bound")))


def _spans(buckets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring buckets: the first and the last of each."""
    first = buckets[0]
    for one, following in pairwise([*buckets, -1]):
        if following != one + 1:
            yield first, one
            first = following


def _between(by: Field, first: int, last: int, layout: Layout) -> Sql:
    """Bucket 0 has no beginning, and the last one no end."""
    ends: dict[str, Any] = {"first": "", "last": ""}
    if first > 0:
        ends["first"] = _bound(by, statements("nth_bound", place=first - 1))
    if last < len(layout.bounds):
        ends["last"] = _bound(by, statements("nth_bound", place=last))
    if not (ends["first"] or ends["last"]):
        return Sql("true")
    return statements("between", column=_ordered(by), **ends)
