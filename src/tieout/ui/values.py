"""Arrow values as plain ones that JSON can hold without loss; `docs/reference/cli.md` promises the forms.

Python's own dates end at year 9999 and its floats know no float32, so what would not pass through them is written from
the numbers underneath.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.types as is_

from ..merge.warehouse import ENGINE_TYPE

_WHOLE = frozenset({b"HUGEINT", b"UHUGEINT"})
"""Whole numbers that Arrow can only carry as decimals."""
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_CYCLE_DAYS = 146_097
"""The calendar repeats after 400 years."""
_DAY_SECONDS = 86_400
_INT32_MAX, _INT64_MAX = 2**31 - 1, 2**63 - 1


def plain_rows(table: pa.Table) -> list[list[Any]]:
    """The rows of a table, in lists."""
    columns = [_column(field, column) for field, column in zip(table.schema, table.columns, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def _column(field: pa.Field, column: pa.ChunkedArray) -> list[Any]:
    values = list(chain.from_iterable(_plain(chunk) for chunk in column.chunks))
    if (field.metadata or {}).get(ENGINE_TYPE) in _WHOLE:
        return [None if value is None else int(value) for value in values]
    return values


def _plain(array: pa.Array) -> list[Any]:
    type_ = array.type
    if isinstance(type_, pa.BaseExtensionType):
        return _plain(array.storage)
    if is_.is_dictionary(type_):
        return _plain(array.dictionary_decode())
    if is_.is_nested(type_):
        return _nested(array)
    return _flat(array)


def _flat(array: pa.Array) -> list[Any]:
    type_ = array.type
    if is_.is_decimal(type_):
        return _each(lambda value: format(value, "f"), array.to_pylist())
    if is_.is_float32(type_):
        # By way of its text: the shortest decimal that is this float32, not the one that is its widened copy.
        return _each(lambda text: _float(float(text)), array.cast(pa.string()).to_pylist())
    if is_.is_floating(type_):
        return _each(_float, array.to_pylist())
    if is_.is_timestamp(type_):
        zone = "" if type_.tz is None else "Z"
        return _each(lambda ticks: _timestamp(ticks, type_.unit, zone), array.cast(pa.int64()).to_pylist())
    if is_.is_date32(type_):
        return _each(_day, array.cast(pa.int32()).to_pylist())
    if is_.is_time(type_):
        whole = pa.int32() if is_.is_time32(type_) else pa.int64()
        return _each(lambda ticks: _time(ticks, type_.unit), array.cast(whole).to_pylist())
    if is_.is_interval(type_):
        return _each(_interval, array.to_pylist())
    if is_.is_binary(type_) or is_.is_large_binary(type_):
        return _each(lambda data: "\\x" + data.hex(), array.to_pylist())
    values: list[Any] = array.to_pylist()
    return values


def _nested(array: pa.Array) -> list[Any]:
    type_ = array.type
    if is_.is_map(type_):
        return [None if not one.is_valid else _mapping(one.values) for one in array]
    if is_.is_struct(type_):
        names = [type_.field(index).name for index in range(type_.num_fields)]
        members = zip(*(_plain(array.field(index)) for index in range(type_.num_fields)), strict=True)
        return [
            dict(zip(names, values, strict=True)) if one.is_valid else None
            for one, values in zip(array, members, strict=True)
        ]
    if is_.is_union(type_):
        return [_plain(pa.repeat(one.value, 1))[0] for one in array]
    return [None if not one.is_valid else _plain(one.values) for one in array]


def _mapping(entries: pa.StructArray) -> dict[str, Any]:
    keys, values = _plain(entries.field(0)), _plain(entries.field(1))
    return {key if isinstance(key, str) else json.dumps(key): value for key, value in zip(keys, values, strict=True)}


def _each(write: Callable[[Any], Any], values: Iterable[Any]) -> list[Any]:
    return [None if value is None else write(value) for value in values]


def _float(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _timestamp(ticks: int, unit: str, zone: str) -> str:
    if abs(ticks) == _INT64_MAX:
        return "infinity" if ticks > 0 else "-infinity"
    days, rest = divmod(ticks, _DAY_SECONDS * _PER_SECOND[unit])
    return f"{_date(days)}T{_time(rest, unit)}{zone}"


def _day(days: int) -> str:
    if abs(days) == _INT32_MAX:
        return "infinity" if days > 0 else "-infinity"
    return _date(days)


def _date(days: int) -> str:
    """ISO 8601 of a day counted from 1970; years outside 0 to 9999 bear a sign, as the standard has it."""
    cycles, rest = divmod(days, _CYCLE_DAYS)
    day = date(1970, 1, 1) + timedelta(days=rest)
    year = day.year + 400 * cycles
    return (f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}") + day.strftime("-%m-%d")


def _time(ticks: int, unit: str) -> str:
    """The time of day; 24:00:00 is one, in PostgreSQL too. A fraction has six digits, or nine where needed."""
    seconds, fraction = divmod(ticks, _PER_SECOND[unit])
    nanos = fraction * (_PER_SECOND["ns"] // _PER_SECOND[unit])
    micros, below = divmod(nanos, 1_000)
    behind = f".{nanos:09d}" if below else f".{micros:06d}" if micros else ""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{behind}"


def _interval(value: pa.MonthDayNano) -> str:
    """An ISO 8601 duration, its parts as they were: months, days and seconds do not convert into each other."""
    sign = "-" if value.nanoseconds < 0 else ""
    seconds, nanos = divmod(abs(value.nanoseconds), _PER_SECOND["ns"])
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"P{value.months}M{value.days}DT{sign}{seconds}{fraction}S"
