"""A contract's document, Open Data Contract Standard 3.1: read into a `Contract`, drafted from a source's catalogue.

The standard's own model says what may stand in it, and this module what we need of it. Of a column's two types the
physical one wins where we know the word; otherwise the logical one decides, by the table `_LOGICAL`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty, ServiceLevelAgreementProperty

from ..base import form, yamlfile
from ..base.codec import canonical_json, sha256_hex
from ..base.duration import ALLOWED, seconds_of
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..base.types import Column, ColumnType, Described, Kind
from ..base.yamlfile import Document, Place, descend, nearest
from .calendar import Calendar, calendar_of
from .contract import Contract
from .drift import Policy
from .owner import owner_of
from .promise import ABOUT, SECONDS, Promise

API_VERSION = "v3.1.0"
_API_VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", API_VERSION)
"""Versions whose documents mean the same in all that we read of them."""

_NEEDED = ("apiVersion", "kind", "id", "name", "version", "status", "schema")

_LOGICAL = {
    "string": ColumnType(Kind.TEXT),
    "integer": ColumnType(Kind.INT64),
    # A number whose digits nobody has promised is kept as exact text; "double" is for whoever asks for it by name.
    "number": ColumnType(Kind.NUMERIC),
    "boolean": ColumnType(Kind.BOOLEAN),
    "date": ColumnType(Kind.DATE),
    "timestamp": ColumnType(Kind.TIMESTAMPTZ),
    "time": ColumnType(Kind.TIME),
    "object": ColumnType(Kind.JSON),
    "array": ColumnType(Kind.JSON),
}

_LOGICAL_OF = {
    Kind.BOOLEAN: "boolean",
    Kind.INT16: "integer",
    Kind.INT32: "integer",
    Kind.INT64: "integer",
    Kind.DECIMAL: "number",
    Kind.NUMERIC: "number",
    Kind.FLOAT32: "number",
    Kind.FLOAT64: "number",
    Kind.TEXT: "string",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.TIMESTAMP: "timestamp",
    Kind.TIMESTAMPTZ: "timestamp",
    Kind.UUID: "string",
    Kind.JSON: "object",
    Kind.BINARY: "string",
}

_NO_POSITION = (None, -1)
"""What the standard calls the absence of a primaryKeyPosition."""

_SOURCE_TYPE = "sourceType"
"""The custom property with the source's own word for a type, where physicalType has to say another."""

_DRIFT = "drift"
"""The custom property of a document that says what is done when the source changes its columns."""

_QUARANTINE = "quarantine"
"""The custom property of a document that says how long one of its rows may wait in quarantine."""

_EXCEPTIONAL = "exceptional_days"
"""The custom property of a document that names days which are unlike others."""

_DRAFTED = "drafted"
"""The custom property of a draft that says which columns it was written with: edited by people, it has others."""

_HEADING = """\
# Drafted from what the source says of itself, or has shown so far. What stands here decides how rows are understood:
# review it, then write `status: active`.
"""


class Writer(yaml.SafeDumper):
    """PyYAML, but for text with the three line breaks of Unicode: it puts them into single quotes, which fold them."""


def _text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(break_ in text for break_ in "\x85\u2028\u2029") else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Writer.add_representer(str, _text)


def find(root: Path, stream: Stream) -> Path:
    """Where the contract of `stream` stands in a project's folder, or would."""
    return root / "contracts" / stream.source / f"{stream.object}.yaml"


def load(path: Path, stream: Stream) -> Contract:
    """The contract in the file. Raises Misconfigured for the first thing in it that is wrong or missing."""
    document = yamlfile.load(path)
    standard = form.read(OpenDataContractStandard, document)
    _check_head(document, standard)
    place: Place = ("schema", 0, "properties")
    properties = standard.schema_[0].properties if standard.schema_ else None
    if not properties:
        raise document.wrong(place, "is missing.", hint="Write one entry with name and logicalType for each column.")
    columns = tuple(_column(document, (*place, index), entry) for index, entry in enumerate(properties))
    key, promises = _key(document, place, properties), _promises(document, standard)
    try:
        return Contract(
            stream=stream,
            columns=columns,
            key=key,
            version=str(standard.version),
            status=str(standard.status),
            digest=digest(columns, key),
            drift=_drift(document, standard),
            promises=promises,
            owner=owner_of(standard.team, standard.support),
            quarantine_seconds=_quarantine(document, standard),
            exceptional=_exceptional(document, standard),
            is_as_drafted=_drafted(standard) == digest(columns, key),
        )
    except Misconfigured as error:
        raise document.wrong(place, f"do not make a contract: {error.message}", hint=error.hint) from error


