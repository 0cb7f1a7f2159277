"""The shape of the org: objects and their fields, as `describe` tells them.

A `Field` or an `SObject` is never changed: whoever changes the schema puts a new one in its place (`admin.py`), so that
an event stays readable by the schema of its writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeAlias

Stored: TypeAlias = str | int | None
"""A value as the store has it: decimals as exact plain text with all digits of their scale (`45000.00`), booleans 0 and
1, whole numbers, dates `YYYY-MM-DD`, datetimes `YYYY-MM-DDTHH:MM:SS.mmmZ`, times `HH:MM:SS.mmmZ`. `values.py` writes
them in the ways of REST, Bulk and events."""

Row: TypeAlias = dict[str, Stored]

DECIMALS: Final = frozenset({"double", "currency", "percent"})
WHOLE: Final = frozenset({"int", "long"})
IDS: Final = frozenset({"id", "reference"})
PICKLISTS: Final = frozenset({"picklist", "multipicklist"})
UNSTORED: Final = frozenset({"address"})
"""Compound fields: what they show is stored in their parts."""
_NEVER_IN_EVENTS: Final = frozenset({"Id", "SystemModstamp", "IsDeleted", "LastActivityDate", "PhotoUrl"})
_SOAP: Final = {
    "boolean": "xsd:boolean", "int": "xsd:int", "long": "xsd:long", "double": "xsd:double", "currency": "xsd:double",
    "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime", "time": "xsd:time", "id": "tns:ID",
    "reference": "tns:ID", "address": "urn:address",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PicklistValue:
    value: str
    """What rows hold: the API name, never the label."""
    active: bool = True
    default: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class Formula:
    """`text` as describe shows it; `compute` takes the stored values of `inputs` (paths such as `Account.Tier__c`)."""

    text: str
    inputs: tuple[str, ...]
    compute: Callable[..., Stored]


@dataclass(frozen=True, slots=True)
class Rollup:
    """The sum of `sums` over those rows of `child` that name this row in `through` and have `only` (a field and its
    stored value; None: all that are not deleted)."""

    child: str
    through: str
    sums: str
    only: tuple[str, Stored] | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The child's fields that it depends on."""
        return (self.through, self.sums, "IsDeleted", *(self.only[:1] if self.only else ()))


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str
    """As Salesforce says it: id, string, textarea, picklist, multipicklist, boolean, int, double, currency, ..."""
    label: str = ""
    length: int = 0
    """In characters; 0 where the type has none."""
    precision: int = 0
    """All digits of a decimal."""
    scale: int = 0
    """Those behind the point."""
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted: bool = False
    default: Stored = None
    """What a new row gets where nothing is said."""
    formula: Formula | None = None
    rollup: Rollup | None = None
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    """The name by which SOQL follows the reference: `Account` for `AccountId`, `Renewal_Of__r`."""
    picklist: tuple[PicklistValue, ...] = ()
    restricted: bool = False
    unique: bool = False
    external_id: bool = False
    auto_number: bool = False
    compound: str | None = None
    """The field of which this is a part (`Name`, `BillingAddress`); events nest it there."""
    added: int = 1
    """The version of its object that brought it."""

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def calculated(self) -> bool:
        return self.formula is not None or self.rollup is not None

    @property
    def is_stored(self) -> bool:
        return self.formula is None and self.type not in UNSTORED

    @property
    def writable(self) -> bool:
        return self.createable or self.updateable

    def describe_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "label": self.label or self.name, "type": self.type,
            "soapType": _SOAP.get(self.type, "xsd:string"), "length": self.length,
            "byteLength": self.length * 3, "precision": self.precision, "scale": self.scale,
            "digits": 8 if self.type == "int" else 0, "nillable": self.nillable,
            "createable": self.createable, "updateable": self.updateable, "defaultedOnCreate": self.defaulted,
            "defaultValue": None, "defaultValueFormula": None, "calculated": self.calculated,
            "calculatedFormula": self.formula.text if self.formula else None, "autoNumber": self.auto_number,
            "externalId": self.external_id, "unique": self.unique, "caseSensitive": False,
            "idLookup": self.type == "id" or self.external_id, "custom": self.custom, "deprecatedAndHidden": False,
            "filterable": self.type != "textarea" or self.length <= 255,
            "sortable": self.type not in ("textarea", "multipicklist", "address"),
            "groupable": self.type not in ("textarea", "address", "datetime", *DECIMALS) and not self.calculated,
            "aggregatable": self.type not in ("address", "textarea"), "permissionable": self.custom,
            "referenceTo": list(self.reference_to), "relationshipName": self.relationship,
            "polymorphicForeignKey": len(self.reference_to) > 1, "compoundFieldName": self.compound,
            "nameField": self.name == "Name", "namePointing": len(self.reference_to) > 1, "encrypted": False,
            "restrictedPicklist": self.restricted, "dependentPicklist": False, "controllerName": None,
            "picklistValues": [
                {"active": each.active, "defaultValue": each.default, "label": each.label or each.value,
                 "validFor": None, "value": each.value}
                for each in self.picklist
            ],
            "inlineHelpText": None, "extraTypeInfo": None, "htmlFormatted": False, "maskType": None,
        }  # fmt: skip


