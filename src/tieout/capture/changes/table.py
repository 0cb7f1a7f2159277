"""Lines into columns: what was said of one object as a table of the shape `change.CAPTURED`, values as JSON text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ...base.change import CAPTURED, TIMESTAMP
from ...base.errors import Rejected
from .said import Said, fault_text

_FIRST, _LAST = (
    pa.scalar(time.replace(tzinfo=UTC), TIMESTAMP).cast(pa.int64()).as_py() for time in (datetime.min, datetime.max)
)


class Row(msgspec.Struct, gc=False):
    """A line and where it stands."""

    said: Said
    ordinal: int
    raw: bytes | None


def column_names(rows: Sequence[Row]) -> list[str]:
    """The columns that these rows need, in the order in which they come up."""
    shapes = dict.fromkeys(row.said.shape for row in rows)
    return list(dict.fromkeys(name for shape in shapes for name in shape.names))


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
    names = column_names(rows)
    columns = [pa.array(column, field.type) for column, field in zip(envelope, CAPTURED, strict=True)]
    values = [each.values for each in said]
    columns += [pa.array([value.get(name) for value in values], pa.string()) for name in names]
    return pa.Table.from_arrays(columns, schema=_schema(names))


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
