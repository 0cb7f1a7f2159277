"""Change events of Salesforce, of thirty fields each of which four changed, into a captured table; the floor decodes
the same bytes with fastavro and does nothing with them.

The guess, on paper. fastavro makes some fifty Python objects of an event: 20 CPU-us. Ours on top of it: which fields
its bitmaps name, from memory, 2; the id's last characters 5; the envelope and four values into lists 4; the columns
made of the lists 3. Half as much again as the floor: 1.5 to 1.7.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from random import Random
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from tieout.base.types import ColumnType
from tieout.capture.salesforce.events.lately import Lately
from tieout.capture.salesforce.events.plan import Followed
from tieout.capture.salesforce.events.received import Received
from tieout.capture.salesforce.events.schema import SchemaCache
from tieout.capture.salesforce.events.told import tables
from tieout.capture.salesforce.ids import to18

from .timing import Content, Pair, Trial, Watch

_KINDS = (
    ("string", "text", "Closed Won"),
    ("double", "decimal(18,2)", 1234.5),
    ("long", "timestamptz", 1_700_000_000_000),
)
_PATTERNS = 200
"""Of fields that change together: as many forms and automations."""
_BATCH = 1_000
_FIELDS = {f"Field_{number}__c": _KINDS[number % len(_KINDS)] for number in range(30)}
_STRINGS = {"type": "array", "items": "string"}
_HEADER = {
    "entityName": "string", "recordIds": _STRINGS,
    "changeType": {"type": "enum", "name": "Change", "symbols": ["UPDATE"]}, "changeOrigin": "string",
    "transactionKey": "string", "sequenceNumber": "int", "commitTimestamp": "long",
    "commitNumber": "long", "commitUser": "string", "nulledFields": _STRINGS, "diffFields": _STRINGS,
    "changedFields": _STRINGS,
}  # fmt: skip
_SCHEMA = {
    "type": "record",
    "name": "OpportunityChangeEvent",
    "fields": [
        {
            "name": "ChangeEventHeader",
            "type": {
                "type": "record",
                "name": "Header",
                "fields": [{"name": name, "type": type_} for name, type_ in _HEADER.items()],
            },
        },
        *({"name": name, "type": ["null", avro], "default": None} for name, (avro, _, _) in _FIELDS.items()),
    ],
}


@contextmanager
def _told(rows: int) -> Iterator[Trial]:
    schema = parse_schema(_SCHEMA)
    events = list(_events(rows, schema))
    objects = {"opportunity": Followed({name: ColumnType.parse(type_) for name, (_, type_, _) in _FIELDS.items()})}
    schemas = SchemaCache(lambda _: json.dumps(_SCHEMA))

    def subject(watch: Watch) -> Content:
        lately, count = Lately(), 0
        with watch:
            for start in range(0, len(events), _BATCH):
                told = tables(events[start : start + _BATCH], schemas, objects, lately=lately)
                lately, count = told.lately, count + told.tables["opportunity"].num_rows
        return (count,)

    def floor(watch: Watch) -> Content:
        count = 0
        with watch:
            for event in events:
                schemaless_reader(BytesIO(event.payload), schema, None)
                count += 1
        return (count,)

    yield Trial(subject, floor)


def _events(count: int, schema: Any) -> Iterator[Received]:
    dice = Random(1)
    names = list(_FIELDS)
    patterns = [dice.sample(range(len(names)), 4) for _ in range(_PATTERNS)]
    for number in range(count):
        changed = dice.choice(patterns)
        header = {
            "entityName": "Opportunity", "recordIds": [to18(f"0065f{number:010d}")], "changeType": "UPDATE",
            "changeOrigin": "com/salesforce/api/rest/62.0;client=web", "transactionKey": "0000c1a2-5d1e-7b0e",
            "sequenceNumber": 1, "commitTimestamp": 1_700_000_000_000 + number, "commitNumber": number,
            "commitUser": "0055f000005mc66AAA", "nulledFields": [], "diffFields": [],
            "changedFields": [f"0x{sum(2 << at for at in changed):X}"],
        }  # fmt: skip
        data = BytesIO()
        values = {names[at]: _FIELDS[names[at]][2] for at in changed}
        schemaless_writer(data, schema, {"ChangeEventHeader": header, **values})
        yield Received("schema", b"", data.getvalue())


PAIRS = (Pair("events", 50_000, 1.6, "fastavro's decoding of the same bytes", _told),)
