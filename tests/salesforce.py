"""An object of an org as `describe` tells it, and a row of it as each channel writes it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tieout.capture.salesforce.describe import SObject

NUMBERS = frozenset({"currency", "percent", "double", "int", "long"})

FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "Id", "type": "id", "length": 18},
    {"name": "IsDeleted", "type": "boolean"},
    {"name": "AccountId", "type": "reference", "referenceTo": ["Account"], "length": 18, "nillable": True},
    {"name": "Name", "type": "string", "length": 120, "createable": True},
    {"name": "Amount", "type": "currency", "precision": 18, "scale": 2, "nillable": True},
    {"name": "Weight__c", "type": "double", "precision": 0, "scale": 0, "nillable": True},
    {"name": "Tiny__c", "type": "double", "precision": 18, "scale": 12, "nillable": True},
    {"name": "Seats__c", "type": "int", "digits": 9, "nillable": True},
    {"name": "CloseDate", "type": "date"},
    {"name": "Approved_At__c", "type": "datetime", "nillable": True},
    {"name": "Opens_At__c", "type": "time", "nillable": True},
    {"name": "Description", "type": "textarea", "length": 32000, "nillable": True},
    {"name": "SystemModstamp", "type": "datetime"},
)


def described(fields: Sequence[Mapping[str, Any]] = FIELDS, **more: Any) -> dict[str, Any]:
    """As the org answers."""
    return {"name": "Opportunity", "label": "Opportunity", "keyPrefix": "006", "fields": list(fields), **more}


OPPORTUNITY = SObject.of(described())

ROW: dict[str, Any] = {
    "Id": "0065f00002JUXA8AAP",
    "IsDeleted": False,
    "AccountId": None,
    "Name": "Meyer & Söhne",
    "Amount": "45000.00",
    "Weight__c": "12.5",
    "Tiny__c": "0.000000000001",
    "Seats__c": 7,
    "CloseDate": "2026-05-31",
    "Approved_At__c": "2026-05-01T10:20:30.000Z",
    "Opens_At__c": "10:20:30.000Z",
    "Description": None,
    "SystemModstamp": "2026-05-01T10:20:30.000Z",
}
"""In Bulk's words, numbers as they are written there."""


def bulk(rows: Sequence[Mapping[str, Any]], fields: SObject = OPPORTUNITY) -> bytes:
    """A page of Bulk's: everything quoted, null as the empty text."""
    page = io.StringIO()
    writer = csv.writer(page, quoting=csv.QUOTE_ALL, lineterminator="\n")
    there = [field.name for field in fields.fields if not rows or field.name in rows[0]]
    writer.writerow(there)
    writer.writerows([_cell(row[name]) for name in there] for row in rows)
    return page.getvalue().encode()


def _cell(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def rest(rows: Sequence[Mapping[str, Any]], fields: SObject = OPPORTUNITY) -> bytes:
    """An answer of REST's: numbers bare, and moments with an offset."""
    words = {field.name: field.word for field in fields.fields}
    records = ",".join(_record(row, words) for row in rows)
    return f'{{"totalSize":{len(rows)},"done":true,"records":[{records}]}}'.encode()


def _record(row: Mapping[str, Any], words: Mapping[str, str]) -> str:
    told = [f"{json.dumps(name)}:{_json(value, words[name])}" for name, value in row.items()]
    inside = ",".join(['"attributes":{"type":"Opportunity"}', *told])
    return f"{{{inside}}}"


def _json(value: Any, word: str) -> str:
    if value is not None and word in NUMBERS:
        return str(value)
    if value is not None and word == "datetime":
        return json.dumps(str(value).replace("Z", "+0000"))
    return json.dumps(value)


NOON = datetime(2026, 5, 2, 12, tzinfo=UTC)


class Clock:
    """Stands still, but where somebody sleeps."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)
