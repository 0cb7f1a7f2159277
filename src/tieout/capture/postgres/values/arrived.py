"""Values of a read as they arrive from the driver, made into values that mean the same here.

PostgreSQL counts days and microseconds from 2000, the driver adds what lies between 1970 and 2000 and lets the sum
overflow. So an infinity arrives as a moment long past, where no moment of PostgreSQL's stands; here it becomes the
number by which DuckDB knows an infinity. What neither Arrow nor DuckDB has a number for, a timestamp after the year
294246, is a fault of its row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from .texts import texts

Faults = dict[int, str]

_CYCLE = 146_097
"""The calendar repeats after 400 years, which are so many days."""
_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Count:
    """Numbers in which a type counts. `until_2000` lies between 1970 and 2000."""

    arrow: pa.DataType
    bits: int
    until_2000: int

    @property
    def greatest(self) -> int:
        return (1 << (self.bits - 1)) - 1

    @property
    def infinity(self) -> int:
        """PostgreSQL's greatest number, as the overflow leaves it; the least follows it."""
        return self.until_2000 - self.greatest - 2


_DAYS = _Count(pa.int32(), 32, 10_957)
_TICKS = _Count(pa.int64(), 64, 10_957 * _DAY)


def arrived(column: pa.Array) -> tuple[pa.Array, Faults]:
    """The column, and per row what cannot be held in it. A value with a fault is null."""
    type_ = column.type
    if pa.types.is_string(type_):
        return texts(column.view(pa.binary()))
    if pa.types.is_date32(type_):
        return _moments(column, _DAYS)
    if pa.types.is_timestamp(type_):
        return _moments(column, _TICKS)
    return column, {}


def _moments(column: pa.Array, count: _Count) -> tuple[pa.Array, Faults]:
    numbers = column.view(count.arrow)
    span = pc.min_max(numbers).as_py()
    if span["min"] is None or (span["min"] > count.infinity + 1 and span["max"] < count.greatest):
        return column, {}
    # The driver's sum overflowed, or it is the very number by which an infinity is known here. No date is so late.
    beyond = pc.fill_null(pc.or_(pc.less(numbers, count.infinity), pc.equal(numbers, count.greatest)), False)
    faults = {row: _too_late(numbers[row].as_py()) for row in pc.indices_nonzero(beyond).to_pylist()}
    held = pc.if_else(pc.equal(numbers, count.infinity), pa.scalar(count.greatest, count.arrow), numbers)
    held = pc.if_else(pc.equal(numbers, count.infinity + 1), pa.scalar(-count.greatest, count.arrow), held)
    return pc.if_else(beyond, pa.scalar(None, count.arrow), held).view(column.type), faults


def _too_late(ticks: int) -> str:
    """The timestamp, by way of a year that Python knows."""
    days, rest = divmod(ticks if ticks > 0 else ticks + (1 << _TICKS.bits), _DAY)
    cycles, day = divmod(days, _CYCLE)
    known = datetime(1970, 1, 1) + timedelta(days=day, microseconds=rest)
    return f"is {known.year + 400 * cycles}-{known:%m-%d %H:%M:%S.%f}, later than the warehouse can hold"
