"""The schema by which one event was written: its fields, by the names that queries give them.

It never changes, so it is asked for once. A field that an administrator adds makes another schema, and both may stand
beside each other on one topic.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastavro import parse_schema
from fastavro.schema import SchemaParseException, UnknownType

from ....base.errors import Rejected
from .bitmap import Place

HEADER = "ChangeEventHeader"
_HEADER_NEEDS = frozenset(
    {"entityName", "recordIds", "changeType", "commitTimestamp", "commitNumber", "sequenceNumber"}
    | {"changedFields", "nulledFields"}
)
_SUFFIX = "ChangeEvent"
_NAMESPACE = "com.sforce.eventbus"
_SCALARS = frozenset({"string", "boolean", "int", "long", "float", "double"})
_SCHEMAS_MAX = 1_000
"""Remembered at once. An org has one for each entity, and one more for each change of it within three days."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A field with a value of its own.

    column  the name that a query knows it by
    top     the event's field in which it stands; `part` its name there, if that is a compound
    avro    the type that holds its value; an enumeration is a "string"
    """

    column: str
    top: str
    part: str | None
    avro: str


@dataclass(frozen=True, slots=True, eq=False)
class EventSchema:
    """entity  the object of which it tells, as its name says it: `Deal_Desk__c`
    head    for the bytes up to the end of the header; `body` for those behind
    tops    the names of the fields, in their order
    leaves  of each field, and of each part of a compound, what stands there; a compound's place has all of its parts
    switchable  fields that are either a compound or a plain value, row by row
    """

    schema_id: str
    entity: str
    head: Any
    body: Any
    tops: tuple[str, ...]
    leaves: Mapping[Place, tuple[Leaf, ...]]
    switchable: frozenset[str]

    @classmethod
    def of(cls, schema_id: str, schema_json: str) -> EventSchema:
        """Raises Rejected for what is no schema of a change event."""
        try:
            record = json.loads(schema_json)
            named = _named(record)
            fields = [_Field.of(each, named) for each in record["fields"]]
            at = [each.name for each in fields].index(HEADER)
            known: dict[str, Any] = {}
            head = parse_schema(_part(record, "Head", record["fields"][: at + 1]), known)
            body = parse_schema(_part(record, "Body", record["fields"][at + 1 :]), known)
            lacking = _HEADER_NEEDS - {each["name"] for each in _bare(record["fields"][at]["type"])["fields"]}
        except (ValueError, KeyError, TypeError, AttributeError, SchemaParseException, UnknownType) as error:
            raise Rejected(f"bad_schema: {schema_id} is no schema of a change event ({error})") from error
        if lacking:
            raise Rejected(f"bad_schema: the header of {schema_id} lacks {', '.join(sorted(lacking))}")
        switchable = frozenset(each.name for each in fields if each.plain and each.parts)
        tops = tuple(each.name for each in fields)
        return cls(schema_id, _entity(record["name"]), head, body, tops, _leaves(fields), switchable)

    def at(self, place: Place) -> tuple[Leaf, ...]:
        """What stands there; nothing where its value is of a kind that no column holds. Raises Rejected for a place
        that the schema does not have."""
        if (found := self.leaves.get(place)) is None:
            raise Rejected(f"bad_bitmap: {self.schema_id} has no field {place[0]}, part {place[1]}")
        return found

    @property
    def columns(self) -> frozenset[str]:
        """All that its events can carry. What a description has besides, no event tells."""
        return frozenset(leaf.column for leaves in self.leaves.values() for leaf in leaves)

    @property
    def own_columns(self) -> frozenset[str]:
        """Without the parts of a standard compound: it always has all of them, of which an org may use few."""
        return frozenset(
            leaf.column
            for leaves in self.leaves.values()
            for leaf in leaves
            if leaf.part is None or leaf.top.endswith("__c")
        )


@dataclass(frozen=True, slots=True)
class _Field:
    """`plain` is the type of a value of its own, None where it has none; `parts` the fields of a compound."""

    name: str
    plain: str | None
    parts: tuple[_Field, ...] = ()

    @classmethod
    def of(cls, said: Mapping[str, Any], named: Mapping[str, Any]) -> _Field:
        if said["name"] == HEADER:
            return cls(HEADER, None)
        branches = said["type"] if isinstance(said["type"], list) else [said["type"]]
        known = [named.get(each, each) if isinstance(each, str) else each for each in branches]
        plain = [avro for each in known if (avro := _plain(each)) is not None]
        compounds = [each for each in known if isinstance(each, dict) and each["type"] == "record"]
        parts = tuple(cls.of(part, named) for part in compounds[0]["fields"]) if compounds else ()
        return cls(str(said["name"]), plain[0] if plain else None, parts)


def _plain(said: Any) -> str | None:
    if isinstance(said, dict):
        if said["type"] == "enum":
            return "string"
        return "date" if said.get("logicalType") == "date" else _plain(said["type"])
    return said if isinstance(said, str) and said in _SCALARS else None


def _named(said: Any) -> dict[str, Any]:
    """The types that have a name, by it: a later field may use it in place of the type."""
    if isinstance(said, list):
        return {name: type_ for each in said for name, type_ in _named(each).items()}
    if not isinstance(said, dict):
        return {}
    found = {name: type_ for value in said.values() for name, type_ in _named(value).items()}
    if said.get("type") in ("record", "enum"):
        short, space = str(said["name"]).rpartition(".")[2], said.get("namespace", _NAMESPACE)
        found |= {short: said, str(said["name"]): said, f"{space}.{short}": said}
    return found


def _bare(said: Any) -> Any:
    """A type without the null beside it."""
    if isinstance(said, list):
        others = [each for each in said if each != "null"]
        return others[0] if len(others) == 1 else said
    return said


def _part(record: Mapping[str, Any], suffix: str, fields: list[Any]) -> dict[str, Any]:
    return {"type": "record", "name": f"{record['name']}{suffix}", "namespace": record.get("namespace", ""),
            "fields": [_without_logical(each) for each in fields]}  # fmt: skip


def _without_logical(said: Any) -> Any:
    """Numbers stay numbers: the column's own type says what they mean, and a column at a time is faster."""
    if isinstance(said, dict):
        return {name: _without_logical(value) for name, value in said.items() if name != "logicalType"}
    return [_without_logical(each) for each in said] if isinstance(said, list) else said


