"""Which types hold all that others hold, so that a column can be widened where it stands and nothing is lost. Pure."""

from __future__ import annotations

from ..base.errors import Misconfigured
from ..base.types import ColumnType, Kind

_DIGITS = {Kind.INT16: 5, Kind.INT32: 10, Kind.INT64: 19}
"""Digits in all of the greatest whole number that each of them holds."""
_FLOATS = (Kind.FLOAT32, Kind.FLOAT64)


def widens(old: ColumnType, new: ColumnType) -> bool:
    """Whether every value of `old` is a value of `new`, exactly, and `new` holds more."""
    if old == new:
        return False
    if old.kind in _DIGITS and new.kind in _DIGITS:
        return _DIGITS[old.kind] < _DIGITS[new.kind]
    if new.kind is Kind.DECIMAL and old.kind in _DIGITS:
        return new.precision - new.scale >= _DIGITS[old.kind]
    if new.kind is Kind.DECIMAL and old.kind is Kind.DECIMAL:
        return new.scale >= old.scale and new.precision - new.scale >= old.precision - old.scale
    if new.kind is Kind.NUMERIC:  # of a decimal its text would hang on the way that it came: 1.5, 1.50
        return old.kind in _DIGITS
    return (old.kind, new.kind) == _FLOATS


def holds_all_of(new: ColumnType, engine_type: str) -> bool:
    """The same of a column in the warehouse, of which DuckDB's word is known: `FLOAT` is four bytes there."""
    try:
        old = ColumnType(Kind.FLOAT32) if engine_type == "FLOAT" else ColumnType.parse(engine_type)
    except Misconfigured:
        return False
    return widens(old, new)


def keeps_key(old: ColumnType, new: ColumnType) -> bool:
    """Whether the keys of rows stay what they are: their canonical text is the same under both types."""
    return old == new or (widens(old, new) and {old.kind, new.kind} <= _DIGITS.keys())
