"""Values of Avro as text, a column at a time: the same text that a query of the same field comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ....base.types import ColumnType, Kind
from ..plain import plain_numbers

_DAY_MS = 86_400_000
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999."""


class Form(StrEnum):
    """How a value becomes text: by what Avro holds, and what the column is.

    number  an integer or a double                   days    a day, counted from 1970
    date    a day, in milliseconds since 1970        moment  milliseconds since 1970
    time    milliseconds since midnight
    """

    TEXT = "text"
    BOOLEAN = "boolean"
    NUMBER = "number"
    DATE = "date"
    DAYS = "days"
    MOMENT = "moment"
    TIME = "time"


_OF_LONG = {Kind.DATE: Form.DATE, Kind.TIMESTAMPTZ: Form.MOMENT, Kind.TIMESTAMP: Form.MOMENT, Kind.TIME: Form.TIME}
_OF_AVRO = {"string": Form.TEXT, "boolean": Form.BOOLEAN, "date": Form.DAYS}


def form(avro: str, type_: ColumnType) -> Form:
    """`avro` is a type of Avro, or "date" for its logical one."""
    if avro in ("int", "long"):
        return _OF_LONG.get(type_.kind, Form.NUMBER)
    return _OF_AVRO.get(avro, Form.NUMBER)


def texts(form: Form, type_: ColumnType, values: Sequence[Any]) -> pa.Array:
    """One text for each value; none of them may be None. Text without a character is null, as it is in an org."""
    if form is Form.NUMBER:
        written = plain_numbers(pa.chunked_array([pa.array(map(repr, values), pa.string())]), type_)
        return written.combine_chunks()
    return _TEXTS[form](values)


def _numbers(values: Sequence[int], first: int, last: int, write: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What lies outside stays the number that it is: the judge shall see it, and refuse it."""
    numbers = np.asarray(values, np.int64)
    within = (numbers >= first) & (numbers <= last)
    written = write(pa.array(np.where(within, numbers, 0)))
    return written if within.all() else pc.if_else(pa.array(within), written, pa.array(numbers).cast(pa.string()))


def _date(milliseconds: pa.Array) -> pa.Array:
    return pa.array(milliseconds.to_numpy() // _DAY_MS).cast(pa.int32()).cast(pa.date32()).cast(pa.string())


def _moment(milliseconds: pa.Array) -> pa.Array:
    written = pc.strftime(milliseconds.cast(pa.timestamp("ms")), format="%Y-%m-%dT%H:%M:%S")
    return pc.binary_join_element_wise(written, "Z", "")


def _time(milliseconds: pa.Array) -> pa.Array:
    return milliseconds.cast(pa.int32()).cast(pa.time32("ms")).cast(pa.string())


def _days(days: pa.Array) -> pa.Array:
    return days.cast(pa.int32()).cast(pa.date32()).cast(pa.string())


_TEXTS: Mapping[Form, Callable[[Sequence[Any]], pa.Array]] = {
    Form.TEXT: lambda values: pa.array([value or None for value in values], pa.string()),
    Form.BOOLEAN: lambda values: pa.array(["true" if value else "false" for value in values], pa.string()),
    Form.DATE: lambda values: _numbers(values, _FIRST_MS, _LAST_MS, _date),
    Form.DAYS: lambda values: _numbers(values, _FIRST_MS // _DAY_MS, _LAST_MS // _DAY_MS, _days),
    Form.MOMENT: lambda values: _numbers(values, _FIRST_MS, _LAST_MS, _moment),
    Form.TIME: lambda values: _numbers(values, 0, _DAY_MS - 1, _time),
}
