"""Values as text, as the embedded engine writes them: what is shown of two sides and held against a third is alike.

A warehouse elsewhere writes some of them otherwise, so its rows are brought here for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from ..base.sql import Sql, Statements, name, written
from .duckdb_file import connect

_COMMA = written(",")
_NOTHING = written("")
_PLACE = "_place"
_SQL = Statements("tieout.merge", "texts.sql")


def texts_of(rows: pa.Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Of each row its key, kind, fault, and the values of these columns."""
    return _asked(rows, _SQL("texts", columns=[name(column) for column in columns], comma=_COMMA, nothing=_NOTHING))


def written_of(rows: pa.Table, key: Sql) -> list[dict[str, Any]]:
    """Of each row, in their order, all its values by their columns' names, and `key`, which is made of some of them."""
    placed = rows.append_column(_PLACE, pa.array(range(rows.num_rows), pa.int64()))
    return _asked(
        placed, _SQL("written", columns=[name(one) for one in rows.column_names], key=key, place=name(_PLACE))
    )


def _asked(rows: pa.Table, statement: Sql) -> list[dict[str, Any]]:
    with closing(connect(None)) as connection:
        connection.register("rows", rows)
        found: list[dict[str, Any]] = connection.sql(statement).to_arrow_table().to_pylist()
        return found
