"""The canonical key: what stands for a row everywhere, made of the values of its key's columns, in DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Mapping

from ..base.sql import Sql
from ..base.types import INTEGERS, ColumnType, Kind
from .contract import Contract

NEEDS_NO_ESCAPE = (*INTEGERS, Kind.BOOLEAN, Kind.UUID, Kind.DATE, Kind.DECIMAL)
"""Kinds whose text is the same within a JSON string."""


def canonical(type_: ColumnType, value: Sql) -> Sql:
    """The text of a value that is equal on every machine."""
    if type_.kind is Kind.BINARY:
        return Sql(f"('\\x' || lower(hex({value})))")
    return Sql(f"cast({value} as varchar)")


def key_text(contract: Contract, values: Mapping[str, Sql]) -> Sql:
    """A JSON array of the canonical texts of the key's values, which stand under these names."""
    texts = [canonical(column.type, values[column.name]) for column in contract.key_columns]
    if all(column.type.kind in NEEDS_NO_ESCAPE for column in contract.key_columns):
        return Sql("concat('[\"', " + ", '\",\"', ".join(texts) + ", '\"]')")
    return Sql("cast(to_json([" + ", ".join(texts) + "]) as varchar)")