def _entity(name: str) -> str:
    bare = name.rpartition(".")[2].removesuffix(_SUFFIX)
    return f"{bare}c" if bare.endswith("__") else bare


def _leaves(fields: list[_Field]) -> dict[Place, tuple[Leaf, ...]]:
    found: dict[Place, tuple[Leaf, ...]] = {}
    for at, top in enumerate(fields):
        own = (Leaf(top.name, top.name, None, top.plain),) if top.plain else ()
        parts = [_leaf(top.name, part) for part in top.parts]
        found |= {(at, child): leaves for child, leaves in enumerate(parts)}
        found[at, None] = (*own, *(leaf for leaves in parts for leaf in leaves))
    return found


def _leaf(top: str, part: _Field) -> tuple[Leaf, ...]:
    return (Leaf(column(top, part.name), top, part.name, part.plain),) if part.plain else ()


def column(compound: str, part: str) -> str:
    """The name by which a query knows a part of a compound: `BillingStreet`, `FirstName`, `Site__Latitude__s`."""
    if compound == "Name":
        return part
    if compound.endswith("__c"):
        return f"{compound.removesuffix('c')}{part}__s"
    return f"{compound.removesuffix('Address')}{part}"


class SchemaCache:
    """`fetch` asks the org for a schema's text by its id; whatever it raises passes through, and it is asked again."""

    def __init__(self, fetch: Callable[[str], str]) -> None:
        self._fetch = fetch
        self._known: dict[str, EventSchema] = {}

    def of(self, schema_id: str) -> EventSchema:
        """Raises Rejected where the org names a schema that no change event is written by."""
        found = self._known.get(schema_id)
        if found is None:
            if len(self._known) >= _SCHEMAS_MAX:
                self._known.clear()
            found = self._known[schema_id] = EventSchema.of(schema_id, self._fetch(schema_id))
        return found
