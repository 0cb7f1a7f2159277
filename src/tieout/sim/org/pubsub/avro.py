"""The Avro schema of an entity's change events, and events written by it.

Field 0 is the header; each other field may be null, and a compound field holds its parts in a record of its own. A
record holds what its change tells: an update the changed fields, a deletion nothing, else what is not empty.
"""

from __future__ import annotations

import io
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import time
from hashlib import blake2b
from typing import Any

import fastavro

from ..events import ChangeEvent
from ..schema import DECIMALS, Field, Stored
from ..values import epoch_ms
from .bitmaps import Seat, bitmaps, emptied

_NAMESPACE = "com.sforce.eventbus"

_CHANGE_TYPES = (
    "CREATE", "UPDATE", "DELETE", "UNDELETE",
    "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW", "SNAPSHOT",
)  # fmt: skip

_HEADER: Mapping[str, Any] = {
    "entityName": "string",
    "recordIds": {"type": "array", "items": "string"},
    "changeType": {"type": "enum", "name": "ChangeType", "symbols": list(_CHANGE_TYPES)},
    "changeOrigin": "string",
    "transactionKey": "string",
    "sequenceNumber": "int",
    "commitTimestamp": "long",
    "commitNumber": "long",
    "commitUser": "string",
    "nulledFields": {"type": "array", "items": "string"},
    "diffFields": {"type": "array", "items": "string"},
    "changedFields": {"type": "array", "items": "string"},
}

_PERSON = ("Salutation", "FirstName", "LastName")
_ADDRESS = ("Street", "City", "State", "PostalCode", "Country")
_ADDRESS_SUFFIX = "Address"

_AVRO = {
    "boolean": "boolean", "int": "int", "long": "long", "date": "long", "datetime": "long", "time": "long",
    **dict.fromkeys(DECIMALS, "double"),
}  # fmt: skip


def event_name(entity: str) -> str:
    """`AccountChangeEvent`, `Deal_Desk__ChangeEvent`: the name of the record, and of the topic behind `/data/`."""
    return f"{entity.removesuffix('c')}ChangeEvent" if entity.endswith("__c") else f"{entity}ChangeEvent"


