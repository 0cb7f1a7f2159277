"""A contract as a ledger keeps it, so that there is one to judge by while its file cannot be read. Pure."""

from __future__ import annotations

import json

from ..base.codec import canonical_json
from ..base.stream import Stream
from ..base.types import Column, ColumnType
from .contract import Contract
from .odcs import digest
from .widening import keeps_key


def kept(contract: Contract) -> str:
    """All that `restored` needs, as text."""
    columns = [[column.name, str(column.type), column.required, column.physical] for column in contract.columns]
    told = {"columns": columns, "key": list(contract.key), "version": contract.version, "status": contract.status}
    return canonical_json({**told, "drift": contract.drift})


def restored(stream: Stream, text: str) -> Contract:
    told = json.loads(text)
    columns = tuple(
        Column(name, ColumnType.parse(type_), required, physical) for name, type_, required, physical in told["columns"]
    )
    key = tuple(told["key"])
    return Contract(stream, columns, key, told["version"], told["status"], digest(columns, key), told["drift"])


def has_key_of(contract: Contract, other: Contract) -> bool:
    """Whether a row has the same key under both."""
    pairs = list(zip(contract.key_columns, other.key_columns, strict=False))
    return contract.key == other.key and all(keeps_key(was.type, now.type) for now, was in pairs)
