"""A transaction: what is done in it is stamped at once, and seen by nobody until it commits.

A row that it touches is locked until then, and so are the rows whose roll-ups it moves: a second transaction that wants
one is refused (UNABLE_TO_LOCK_ROW), so that the transactions of one row never overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from .automation import before_save
from .errors import OrgError, locked
from .ids import eighteen
from .objects import CASCADES
from .schema import Field, Row, SObject, Stored
from .values import stamp, stored

if TYPE_CHECKING:
    from .org import Org

AUDIT: Final = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"})
_REPARENTED: Final = ("Contact", "Opportunity", "Task", "Event", "Account")


@dataclass
class Draft:
    """A row within a transaction. `before` as committed (None: there is none), `after` as it will be."""

    sobject: SObject
    before: Row | None
    after: Row
    stamp: str
    by_user: bool = False
    """Whether a user's or a program's deed moves LastModifiedDate, and not only the org's own work the stamp."""
    rollups: dict[str, set[str]] = field(default_factory=dict)
    """Roll-up fields to add up anew at the commit, each with the children that this transaction moved."""

    def copied(self) -> Draft:
        return replace(self, rollups={name: set(moved) for name, moved in self.rollups.items()})


class Transaction:
    """Made by `Org.begin` and `Org.transaction`. `now` is asked at each deed; `user` is an id; `client` is the name
    that a program gives itself, which events tell as their origin."""

    def __init__(self, org: Org, *, user: str, client: str | None, began: datetime, key: str, is_audited: bool) -> None:
        self.org = org
        self.user = user
        self.client = client
        self.began = began
        self.key = key
        self.drafts: dict[str, Draft] = {}
        """By id, in the order in which they were first touched."""
        self._is_audited = is_audited
        self._is_open = True

    def create(self, name: str, fields: Mapping[str, object]) -> str:
        """The new row's id. With `is_audited` (the migration permission) CreatedDate and its like may be given."""
        with self.org.store.lock:
            sobject = self._open(name)
            given = self._given(sobject, fields, creating=True)
            record = self.org.ids.next(sobject.key_prefix)
            row: Row = {each.name: each.default for each in sobject.stored_fields}
            row["Id"] = record
            now = self._stamp()
            audit = {"CreatedDate": now, "CreatedById": self.user, "LastModifiedDate": now,
                     "LastModifiedById": self.user, "SystemModstamp": now, "OwnerId": self.user}  # fmt: skip
            row |= {each: value for each, value in audit.items() if each in row}
            row |= {each: self.org.numbered(sobject) for each in row if _is_numbered(sobject, each)}
            row |= given
            self._check_references(sobject, given)
            before_save(sobject.name, row, given)
            self._required(sobject, row)
            self._unique(sobject, row, given)
            self._lock(record)
            self.drafts[record] = Draft(sobject, None, row, now, by_user=True)
            self._move_parents(sobject, None, row)
            return record

    def update(self, name: str, record: str, fields: Mapping[str, object]) -> None:
        with self.org.store.lock:
            sobject = self._open(name)
            given = self._given(sobject, fields, creating=False)
            draft = self._draft(sobject, record)
            if draft.after.get("IsDeleted"):
                raise OrgError("ENTITY_IS_DELETED", "entity is deleted", status=404)
            changed: Row = draft.after | given
            self._check_references(sobject, given)
            before_save(sobject.name, changed, given)
            self._required(sobject, changed)
            self._unique(sobject, changed, given)
            self._write(draft, changed)

    def put(self, name: str, record: str, values: Row) -> None:
        """As the org itself writes: fields that no user may, such as IsConverted, as stored values."""
        with self.org.store.lock:
            draft = self._draft(self._open(name), record)
            self._write(draft, draft.after | values)

    def delete(self, name: str, record: str) -> None:
        """Into the recycle bin, with what belongs to it."""
        with self.org.store.lock:
            sobject = self._open(name)
            if not sobject.is_deletable:
                raise OrgError("CANNOT_DELETE_ENTITY", f"{sobject.name} cannot be deleted", status=405)
            draft = self._draft(sobject, record)
            if draft.after["IsDeleted"]:
                raise OrgError("ENTITY_IS_DELETED", "entity is deleted", status=404)
            self._write(draft, draft.after | {"IsDeleted": 1})
            for child, through in CASCADES.get(sobject.name, ()):
                for each in self._children(child, through, draft.after["Id"]):
                    self.delete(child, each)

    def undelete(self, name: str, record: str) -> None:
        """Out of the recycle bin, with what went into it in the same deed."""
        with self.org.store.lock:
            sobject = self._open(name)
            draft = self._draft(sobject, record)
            deed = self.org.deed_of_deletion(sobject.name, draft.after["Id"])
            if not draft.after.get("IsDeleted") or deed is None:
                raise OrgError("UNDELETE_FAILED", "Entity is not in the recycle bin")
            back: Row = {"IsDeleted": 0} | ({"MasterRecordId": None} if sobject.is_mergeable else {})
            self._write(draft, draft.after | back)
            for child, through in CASCADES.get(sobject.name, ()):
                for each in self._children(child, through, draft.after["Id"], deleted=True):
                    if self.org.deed_of_deletion(child, each) == deed:
                        self.undelete(child, each)

    def merge(self, name: str, winner: str, losers: list[str]) -> None:
        """The losers go to the recycle bin, naming the winner; whatever named them names it."""
        with self.org.store.lock:
            sobject = self._open(name)
            kept = self._draft(sobject, winner)
            if not sobject.is_mergeable or kept.after["IsDeleted"] or not 1 <= len(losers) <= 2:
                raise OrgError("MERGE_FAILED", f"cannot merge {losers} into {winner}")
            for loser in losers:
                draft = self._draft(sobject, loser)
                self._repoint(sobject, draft.after["Id"], kept.after["Id"])
                self._write(draft, draft.after | {"IsDeleted": 1, "MasterRecordId": kept.after["Id"]})
            self._write(kept, dict(kept.after))

    def commit(self) -> None:
        with self.org.store.lock:
            if self._is_open:
                self._is_open = False
                self.org.commit(self)

    def rollback(self) -> None:
        with self.org.store.lock:
            self._is_open = False
            self.org.release(self)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is done within is undone if it raises: the rows of a collection fail one by one."""
        with self.org.store.lock:
            before = {
                record: replace(draft, rollups={name: set(moved) for name, moved in draft.rollups.items()})
                for record, draft in self.drafts.items()
            }
            try:
                yield
            except OrgError:
                for record in self.drafts.keys() - before.keys():
                    self.org.locks.pop(record, None)
                self.drafts = before
                raise

    def row(self, sobject: SObject, record: str) -> Row | None:
        """As this transaction sees it."""
        draft = self.drafts.get(record)
        return draft.after if draft else self.org.store.row(sobject, record)

    def children(self, sobject: SObject, through: str, parent: str) -> list[Row]:
        """Rows that name `parent`, as this transaction sees them, deleted or not."""
        rows = {str(row["Id"]): row for row in self.org.store.children(sobject, through, parent)}
        rows |= {record: draft.after for record, draft in self.drafts.items() if draft.sobject.name == sobject.name}
        return [row for row in rows.values() if row[through] == parent]

    def _open(self, name: str) -> SObject:
        if not self._is_open:
            raise OrgError("UNKNOWN_EXCEPTION", "the transaction is over", status=500)
        return self.org.schemas[name]

    def _stamp(self) -> str:
        return stamp(self.org.clock.now())

    def _given(self, sobject: SObject, fields: Mapping[str, object], *, creating: bool) -> Row:
        return {
            field.name: stored(field, value)
            for field, value in ((self._writable(sobject, name, creating), value) for name, value in fields.items())
        }

    def _writable(self, sobject: SObject, name: str, creating: bool) -> Field:
        field = sobject.field(name)
        if field is None:
            raise OrgError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}", fields=[name])
        audited = self._is_audited and creating and field.name in AUDIT
        if not audited and not (field.createable if creating else field.updateable):
            message = f"Unable to create/update fields: {field.name}. Please check the security settings of this field."
            raise OrgError("INVALID_FIELD_FOR_INSERT_UPDATE", message, fields=[field.name])
        return field

    def _required(self, sobject: SObject, row: Row) -> None:
        missing = [each.name for each in sobject.stored_fields if not each.nillable and row[each.name] is None]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise OrgError("REQUIRED_FIELD_MISSING", message, fields=missing)

    def _check_references(self, sobject: SObject, given: Row) -> None:
        """What a reference names must be there, of the right kind, and not deleted."""
        for name, value in given.items():
            field = sobject.field(name)
            if value is None or field is None or field.type != "reference":
                continue
            there = self.org.schemas.of_id(str(value))
            row = self.row(there, str(value)) if there is not None and there.name in field.reference_to else None
            if row is None or row.get("IsDeleted"):
                raise OrgError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[name])

    def _unique(self, sobject: SObject, row: Row, given: Row) -> None:
        for name in (each.name for each in sobject.stored_fields if each.unique and given.get(each.name) is not None):
            holders = {*self.org.store.holders(sobject.name, name, given[name])}
            holders |= {each for each, other in self.drafts.items() if other.after.get(name) == given[name]}
            for other in sorted(holders - {str(row["Id"])}):
                message = f"duplicate value found: {name} duplicates value on record with id: {other}"
                raise OrgError("DUPLICATE_VALUE", message, fields=[name])

    def _draft(self, sobject: SObject, given: str) -> Draft:
        """The row, locked for us."""
        record = eighteen(given)
        self._lock(record)
        if record in self.drafts:
            return self.drafts[record]
        row = self.org.store.row(sobject, record)
        if row is None:
            raise OrgError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", status=404)
        self.drafts[record] = Draft(sobject, row, dict(row), self._stamp())
        return self.drafts[record]

    def _lock(self, record: str) -> None:
        if self.org.locks.setdefault(record, self) is not self:
            raise locked(record)

    def _write(self, draft: Draft, row: Row) -> None:
        before, now = draft.after, self._stamp()
        row["SystemModstamp"] = draft.stamp = now
        if "LastModifiedDate" in row:
            row["LastModifiedDate"] = now
        if "LastModifiedById" in row:
            row["LastModifiedById"] = self.user
        draft.after, draft.by_user = row, True
        self._move_parents(draft.sobject, before, row)

    def _move_parents(self, sobject: SObject, before: Row | None, after: Row) -> None:
        """Parents whose roll-ups, or whose last activity, may move with this row."""
        for parent, rollup in self.org.rollups_over(sobject.name):
            assert rollup.rollup is not None
            through = rollup.rollup.through
            if before is not None and all(before[each] == after[each] for each in rollup.rollup.reads):
                continue
            for record in {before[through] if before else None, after[through]} - {None}:
                draft = self._touched(parent, str(record))
                if draft is not None:
                    draft.rollups.setdefault(rollup.name, set()).add(str(after["Id"]))
        if sobject.name == "Task" and after["IsClosed"] and after["ActivityDate"] and after["WhatId"]:
            parent_of = self.org.schemas.of_id(str(after["WhatId"]))
            if parent_of is not None and parent_of.field("LastActivityDate") is not None:
                draft = self._touched(parent_of, str(after["WhatId"]))
                if draft is not None:
                    latest = max(str(draft.after["LastActivityDate"] or ""), str(after["ActivityDate"]))
                    draft.after = draft.after | {"LastActivityDate": latest}

    def _touched(self, sobject: SObject, record: str) -> Draft | None:
        """The row, locked and stamped, as the org's own work does; None: there is no such row."""
        if record not in self.drafts and self.org.store.row(sobject, record) is None:
            return None
        draft = self._draft(sobject, record)
        draft.stamp = self._stamp()
        return draft

    def _children(self, child: str, through: str, parent: Stored, *, deleted: bool = False) -> list[str]:
        rows = self.children(self.org.schemas[child], through, str(parent))
        return [str(row["Id"]) for row in rows if bool(row["IsDeleted"]) == deleted]

    def _repoint(self, sobject: SObject, loser: Stored, winner: Stored) -> None:
        for name in _REPARENTED:
            child = self.org.schemas[name]
            for through in child.stored_fields:
                if sobject.name in through.reference_to and through.name not in ("MasterRecordId",):
                    for record in self._children(name, through.name, loser):
                        draft = self._draft(child, record)
                        self._write(draft, draft.after | {through.name: winner})


def _is_numbered(sobject: SObject, name: str) -> bool:
    field = sobject.field(name)
    return field is not None and field.auto_number