class EventSchema:
    """One version of an entity's events. `fields` are those of `SObject.event_fields`; `org` is an org's id, so that no
    two orgs have a schema id in common."""

    def __init__(self, org: str, entity: str, version: int, fields: Sequence[Field]) -> None:
        self.entity = entity
        self._seats: dict[str, Seat] = {}
        self._places: dict[str, tuple[str, str | None, Callable[[Stored], Any]]] = {}
        self._in_use: dict[int, frozenset[int]] = {}
        described = self._laid_out(fields)
        self.json = json.dumps(described, separators=(",", ":"))
        self._parsed = fastavro.parse_schema(described)
        digest = blake2b(f"{org} {entity} {version} {self.json}".encode(), digest_size=16).digest()
        self.id = urlsafe_b64encode(digest).decode().rstrip("=")

    def encode(self, event: ChangeEvent) -> bytes:
        """The event's bare Avro."""
        nulled = self._seats_of(event.nulled)
        whole = emptied(nulled, self._in_use) if nulled else frozenset()
        header = {
            "entityName": event.entity,
            "recordIds": event.record_ids,
            "changeType": event.change_type,
            "changeOrigin": event.change_origin,
            "transactionKey": event.transaction_key,
            "sequenceNumber": event.sequence_number,
            "commitTimestamp": event.commit_timestamp_ms,
            "commitNumber": event.commit_number,
            "commitUser": event.commit_user,
            "nulledFields": bitmaps(nulled, whole),
            "diffFields": bitmaps(self._seats_of(event.diffed)),
            "changedFields": bitmaps(self._seats_of(event.changed), whole),
        }
        out = io.BytesIO()
        fastavro.schemaless_writer(out, self._parsed, {"ChangeEventHeader": header, **self._body(event)})
        return out.getvalue()

    def _laid_out(self, fields: Sequence[Field]) -> dict[str, Any]:
        """The schema, while each field's seat is noted."""
        header = [{"name": name, "type": kind} for name, kind in _HEADER.items()]
        described: list[dict[str, Any]] = [
            {
                "name": "ChangeEventHeader",
                "type": {"type": "record", "name": "ChangeEventHeader", "namespace": _NAMESPACE, "fields": header},
            }
        ]
        records: set[str] = set()
        for field in fields:
            if field.compound is None:
                self._seat(field, len(described), None, field.name, None)
                described.append({"name": field.name, "type": _kind(field, self.entity, records), "default": None})
            elif not any(each["name"] == field.compound for each in described):
                parts = [each for each in fields if each.compound == field.compound]
                described.append(self._compound(field.compound, parts, len(described), records))
        return {"type": "record", "name": event_name(self.entity), "namespace": _NAMESPACE, "fields": described}

    def _compound(self, name: str, parts: Sequence[Field], position: int, records: set[str]) -> dict[str, Any]:
        """The nested field. A person's name and an address have all their parts, of which an org may use a few."""
        record, children = _record_of(name, parts)
        for part in parts:
            child = _child_name(name, part.name)
            self._seat(part, position, children.index(child), name, child)
        self._in_use[position] = frozenset(children.index(_child_name(name, part.name)) for part in parts)
        return {"name": name, "type": ["null", _defined(record, children, records)], "default": None}

    def _seat(self, field: Field, position: int, child: int | None, top: str, inside: str | None) -> None:
        self._seats[field.name] = (position, child)
        self._places[field.name] = (top, inside, _conversion(field.type))

    def _body(self, event: ChangeEvent) -> dict[str, Any]:
        if event.change_type not in ("CREATE", "UPDATE", "UNDELETE"):
            return {}
        body: dict[str, Any] = {}
        for name, value in event.values.items():
            place = self._places.get(name)
            if value is None or place is None or (event.change_type == "UPDATE" and name not in event.changed):
                continue
            top, inside, convert = place
            if inside is None:
                body[top] = convert(value)
            else:
                body.setdefault(top, {})[inside] = convert(value)
        return body

    def _seats_of(self, names: Iterable[str]) -> list[Seat]:
        return [seat for name in names if (seat := self._seats.get(name)) is not None]


def _kind(field: Field, entity: str, records: set[str]) -> list[Any]:
    """An account's name may be a person's, so its schema has room for one."""
    if entity == "Account" and field.name == "Name":
        return ["null", "string", _defined("Switchable_PersonName", _PERSON, records)]
    return ["null", _AVRO.get(field.type, "string")]


def _record_of(compound: str, parts: Sequence[Field]) -> tuple[str, Sequence[str]]:
    """The name of the nested record, and its children."""
    if compound == "Name":
        return "PersonName", _PERSON
    if compound.endswith(_ADDRESS_SUFFIX):
        return _ADDRESS_SUFFIX, _ADDRESS
    return compound, [part.name for part in parts]


def _child_name(compound: str, part: str) -> str:
    """`City` for `BillingCity` in `BillingAddress`."""
    return part.removeprefix(compound.removesuffix(_ADDRESS_SUFFIX)) if compound.endswith(_ADDRESS_SUFFIX) else part


def _defined(record: str, children: Sequence[str], records: set[str]) -> Any:
    """A record is written out where it first stands; from then on its name is enough."""
    full = f"{_NAMESPACE}.{record}"
    if record in records:
        return full
    records.add(record)
    fields = [{"name": child, "type": ["null", "string"], "default": None} for child in children]
    return {"type": "record", "name": record, "namespace": _NAMESPACE, "fields": fields}


def _conversion(kind: str) -> Callable[[Stored], Any]:
    if kind in DECIMALS:
        return lambda value: float(str(value))
    if kind == "boolean":
        return bool
    if kind in ("int", "long"):
        return lambda value: int(str(value))
    if kind in ("date", "datetime"):
        return lambda value: epoch_ms(str(value))
    return (lambda value: _time_ms(str(value))) if kind == "time" else str


def _time_ms(text: str) -> int:
    at = time.fromisoformat(text.removesuffix("Z"))
    return ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000