def draft(stream: Stream, described: Described) -> str:
    """A document that loads to what the source's catalogue describes, for people to review."""
    document = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": str(stream),
        "name": stream.object,
        "version": "0.1.0",
        "status": "draft",
        "customProperties": [{"property": _DRAFTED, "value": digest(described.columns, described.key)}],
        **({"description": {"limitations": described.note}} if described.note else {}),
        "schema": [
            {
                "name": stream.object,
                "properties": [property_of(column, described.key) for column in described.columns],
            }
        ],
    }
    return _HEADING + yaml.dump(document, Dumper=Writer, sort_keys=False, allow_unicode=True, width=120)


def digest(columns: Sequence[Column], key: Sequence[str]) -> str:
    """SHA-256 of what decides how a row is understood. A column's word in the source is not of it."""
    meaning = {"columns": [[column.name, str(column.type), column.required] for column in columns], "key": list(key)}
    return sha256_hex(canonical_json(meaning).encode())


def _check_head(document: Document, standard: OpenDataContractStandard) -> None:
    for name in _NEEDED:
        if document.content.get(name) is None:
            raise document.wrong((name,), "is missing.")
    if standard.apiVersion not in _API_VERSIONS:
        found = document.found(("apiVersion",))
        raise document.wrong(("apiVersion",), f"is {found}; allowed: {', '.join(_API_VERSIONS)}.")
    if standard.kind != "DataContract":
        raise document.wrong(("kind",), f"is {document.found(('kind',))}; allowed: DataContract.")
    if len(standard.schema_ or ()) != 1:
        raise document.wrong(
            ("schema",), f"has {len(standard.schema_ or ())} entries; write one, for this stream's rows."
        )


def _drift(document: Document, standard: OpenDataContractStandard) -> str:
    for index, custom in enumerate(standard.customProperties or ()):
        if custom.property == _DRIFT:
            if custom.value not in list(Policy):
                place: Place = ("customProperties", index, "value")
                raise document.wrong(place, f"is {document.found(place)}; allowed: {', '.join(Policy)}.")
            return str(custom.value)
    return ""


def _quarantine(document: Document, standard: OpenDataContractStandard) -> int | None:
    for index, custom in enumerate(standard.customProperties or ()):
        if custom.property == _QUARANTINE:
            try:
                return seconds_of(str(custom.value))
            except ValueError as error:
                place: Place = ("customProperties", index)
                found = _found(document, place, "value")
                raise document.wrong((*place, "value"), f"is {found}; write {ALLOWED}.") from error
    return None


def _exceptional(document: Document, standard: OpenDataContractStandard) -> Calendar:
    for index, custom in enumerate(standard.customProperties or ()):
        if custom.property == _EXCEPTIONAL:
            words = custom.value if isinstance(custom.value, list) else [custom.value]
            try:
                return calendar_of(str(word) for word in words)
            except ValueError as error:
                place: Place = ("customProperties", index, "value")
                raise document.wrong(place, str(error)) from error
    return Calendar()


def _promises(document: Document, standard: OpenDataContractStandard) -> tuple[Promise, ...]:
    """Those about time; what else the owner promises is not ours to judge."""
    promises = []
    for index, one in enumerate(standard.slaProperties or ()):
        about = ABOUT.get((one.property or "").lower())
        if about is not None:
            promises.append(Promise(about, _seconds(document, ("slaProperties", index), one)))
    return tuple(promises)


