"""What a column of JSON texts shows of its type: as narrow as all of its values allow. Pure."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from ..base.types import Column, ColumnType, Kind

_SORTS = (
    (Kind.TEXT, r'^"'),
    (Kind.BOOLEAN, r"^(true|false)$"),
    (Kind.INT64, r"^-?[0-9]{1,18}$"),
    (Kind.NUMERIC, r"^-?[0-9.eE+-]+$"),
)


def shown_in(name: str, texts: pa.ChunkedArray) -> Column:
    """The column of these values. Where none but null is told, it is text: the next value may be anything."""
    told = texts.drop_null()
    told = told.filter(pc.not_equal(told, "null"))
    for kind, pattern in _SORTS:
        if pc.all(pc.match_substring_regex(told, pattern), min_count=0).as_py():
            return Column(name, ColumnType(kind), physical=kind.value)
    return Column(name, ColumnType(Kind.JSON), physical=Kind.JSON.value)
