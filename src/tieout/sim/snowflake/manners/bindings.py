"""Values bound to a statement, which come over the wire as text with a type."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1)


def read(bindings: Mapping[str, Mapping[str, Any]]) -> tuple[Any, list[list[Any]] | None]:
    """The values of one statement, by name or in order; or, for an array binding, those of each row."""
    if not all(key.isdigit() for key in bindings):
        return {name: value(b["type"], b["value"]) for name, b in bindings.items()}, None
    ordered = [bindings[str(at)] for at in range(1, len(bindings) + 1)]
    if any(isinstance(b["value"], list) for b in ordered):
        columns = [[value(b["type"], each) for each in b["value"]] for b in ordered]
        return None, [list(row) for row in zip(*columns, strict=True)]
    return [value(b["type"], b["value"]) for b in ordered], None


def value(kind: str, text: Any) -> Any:
    if text is None:
        return None
    if kind == "FIXED":
        return Decimal(text) if "." in text or "E" in text.upper() else int(text)
    if kind == "REAL":
        return float(text)
    if kind == "BOOLEAN":
        return text.lower() == "true"
    if kind == "BINARY":
        return bytes.fromhex(text)
    if kind == "DATE":
        return (_EPOCH + datetime.timedelta(milliseconds=int(text))).date()
    if kind == "TIME":
        return (_EPOCH + datetime.timedelta(microseconds=int(text) // 1000)).time()
    return _moment(kind, text) if kind.startswith("TIMESTAMP") else text


def _moment(kind: str, text: str) -> datetime.datetime:
    """Nanoseconds since 1970, and for TIMESTAMP_TZ the minutes of the zone behind a space."""
    nanoseconds = int(text.split(" ")[0])
    moment = _EPOCH + datetime.timedelta(microseconds=nanoseconds // 1000)
    return moment if kind == "TIMESTAMP_NTZ" else moment.replace(tzinfo=datetime.UTC)
