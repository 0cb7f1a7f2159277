"""The one text of a value, whichever channel told it: Bulk's CSV, REST's JSON, an event's double.

A number has no exponent, and as many digits behind the point as its type has; one that has more keeps them, for the
contract to judge. What cannot be read stays as it came. Values in, values out.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

from ...base.types import ColumnType, Kind

_DIGITS_MAX = 400
"""Of a number as text. A double has no more before its point; a number that would need more is left as it is."""
_WHOLE = r"^(?:0|-?[1-9][0-9]*)$"
_SHORTEST = r"^(?:0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])$"
_ARROW_DIGITS = 38

NUMBERS = frozenset({Kind.INT64, Kind.DECIMAL, Kind.NUMERIC})


def plain_number(text: str, type_: ColumnType) -> str:
    """`1.0E7` as `10000000.00` where the type has two digits behind the point, as `10000000` where it does not say."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS_MAX:
        return text
    written = _shortest(number)
    scale = type_.scale if type_.kind is Kind.DECIMAL else 0
    lacking = scale - len(written.partition(".")[2])
    if lacking <= 0 or not scale:
        return written
    return f"{written}{'' if '.' in written else '.'}{'0' * lacking}"


def plain_moment(text: str) -> str:
    """`2024-05-01T10:20:30.000+0000` with a Z."""
    return f"{text[:-5]}Z" if text.endswith("+0000") else text


def plain_numbers(column: pa.ChunkedArray, type_: ColumnType) -> pa.ChunkedArray:
    """`plain_number` of a whole column of texts."""
    if type_.kind is Kind.DECIMAL:
        try:
            return decimals_as_text(pc.cast(column, pa.decimal128(_ARROW_DIGITS, type_.scale)), type_)
        except pa.ArrowInvalid:
            return _one_by_one(column, type_)
    pattern = _WHOLE if type_.kind is Kind.INT64 else _SHORTEST
    if pc.all(pc.match_substring_regex(column, pattern)).as_py() in (True, None):
        return column
    return _one_by_one(column, type_)


def decimals_as_text(column: pa.ChunkedArray, type_: ColumnType) -> pa.ChunkedArray:
    """Of numbers that have the type's scale already."""
    texts = pc.cast(column, pa.string())
    # Arrow writes what is very small with an exponent.
    return _one_by_one(texts, type_) if type_.scale > 6 and pc.any(pc.match_substring(texts, "E")).as_py() else texts


def plain_moments(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """`plain_moment` of a whole column."""
    if not pc.any(pc.ends_with(column, "+0000")).as_py():
        return column
    return pc.replace_substring_regex(column, r"\+0000$", "Z")


def plain_times(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """`10:20:30.000Z` without its Z: a time of day has no zone."""
    return pc.utf8_rtrim(column, "Z")


def _shortest(number: Decimal) -> str:
    written = format(number, "f")
    written = written.rstrip("0").rstrip(".") if "." in written else written
    return "0" if written in ("-0", "") else written


def _one_by_one(column: pa.ChunkedArray, type_: ColumnType) -> pa.ChunkedArray:
    """Each different value once."""
    found = pc.unique(column)
    plain = pa.array([None if text is None else plain_number(text, type_) for text in found.to_pylist()], pa.string())
    return pa.chunked_array([pc.take(plain, pc.index_in(column.combine_chunks(), found))], pa.string())
