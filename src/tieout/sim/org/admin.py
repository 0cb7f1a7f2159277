"""What an admin does to the schema while everyone works: fields come, go, change their type and name, or are hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from .errors import OrgError, no_such_field
from .schema import Field, PicklistValue, SObject, Stored
from .values import moment, parsed, stored

if TYPE_CHECKING:
    from .org import Org


class Admin:
    """Each deed is seen by the next describe and query. None of them stamps a row, unless it says so."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def add_object(self, sobject: SObject) -> None:
        with self._org.store.lock:
            self._org.schemas.put(replace(sobject, modified=moment(self._org.now())))
            self._org.store.create(sobject)
            for field in sobject.fields:
                self._org.define(sobject, field)

    def track(self, name: str, *, on: bool) -> None:
        """Turn change data capture on or off."""
        sobject = self._org.schemas[name]
        self._org.schemas.put(replace(sobject, tracked=on))

    def add_field(self, name: str, field: Field) -> None:
        """Old rows hold its default."""
        with self._org.store.lock:
            sobject = self._org.schemas[name]
            if sobject.field(field.name) is not None:
                raise OrgError("DUPLICATE_DEVELOPER_NAME", f"There is already a field named {field.name}")
            added = replace(field, added=sobject.version + 1)
            self._put(sobject, [*sobject.fields, added])
            if field.is_stored:
                self._org.store.add_column(sobject, added)
            self._org.define(sobject, added)

    def drop_field(self, name: str, field: str, *, purged: bool = False) -> None:
        """`purged`: its values are erased for good at once, which moves every SystemModstamp."""
        with self._org.store.lock:
            sobject, gone = self._found(name, field)
            self._check_unused(sobject, gone)
            self._put(sobject, [each for each in sobject.fields if each is not gone])
            if gone.is_stored:
                self._org.store.drop_column(sobject, gone)
        if purged:
            self._org.silent.move_stamps(name)

    def rename_field(self, name: str, field: str, to: str) -> None:
        """The API name; the values stay. To the connector one field is gone and another there."""
        with self._org.store.lock:
            sobject, old = self._found(name, field)
            self._check_unused(sobject, old)
            self._put(sobject, [replace(each, name=to) if each is old else each for each in sobject.fields])
            if old.is_stored:
                self._org.store.rename_column(sobject, old.name, to)

    def retype_field(self, name: str, field: str, to: Field) -> int:
        """Converts the values in place. How many could not be kept: these are null now, and if there are any, one event
        with a wildcard for an id (`006*`) says so."""
        with self._org.store.lock:
            sobject, old = self._found(name, field)
            kept = {record: _converted(to, value) for record, value in self._values(sobject, old)}
            lost = sum(value is None for value in kept.values())
            new = replace(to, name=old.name, label=to.label or old.label, added=sobject.version + 1)
            changed = self._put(sobject, [new if each is old else each for each in sobject.fields])
            self._org.store.drop_column(sobject, old)
            self._org.store.add_column(sobject, new)
            with self._org.store.at_once():
                for record, value in kept.items():
                    self._org.store.update(sobject.name, record, {new.name: value})
            if lost and sobject.tracked:
                commit, wildcard = self._org.next_commit(), (f"{sobject.key_prefix}*",)
                self._org.events.append([commit.event(sobject.name, wildcard, "GAP_UPDATE", version=changed.version)])
            return lost

    def hide_field(self, name: str, field: str) -> None:
        """From the connector's user: describe does not show it, and a query that asks for it fails."""
        sobject, found = self._found(name, field)
        self._org.schemas.hide(name, found.name)
        self._org.schemas.put(replace(sobject, modified=self._later(sobject)))

    def show_field(self, name: str, field: str) -> None:
        sobject = self._org.schemas[name]
        self._org.schemas.put(replace(sobject, modified=self._later(sobject)))
        self._org.schemas.show(name, field)

    def add_picklist_value(self, name: str, field: str, value: str) -> None:
        self._change(name, field, lambda old: replace(old, picklist=(*old.picklist, PicklistValue(value))))

    def deactivate_picklist_value(self, name: str, field: str, value: str) -> None:
        """Old rows keep it."""
        self._change(name, field, lambda old: replace(old, picklist=tuple(
            replace(each, active=False) if each.value == value else each for each in old.picklist
        )))  # fmt: skip

    def rename_picklist_value(self, name: str, field: str, old: str, new: str) -> None:
        """In every row that holds it too: SystemModstamp moves, nothing else does, and no event tells of it."""
        self._change(name, field, lambda found: replace(found, picklist=tuple(
            replace(each, value=new) if each.value == old else each for each in found.picklist
        )))  # fmt: skip
        column = self._found(name, field)[1].name
        holding = self._org.store.holders(self._org.schemas[name].name, column, old)
        self._org.silent.database_job(name, holding, {column: new})

    def _change(self, name: str, field: str, change: Callable[[Field], Field]) -> None:
        with self._org.store.lock:
            sobject, old = self._found(name, field)
            self._put(sobject, [change(each) if each is old else each for each in sobject.fields])

    def _put(self, sobject: SObject, fields: list[Field]) -> SObject:
        changed = sobject.with_fields(fields, modified=self._later(sobject))
        self._org.schemas.put(changed)
        return changed

    def _found(self, name: str, field: str) -> tuple[SObject, Field]:
        sobject = self._org.schemas[name]
        found = sobject.field(field)
        if found is None:
            raise no_such_field(field, sobject.name)
        return sobject, found

    def _values(self, sobject: SObject, field: Field) -> list[tuple[str, Stored]]:
        return self._org.store.values(sobject.name, field.name)

    def _check_unused(self, sobject: SObject, field: Field) -> None:
        """No formula or roll-up rests on it."""
        for other in self._org.schemas:
            for each in other.fields:
                paths = set(each.formula.inputs) if each.formula else set()
                here = field.name if other.name == sobject.name else f"{sobject.name}.{field.name}"
                rollup = each.rollup if each.rollup and each.rollup.child == sobject.name else None
                if here in paths or (rollup is not None and field.name in rollup.reads):
                    raise OrgError("DEPENDENCY_EXISTS", f"{field.name} is used by {other.name}.{each.name}")

    def _later(self, sobject: SObject) -> str:
        """Now, and a second behind the change before: If-Modified-Since sees no less."""
        return moment(max(self._org.now(), parsed(sobject.modified) + timedelta(seconds=1)))


def _converted(to: Field, value: Stored) -> Stored:
    try:
        return stored(to, value)
    except OrgError:
        return None
