"""Lines into columns: what was said of one object as a table of the shape `change.CAPTURED`, values as JSON text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ...base.change import CAPTURED, TIMESTAMP
from ...base.errors import Rejected
from ...base.order import Class
from .said import Said, Shape, fault_text
from .sheaf import Sheaf

_FIRST, _LAST = (
    pa.scalar(time.replace(tzinfo=UTC), TIMESTAMP).cast(pa.int64()).as_py() for time in (datetime.min, datetime.max)
)


class Row(msgspec.Struct, gc=False):
    """A line and where it stands."""

    said: Said
    ordinal: int
    raw: bytes | None


def captured(rows: Sequence[Row], *, origin: str, now: datetime) -> pa.Table:
    """A row for each line. `now` stands for the time where a line gives none."""
    said = [row.said for row in rows]
    faults = [each.fault for each in said]
    observed = _observed([each.observed_at for each in said], faults, now)
    envelope = [
        [each.kind for each in said],
        [each.position for each in said],
        [each.read for each in said],
        [each.minor for each in said],
        [each.rank for each in said],
        [each.shape.cover for each in said],
        [each.shape.keyed for each in said],
        observed,
        [origin] * len(rows),
        [row.ordinal for row in rows],
        faults,
        [row.raw for row in rows],
    ]
    names = names_of(rows, (), before=0)
    columns = [pa.array(column, field.type) for column, field in zip(envelope, CAPTURED, strict=True)]
    values = [each.values for each in said]
    columns += [pa.array([value.get(name) for value in values], pa.string()) for name in names]
    return pa.Table.from_arrays(columns, schema=_schema(names))


def woven(rows: Sequence[Row], sheaves: Sequence[Sheaf], *, before: int, origin: str, now: datetime) -> pa.Table:
    """Rows and sheaves of one object, of the lines behind line `before`, in the order of the file."""
    parts = [captured(rows, origin=origin, now=now)] if rows else []
    parts += [_of_sheaf(sheaf, before=before, origin=origin, now=now) for sheaf in sheaves]
    table = pa.concat_tables([_widened(part, _schema(names_of(rows, sheaves, before=before))) for part in parts])
    return table if len(parts) == 1 else table.combine_chunks().take(pc.sort_indices(table["_ordinal"]))


def names_of(rows: Sequence[Row], sheaves: Sequence[Sheaf], *, before: int) -> list[str]:
    """The columns that rows and sheaves of one object need, in the order in which the file has them."""
    firsts: dict[Shape, int] = {}
    for row in reversed(rows):
        firsts[row.said.shape] = row.ordinal
    for sheaf in sheaves:
        first = before + 1 + sheaf.indexes[0]
        firsts[sheaf.shape] = min(first, firsts.get(sheaf.shape, first))
    return list(dict.fromkeys(name for shape in sorted(firsts, key=firsts.__getitem__) for name in shape.names))


def _of_sheaf(sheaf: Sheaf, *, before: int, origin: str, now: datetime) -> pa.Table:
    count, first = len(sheaf.read), sheaf.read[0]
    faults: list[str | None] = [None] * count
    observed = _observed([read.observed_at for read in sheaf.read], faults, now)
    positions, minors = zip(*sheaf.places(), strict=True)
    envelope: list[object] = [
        pa.repeat(first.kind, count),
        pa.array(positions, pa.int64()),
        pa.repeat(pa.scalar(int(Class.READ if sheaf.is_read else Class.EVENT), pa.int8()), count),
        pa.array(minors, pa.int64()),
        pa.repeat(pa.scalar(0, pa.int64()), count),
        pa.repeat(sheaf.shape.cover, count),
        pa.repeat(sheaf.shape.keyed, count),
        observed,
        pa.repeat(origin, count),
        pa.array([before + 1 + index for index in sheaf.indexes], pa.int64()),
        pa.array(faults, pa.string()),
        sheaf.raw,
    ]
    return pa.Table.from_arrays([*envelope, *sheaf.values.values()], schema=_schema(list(sheaf.values)))


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The tables of one object behind each other; a column that one of them lacks is absent in its rows."""
    names = list(dict.fromkeys(name for table in tables for name in table.column_names[len(CAPTURED) :]))
    schema = _schema(names)
    return pa.concat_tables([_widened(table, schema) for table in tables])


def _schema(names: Sequence[str]) -> pa.Schema:
    return pa.schema([*CAPTURED, *(pa.field(name, pa.string()) for name in names)])


def _widened(table: pa.Table, schema: pa.Schema) -> pa.Table:
    held = dict(zip(table.column_names, table.columns, strict=True))
    columns = [held[f.name] if f.name in held else pa.nulls(table.num_rows, f.type) for f in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _observed(texts: list[str | None], faults: list[str | None], now: datetime) -> pa.Array:
    """The times; a text that is none becomes the fault of its row."""
    try:
        times = _cast(pa.array(texts, pa.string()))
    except (pa.ArrowInvalid, Rejected):
        times = pa.array([_time(text, faults, at) for at, text in enumerate(texts)], TIMESTAMP)
    return times.fill_null(pa.scalar(now, TIMESTAMP)) if times.null_count else times


def _cast(texts: pa.Array) -> pa.Array:
    """Raises ArrowInvalid for a text that is no time, Rejected for a time outside the years 1 to 9999 in UTC."""
    times = texts.cast(TIMESTAMP)
    span = pc.min_max(times.cast(pa.int64())).as_py()
    if span["min"] is not None and (span["min"] < _FIRST or span["max"] > _LAST):
        raise Rejected("a time that no calendar of ours holds")
    return times


def _time(text: str | None, faults: list[str | None], at: int) -> pa.Scalar | None:
    if text is None:
        return None
    try:
        # The same reading as for a whole column, so that a row does not depend on its neighbours.
        return _cast(pa.array([text], pa.string()))[0]
    except (pa.ArrowInvalid, Rejected):
        pass
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return pa.scalar(time.astimezone(UTC), TIMESTAMP)
    except (ValueError, OverflowError):
        pass
    faults[at] = faults[at] or fault_text(f"bad_time: observed_at is {text[:60]!a}; write 2026-11-20T10:00:00Z")
    return None
