"""How the events of one schema are told for one object: what they cover, and which value goes into which column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....base.change import is_reserved
from ....base.codec import canonical_json
from ....base.types import ColumnType
from ..describe import SObject
from .bitmap import places
from .schema import EventSchema, Leaf
from .sheet import KEY, Cover, Slot
from .texts import form

_PLANS_MAX = 1_000
_COVERS_MAX = 10_000
"""Remembered at once. Most changes are made by a few forms and automations, each of which touches the same fields."""


@dataclass(frozen=True, slots=True)
class Followed:
    """An object whose events are told.

    types     by the org's description. What it does not have is not told: it may be hidden from us, and then a null
              says nothing of it
    derived   columns that no event speaks of, though its schema may have them
    """

    types: Mapping[str, ColumnType]
    derived: frozenset[str] = frozenset()

    @classmethod
    def of(cls, described: SObject) -> Followed:
        types = {field.name: field.type for field in described.fields}
        return cls(types, frozenset(field.name for field in described.derived))


class Plan:
    """`unknown` are columns that the description lacks: the field may be newer than it."""

    def __init__(self, schema: EventSchema, object_: str, followed: Followed) -> None:
        self.object = object_
        self.origin = f"event {schema.schema_id[:8]}"
        self._schema = schema
        self.followed = followed
        self._slots: dict[Leaf, Slot] = {}
        self._covers: dict[Any, tuple[Cover, bool]] = {}
        told = (name for name in followed.types if name != KEY and not is_reserved(name))
        self._told = frozenset(told) - followed.derived
        self.unknown = schema.own_columns - followed.types.keys() - followed.derived

    def changed(self, header: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Cover, bool]:
        """What an update speaks of, and whether it leaves out what a field that changed has become."""
        shape = (
            tuple(header["changedFields"]),
            tuple(header["nulledFields"]),
            tuple(header.get("diffFields", ())),
            self._compounds(body),
        )
        found = self._known(shape)
        if found is None:
            changed, nulled, diffs, compounds = shape
            lost = self._named(diffs, compounds)
            said = self._named(changed, compounds) | self._named(nulled, compounds)
            found = self._covers[shape] = self._cover(said - lost), bool(lost)
        return found

    def whole(self, header: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[Cover, bool]:
        """What a new row speaks of: all that its events can carry."""
        shape = (tuple(header.get("diffFields", ())), self._compounds(body))
        found = self._known(shape)
        if found is None:
            diffs, compounds = shape
            lost = self._named(diffs, compounds)
            said = [leaf for leaves in self._schema.leaves.values() for leaf in leaves]
            found = self._covers[shape] = self._cover(self._held(said, compounds) - lost), bool(lost)
        return found

    def _known(self, shape: Any) -> tuple[Cover, bool] | None:
        if len(self._covers) >= _COVERS_MAX:
            self._covers.clear()
        return self._covers.get(shape)

    def _compounds(self, body: Mapping[str, Any]) -> tuple[str, ...]:
        """Of the fields that may be either those that are a compound in this row."""
        return tuple(top for top in self._schema.switchable if isinstance(body[top], dict))

    def _named(self, bitmaps: Sequence[str], compounds: tuple[str, ...]) -> frozenset[Leaf]:
        """A compound that is named as a whole and by parts is meant by its parts."""
        if not bitmaps:
            return frozenset()
        named = places(bitmaps)
        by_parts = {at for at, part in named if part is not None}
        meant = [place for place in named if place[1] is not None or place[0] not in by_parts]
        return self._held((leaf for place in meant for leaf in self._schema.at(place)), compounds)

    def _held(self, leaves: Iterable[Leaf], compounds: tuple[str, ...]) -> frozenset[Leaf]:
        """Without what is not told. The plain name of a row that has a compound in its place is not said."""
        return frozenset(
            leaf for leaf in leaves if leaf.column in self._told and not (leaf.part is None and leaf.top in compounds)
        )

    def _cover(self, leaves: Iterable[Leaf]) -> Cover:
        ordered = sorted(leaves, key=lambda leaf: leaf.column)
        plain = [leaf for leaf in ordered if leaf.part is None and leaf.top not in self._schema.switchable]
        parts = [leaf for leaf in ordered if leaf not in plain]
        return Cover(
            canonical_json([leaf.column for leaf in ordered]),
            tuple((self._slot(leaf), leaf.top) for leaf in plain),
            tuple((self._slot(leaf), leaf.top, leaf.part) for leaf in parts),
        )

    def _slot(self, leaf: Leaf) -> Slot:
        type_ = self.followed.types[leaf.column]
        return self._slots.setdefault(leaf, Slot(leaf.column, form(leaf.avro, type_), type_))


class Plans:
    """Of each schema and object the plan that was made last, for as long as the object is followed alike."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Plan] = {}

    def of(self, schema: EventSchema, object_: str, followed: Followed) -> Plan:
        made = self._made.get((schema.schema_id, object_))
        if made is None or (made.followed is not followed and made.followed != followed):
            if len(self._made) >= _PLANS_MAX:
                self._made.clear()
            made = self._made[schema.schema_id, object_] = Plan(schema, object_, followed)
        return made
