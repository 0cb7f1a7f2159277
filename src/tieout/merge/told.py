"""From a judged table to the rule's `Change`s, one Python object a row: for proofs, not for the hot path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from ..base.change import Kind
from ..base.order import MOMENT_WIDTH, Class
from .rule import LIFE, Change

_COUNTS = {
    pa.date32(): pa.int32(),
    pa.time64("us"): pa.int64(),
    pa.timestamp("us"): pa.int64(),
    pa.timestamp("us", tz="UTC"): pa.int64(),
}


def changes_of(judged: pa.Table) -> Iterator[Change]:
    """What the rows of a batch say. A faulty row says nothing, but a read of a readable key: that the key is alive."""
    for row in counted(judged).to_pylist():
        if (change := change_of(row)) is not None:
            yield change


def change_of(row: Mapping[str, Any]) -> Change | None:
    """The same of one row, its moments counted."""
    kind = Kind(row["_kind"])
    if row["_fault"] is None:
        if kind is Kind.MARK:
            return None
        fields = {name: row[name] for name in json.loads(row["_cover"]) if name in row}
        return Change(row["_key"], kind, fields, row["_order"])
    if is_witness(row["_key"], kind, row["_order"]):
        return Change(row["_key"], Kind.UNDELETE, {}, row["_order"], is_witness=True)
    return None


def counted(judged: pa.Table) -> pa.Table:
    """The table with its moments as the numbers underneath: Python's own end at the year 9999, and know no infinity."""
    return judged.cast(
        pa.schema([pa.field(field.name, _COUNTS.get(field.type, field.type)) for field in judged.schema])
    )


def is_witness(key: str | None, kind: Kind, token: str | None) -> bool:
    """Whether a faulty row still tells that its key lives: no sweep may kill a row because we cannot read it."""
    if key is None or token is None or not LIFE.get(kind):
        return False
    return token[MOMENT_WIDTH] == str(int(Class.READ))
