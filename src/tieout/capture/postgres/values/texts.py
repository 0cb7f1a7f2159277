"""Bytes of the server become text by the column, not by the value; what is no UTF-8 is found and named.

Only a database without an encoding of its own (SQL_ASCII) can hold such bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa


def texts(held: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """A binary column as a string column. A value that is no UTF-8 becomes null; its row is told with the reason."""
    try:
        return held.cast(pa.string()), {}
    except pa.ArrowInvalid:
        values: list[bytes | None] = held.to_pylist()
    faults = {row: fault for row, value in enumerate(values) if value is not None and (fault := _fault(value))}
    return pa.array([None if row in faults else value for row, value in enumerate(values)], pa.string()), faults


def faults_column(faults: Sequence[tuple[str, dict[int, str]]], rows: int) -> pa.Array:
    """Of columns by name and what `texts` found in them: per row, null or its first fault."""
    if not any(found for _, found in faults):
        return pa.nulls(rows, pa.string())
    reasons: list[str | None] = [None] * rows
    for column, found in reversed(faults):
        for row, reason in found.items():
            reasons[row] = f"undecodable: column {column} {reason}"
    return pa.array(reasons, pa.string())


def _fault(value: bytes) -> str | None:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"holds bytes that are no UTF-8 (0x{value[error.start]:02x} at offset {error.start})"
    return None