def _seconds(document: Document, place: Place, promised: ServiceLevelAgreementProperty) -> float:
    value, unit = promised.value, promised.unit
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < inf:
        raise document.wrong((*place, "value"), f"is {_found(document, place, 'value')}; write a number above 0.")
    if unit is None or unit.lower() not in SECONDS:
        found, hint = _found(document, place, "unit"), nearest(unit, SECONDS)
        raise document.wrong((*place, "unit"), f"is {found}; allowed: {', '.join(SECONDS)}.", hint=hint)
    return value * SECONDS[unit.lower()]


def _found(document: Document, place: Place, name: str) -> str:
    return document.found((*place, name)) if name in descend(document.written, place) else "missing"


def _drafted(standard: OpenDataContractStandard) -> str:
    return next((str(one.value) for one in standard.customProperties or () if one.property == _DRAFTED), "")


def _column(document: Document, place: Place, entry: SchemaProperty) -> Column:
    if not entry.name:
        raise document.wrong((*place, "name"), "is missing.")
    return Column(
        name=entry.name,
        type=_type(document, place, entry),
        required=bool(entry.required),
        physical=_source_type(entry) or entry.physicalType or "",
    )


def _type(document: Document, place: Place, entry: SchemaProperty) -> ColumnType:
    logical = entry.logicalType
    if logical is not None and logical not in _LOGICAL:
        allowed = ", ".join(_LOGICAL)
        found = document.found((*place, "logicalType"))
        raise document.wrong(
            (*place, "logicalType"), f"is {found}; allowed: {allowed}.", hint=nearest(logical, _LOGICAL)
        )
    if entry.physicalType is not None:
        try:
            return ColumnType.parse(entry.physicalType)
        except Misconfigured as error:
            if logical is None:
                found = document.found((*place, "physicalType"))
                problem = f"is {found}, which is not known, and there is no logicalType beside it."
                raise document.wrong((*place, "physicalType"), problem, hint=error.hint) from error
    if logical is None:
        raise document.wrong((*place, "logicalType"), f"is missing; allowed: {', '.join(_LOGICAL)}.")
    return _LOGICAL[logical]


def _key(document: Document, place: Place, properties: Sequence[SchemaProperty]) -> tuple[str, ...]:
    """The names of the key in the order of their positions; where nobody gives a position, in the document's."""
    marked = [(index, entry) for index, entry in enumerate(properties) if entry.primaryKey]
    if all(entry.primaryKeyPosition in _NO_POSITION for _, entry in marked):
        return tuple(str(entry.name) for _, entry in marked)
    seen: dict[int, str] = {}
    for index, entry in marked:
        position, here = entry.primaryKeyPosition, (*place, index, "primaryKeyPosition")
        if position is None or position in _NO_POSITION:
            raise document.wrong(here, "is missing, while other columns of the key have one.")
        if position < 1 or position in seen:
            raise document.wrong(here, f"is {position}; number the columns of the key 1, 2, and so on, each once.")
        seen[position] = str(entry.name)
    return tuple(seen[position] for position in sorted(seen))


def property_of(column: Column, key: Sequence[str]) -> dict[str, Any]:
    """The entry of a document that loads to this column."""
    logical = _LOGICAL_OF[column.type.kind]
    if column.type.kind is Kind.JSON and column.physical.endswith("[]"):
        logical = "array"
    entry: dict[str, Any] = {"name": column.name, "logicalType": logical}
    physical = column.physical or str(column.type)
    if _resolved(physical, logical) == column.type:
        entry["physicalType"] = physical
    else:
        entry["physicalType"] = str(column.type)
        entry["customProperties"] = [{"property": _SOURCE_TYPE, "value": physical}]
    if column.required:
        entry["required"] = True
    if column.name in key:
        entry |= {"primaryKey": True, "primaryKeyPosition": list(key).index(column.name) + 1}
    return entry


def _resolved(physical: str, logical: str) -> ColumnType:
    try:
        return ColumnType.parse(physical)
    except Misconfigured:
        return _LOGICAL[logical]


def _source_type(entry: SchemaProperty) -> str | None:
    for custom in entry.customProperties or ():
        if custom.property == _SOURCE_TYPE and isinstance(custom.value, str):
            return custom.value
    return None
