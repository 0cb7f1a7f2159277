"""What an org says of one of its objects, as columns of ours. Values in, values out.

A field's type is told in our words for it, and in the org's. What its user may not see is not among its fields.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ...base.codec import canonical_json, sha256_hex
from ...base.types import DECIMAL_DIGITS_MAX, Column, ColumnType, Described, Kind

ID = "Id"
STAMP = "SystemModstamp"
CREATED = "CreatedDate"
DELETED = "IsDeleted"
MASTER = "MasterRecordId"

_LEFT_OUT_TYPES = frozenset({"base64", "address", "location"})
"""Bytes are read one by one; the parts of an address or a place are fields of their own."""
LEFT_OUT = frozenset({"LastViewedDate", "LastReferencedDate"})
"""These are of the user who asks, not of the row."""
_UNTOLD = frozenset({STAMP, DELETED, "LastActivityDate", "PhotoUrl"})

_NUMBERS = frozenset({"double", "currency", "percent"})
_SUMMED = _NUMBERS | {"int", "long"}
_KINDS = {
    "boolean": Kind.BOOLEAN,
    "int": Kind.INT64,
    "long": Kind.INT64,
    "date": Kind.DATE,
    "datetime": Kind.TIMESTAMPTZ,
    "time": Kind.TIME,
}


@dataclass(frozen=True, slots=True)
class SField:
    """A field that can be read.

    type               in our words; what we do not know is text
    physical           in Salesforce's own, with sizes: `currency(18,2)`, `string(255)`, `picklist`
    is_required        whoever makes a row must give it
    is_derived         no change event tells of it; where it is a formula, no stamp either
    is_formula         computed when it is read
    is_summed          a number that the org adds up where it is asked for sums
    picklist           values that may be chosen, and `picklist_inactive` such as could be before; neither is the whole
                       of what rows hold
    reference_to       API names of the objects that it may point to
    length             of a text, characters at most; else 0
    is_filterable      whether a condition may speak of it: not so of long texts
    """

    name: str
    type: ColumnType
    physical: str
    is_required: bool = False
    is_derived: bool = False
    is_formula: bool = False
    is_summed: bool = False
    picklist: tuple[str, ...] = ()
    picklist_inactive: tuple[str, ...] = ()
    reference_to: tuple[str, ...] = ()
    length: int = 0
    is_filterable: bool = True
    label: str = ""
    word: str = "string"
    """Salesforce's word for the type, without sizes."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> SField:
        name, word = str(told["name"]), str(told.get("type", ""))
        is_formula = bool(told.get("calculated")) and told.get("calculatedFormula") is not None
        values = [value for value in told.get("picklistValues") or () if value.get("value") is not None]
        return cls(
            name=name,
            type=_type(word, int(told.get("precision") or 0), int(told.get("scale") or 0)),
            physical=_physical(word, told),
            is_required=bool(told.get("createable")) and not told.get("nillable") and not told.get("defaultedOnCreate"),
            is_derived=is_formula or name in _UNTOLD,
            is_formula=is_formula,
            is_summed=word in _SUMMED and not is_formula and bool(told.get("aggregatable", True)),
            picklist=tuple(str(value["value"]) for value in values if value.get("active", True)),
            picklist_inactive=tuple(str(value["value"]) for value in values if not value.get("active", True)),
            reference_to=tuple(str(name) for name in told.get("referenceTo") or ()),
            length=int(told.get("length") or 0),
            is_filterable=bool(told.get("filterable", True)),
            label=str(told.get("label") or name),
            word=word,
        )


@dataclass(frozen=True, slots=True)
class SObject:
    """An object of an org, by what its user may see of it.

    api_name    as the org writes it; `object`: in lower case, as a stream of ours is named
    fields      that can be read, in the org's order
    prefix      the first three characters of its ids; "" where it has none of its own
    has_stamp   whether its rows say when they were last changed; `has_created`: when they were made
    has_deleted whether its rows say that they were deleted; `has_master`: into which other row they were merged
    """

    api_name: str
    object: str
    label: str
    fields: tuple[SField, ...]
    prefix: str = ""
    has_stamp: bool = False
    has_created: bool = False
    has_deleted: bool = False
    has_master: bool = False

    @classmethod
    def of(cls, describe_json: Mapping[str, Any]) -> SObject:
        """From the answer to `describe`."""
        api_name = str(describe_json["name"])
        fields = tuple(SField.of(told) for told in describe_json["fields"] if _is_read(told))
        names = {field.name for field in fields}
        return cls(
            api_name=api_name,
            object=api_name.lower(),
            label=str(describe_json.get("label") or api_name),
            fields=fields,
            prefix=str(describe_json.get("keyPrefix") or ""),
            has_stamp=STAMP in names,
            has_created=CREATED in names,
            has_deleted=DELETED in names,
            has_master=MASTER in names,
        )

    @property
    def stamp(self) -> str | None:
        """The field that says when a row was last changed, or at least made; None where neither is told."""
        return STAMP if self.has_stamp else CREATED if self.has_created else None

    @property
    def derived(self) -> tuple[SField, ...]:
        """Of which no change event tells."""
        return tuple(field for field in self.fields if field.is_derived)

    @property
    def told(self) -> tuple[SField, ...]:
        """Of which change events tell."""
        return tuple(field for field in self.fields if not field.is_derived)

    @property
    def formulas(self) -> tuple[SField, ...]:
        """Of which neither events nor stamps tell."""
        return tuple(field for field in self.fields if field.is_formula)

    @property
    def fingerprint(self) -> str:
        """Another one whenever a field came, went or became another; not for picklists, whose values bind nobody."""
        fields = sorted([field.name, field.physical, field.is_derived, *field.reference_to] for field in self.fields)
        return sha256_hex(canonical_json([self.api_name, fields]).encode())[:32]

    def named(self, names: Collection[str]) -> tuple[SField, ...]:
        """Its fields of these names, in its own order."""
        return tuple(field for field in self.fields if field.name in names)

    def described(self) -> Described:
        """As our catalogue tells it. Only the id is required: an event of a new row lacks whatever is empty."""
        columns = tuple(
            Column(field.name, field.type, required=field.name == ID, physical=field.physical) for field in self.fields
        )
        return Described(object=self.object, columns=columns, key=(ID,))


def _is_read(told: Mapping[str, Any]) -> bool:
    return told["name"] not in LEFT_OUT and told.get("type") not in _LEFT_OUT_TYPES


def _type(word: str, precision: int, scale: int) -> ColumnType:
    if word in _NUMBERS:
        if 0 <= scale <= precision <= DECIMAL_DIGITS_MAX and precision:
            return ColumnType(Kind.DECIMAL, precision, scale)
        return ColumnType(Kind.NUMERIC)
    return ColumnType(_KINDS.get(word, Kind.TEXT))


def _physical(word: str, told: Mapping[str, Any]) -> str:
    if word in _NUMBERS:
        return f"{word}({int(told.get('precision') or 0)},{int(told.get('scale') or 0)})"
    length = int(told.get("length") or 0)
    if length and word in ("string", "textarea", "encryptedstring", "url", "email", "phone", "combobox"):
        return f"{word}({length})"
    return word
