"""Change events as an org writes them, for tests of what they come to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from tieout.base.types import ColumnType
from tieout.capture.salesforce.events.plan import Followed
from tieout.capture.salesforce.events.received import Received
from tieout.capture.salesforce.events.schema import SchemaCache

COMMIT_MS = 1_700_000_000_000
ADA, BOB = "006A0000006Vm9rIAC", "0065f00002JUXA8AAP"

_LISTS = ("recordIds", "nulledFields", "diffFields", "changedFields")
_TEXTS = ("entityName", "changeOrigin", "transactionKey", "commitUser")
CHANGES = (
    "CREATE", "UPDATE", "DELETE", "UNDELETE", "GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE", "GAP_OVERFLOW",
    "SNAPSHOT",
)  # fmt: skip


def header_type() -> dict[str, Any]:
    strings = {"type": "array", "items": "string"}
    fields: list[dict[str, Any]] = [{"name": name, "type": "string"} for name in _TEXTS]
    fields += [{"name": name, "type": strings} for name in _LISTS]
    fields += [{"name": "changeType", "type": {"type": "enum", "name": "ChangeType", "symbols": list(CHANGES)}}]
    fields += [{"name": "sequenceNumber", "type": "int"}]
    fields += [{"name": name, "type": "long"} for name in ("commitTimestamp", "commitNumber")]
    return {"type": "record", "name": "ChangeEventHeader", "fields": fields}


def schema_json(entity: str, fields: Mapping[str, Any]) -> str:
    """`fields` by name, each a type of Avro beside null."""
    name = f"{entity.removesuffix('c')}ChangeEvent" if entity.endswith("__c") else f"{entity}ChangeEvent"
    head = [{"name": "ChangeEventHeader", "type": header_type()}]
    body = [
        {"name": name, "type": ["null", *(type_ if isinstance(type_, list) else [type_])], "default": None}
        for name, type_ in fields.items()
    ]
    return json.dumps({"type": "record", "name": name, "namespace": "com.sforce.eventbus", "fields": head + body})


def compound(name: str, *parts: str) -> dict[str, Any]:
    fields = [{"name": part, "type": ["null", "string"], "default": None} for part in parts]
    return {"type": "record", "name": name, "fields": fields}


DEAL = {
    "Name": "string",
    "StageName": "string",
    "Amount": "double",
    "CloseDate": "long",
    "IsWon": "boolean",
    "Description": "string",
    "LastModifiedDate": "long",
}
DEAL_TYPES = {
    "Id": "text", "Name": "text", "StageName": "text", "Amount": "decimal(18,2)", "CloseDate": "date",
    "IsWon": "boolean", "Description": "text", "LastModifiedDate": "timestamptz",
}  # fmt: skip
PERSON = {
    "Name": compound("PersonName", "Salutation", "FirstName", "LastName"),
    "Email": "string",
    "MailingAddress": compound("Address", "Street", "City", "Country"),
    "OtherAddress": "Address",
}
SCHEMAS = {
    "deal-1": schema_json("Opportunity", DEAL),
    "deal-2": schema_json("Opportunity", {"New__c": "string", **DEAL}),
    "person": schema_json("Contact", PERSON),
    "account": schema_json("Account", {"Name": ["string", compound("Switchable", "FirstName", "LastName")]}),
    "desk": schema_json("Deal_Desk__c", {"Discount__c": "double"}),
    "no-header": json.dumps({"type": "record", "name": "Odd", "fields": [{"name": "a", "type": "long"}]}),
}
PERSON_NAMES = ("Salutation", "FirstName", "LastName")
CONTACT = ("Id", "Name", *PERSON_NAMES, "Email", "MailingStreet", "MailingCity", "MailingCountry", "OtherCity")


def followed(types: Mapping[str, str], *, derived: Sequence[str] = ()) -> Followed:
    return Followed({name: ColumnType.parse(type_) for name, type_ in types.items()}, frozenset(derived))


OBJECTS = {
    "opportunity": followed(DEAL_TYPES),
    "contact": followed(dict.fromkeys(CONTACT, "text")),
    "account": followed(dict.fromkeys(("Id", "Name", "FirstName", "LastName"), "text")),
}


def cache() -> SchemaCache:
    return SchemaCache(lambda schema_id: SCHEMAS[schema_id])


def bitmap(schema_id: str, *names: str) -> list[str]:
    """Fields of a schema by name, a part of a compound as `Compound.Part`."""
    fields = json.loads(SCHEMAS[schema_id])["fields"]
    tops = [field["name"] for field in fields]
    found: dict[int | None, int] = {}
    for name in names:
        top, _, part = name.partition(".")
        at = tops.index(top)
        if part:
            parts = [each["name"] for each in _record(fields, at)["fields"]]
            found[at] = found.get(at, 0) | 1 << parts.index(part)
        else:
            found[None] = found.get(None, 0) | 1 << at
    return [f"0x{bits:02X}" if at is None else f"{at}-0x{bits:02X}" for at, bits in found.items()]


def _record(fields: Sequence[Mapping[str, Any]], at: int) -> Mapping[str, Any]:
    branch = next(each for each in fields[at]["type"] if isinstance(each, dict) or each not in ("null", "string"))
    if isinstance(branch, dict):
        return branch
    return next(each for field in fields for each in field["type"] if isinstance(each, dict) and each["name"] == branch)


def event(
    change: str,
    *,
    schema_id: str = "deal-1",
    ids: Sequence[str] = (ADA,),
    changed: Sequence[str] = (),
    nulled: Sequence[str] = (),
    diffs: Sequence[str] = (),
    bitmaps: Mapping[str, list[str]] | None = None,
    commit_ms: int = COMMIT_MS,
    number: int = 1,
    rank: int = 1,
    replay_id: bytes = b"r1",
    **body: Any,
) -> Received:
    schema = json.loads(SCHEMAS[schema_id])
    entity = schema["name"].removesuffix("ChangeEvent")
    header = {
        **dict.fromkeys(_TEXTS, ""),
        "entityName": f"{entity}c" if entity.endswith("__") else entity,
        "recordIds": list(ids),
        "changeType": change,
        "sequenceNumber": rank,
        "commitTimestamp": commit_ms,
        "commitNumber": number,
        "changedFields": bitmap(schema_id, *changed),
        "nulledFields": bitmap(schema_id, *nulled),
        "diffFields": bitmap(schema_id, *diffs),
        **(bitmaps or {}),
    }
    return Received(schema_id, replay_id, payload(SCHEMAS[schema_id], {"ChangeEventHeader": header, **body}))


def payload(schema: str, record: Mapping[str, Any]) -> bytes:
    data = BytesIO()
    schemaless_writer(data, parse_schema(json.loads(schema)), record)
    return data.getvalue()