@dataclass(frozen=True)
class SObject:
    name: str
    label: str
    key_prefix: str
    fields: tuple[Field, ...]
    tracked: bool = False
    """Whether change data capture is on for it."""
    version: int = 1
    """Rises when what its events can carry changes; the schema id of an event stands for (object, version)."""
    modified: str = ""
    """When its shape last changed, as a stored datetime; for If-Modified-Since."""

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """By the lower-cased name: names are not case-sensitive."""
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def event_fields(self) -> tuple[Field, ...]:
        """In the order of the event's schema, behind ChangeEventHeader (0). Parts of a compound stand here as fields
        of their own, next to one another; an event nests them in one field named `compound`, at the place of the
        first of them. No person's `Name` is here: an event has its parts."""
        parts_of = {field.compound for field in self.fields if field.compound}
        return tuple(
            field
            for field in self.fields
            if field.is_stored and field.name not in _NEVER_IN_EVENTS and field.name not in parts_of
        )

    @cached_property
    def stored_fields(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.is_stored)

    @cached_property
    def rollups(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.rollup)

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def has_stamp(self) -> bool:
        return "systemmodstamp" in self.by_name

    @property
    def is_deletable(self) -> bool:
        return "isdeleted" in self.by_name

    @property
    def is_mergeable(self) -> bool:
        return "masterrecordid" in self.by_name

    def field(self, name: str) -> Field | None:
        return self.by_name.get(name.lower())

    def reference(self, relationship: str) -> Field | None:
        wanted = relationship.lower()
        return next((each for each in self.fields if (each.relationship or "").lower() == wanted), None)

    def with_fields(self, fields: Iterable[Field], *, modified: str) -> SObject:
        changed = replace(self, fields=tuple(fields), modified=modified)
        same = changed.event_fields == self.event_fields
        return changed if same else replace(changed, version=self.version + 1)

    def summary_json(self, base: str) -> dict[str, Any]:
        """Its line in the list of all objects. `base` is the path up to `/sobjects`."""
        here = f"{base}/sobjects/{self.name}"
        return {
            "name": self.name, "label": self.label, "labelPlural": f"{self.label}s", "keyPrefix": self.key_prefix,
            "custom": self.custom, "customSetting": False, "createable": True, "updateable": True,
            "deletable": self.is_deletable, "undeletable": self.is_deletable, "mergeable": self.is_mergeable,
            "queryable": True, "retrieveable": True, "searchable": True, "replicateable": True, "layoutable": True,
            "triggerable": True, "activateable": False, "deprecatedAndHidden": False, "feedEnabled": False,
            "urls": {"sobject": here, "describe": f"{here}/describe", "rowTemplate": f"{here}/{{ID}}"},
        }  # fmt: skip

    def describe_json(self, base: str = "/services/data/v62.0", hidden: Iterable[str] = ()) -> dict[str, Any]:
        """As `describe` answers; `hidden` are lower-cased fields that the user may not see."""
        unseen = frozenset(hidden)
        seen = [field.describe_json() for field in self.fields if field.name.lower() not in unseen]
        return {**self.summary_json(base), "fields": seen, "childRelationships": [], "recordTypeInfos": []}
