"""Committed drafts -> change events, as change data capture tells them.

One event a row and transaction, with the final state; equal changes of one object's rows in one second share an event.
A transaction of more than 100,000 changes (an update counts one a field) overflows: what is beyond them is told by one
event an entity, without ids.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from .events import GAPS, NO_RECORD, OVERFLOW, ChangeEvent
from .schema import Row, Stored
from .transaction import Draft

RECORDS_MOST: Final = 50
"""Rows that share an event."""


@dataclass
class Manner:
    """How events are told; a test may set other limits."""

    changes_most: int = 100_000
    bytes_most: int = 1_000_000
    """A larger event becomes a gap."""
    diff_from: int = 5_000
    """A long text area of so many characters is sent as a diff when it changes; in characters."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What all events of a transaction have in common."""

    at_ms: int
    number: int
    key: str
    user: str
    origin: str

    def event(
        self, entity: str, records: tuple[str, ...], kind: str, *, version: int, sequence: int = 1
    ) -> ChangeEvent:
        return ChangeEvent(
            entity, records, kind, self.at_ms, self.number, sequence, self.key, self.user, self.origin,
            schema_version=version,
        )  # fmt: skip


def kind_of(draft: Draft) -> str | None:
    """What became of the row, all deeds of the transaction taken together; None: nothing to tell."""
    before, after = draft.before, draft.after
    gone = bool(after.get("IsDeleted"))
    if before is None:
        return None if gone else "CREATE"
    was_gone = bool(before.get("IsDeleted"))
    if was_gone:
        return None if gone else "UNDELETE"
    return "DELETE" if gone else "UPDATE"


def told(drafts: Iterable[Draft], commit: Commit, manner: Manner, gaps: Counter[str]) -> list[ChangeEvent]:
    """`gaps` counts, by entity, the next events that shall become gaps; it is counted down."""
    groups: dict[tuple[object, ...], list[ChangeEvent]] = {}
    overflown: dict[str, ChangeEvent] = {}
    changes = 0
    for draft in drafts:
        kind = kind_of(draft) if draft.sobject.tracked else None
        event = _event(draft, kind, commit, manner) if kind else None
        if event is None:
            continue
        changes += len(event.changed) or 1
        if changes > manner.changes_most:
            entity = event.entity
            overflown[entity] = commit.event(entity, (NO_RECORD,), OVERFLOW, version=event.schema_version)
        else:
            groups.setdefault(_sameness(draft, event), []).append(event)
    merged = [_merged(part) for events in groups.values() for part in _parts(events)]
    numbered = [replace(event, sequence_number=at) for at, event in enumerate(merged, 1)]
    return [*(_maybe_gap(event, commit, manner, gaps) for event in numbered), *overflown.values()]


def _event(draft: Draft, kind: str, commit: Commit, manner: Manner) -> ChangeEvent | None:
    sobject, before, after = draft.sobject, draft.before, draft.after
    event = commit.event(sobject.name, (str(after["Id"]),), kind, version=sobject.version)
    names = [field.name for field in sobject.event_fields]
    if kind == "DELETE":
        return event
    if kind != "UPDATE" or before is None:
        return replace(event, values={name: after[name] for name in names if after[name] is not None})
    said = {"LastModifiedDate"} if draft.by_user else set()
    changed = [name for name in names if after[name] != before[name] or name in said]
    if not changed:
        return None
    areas = {field.name for field in sobject.event_fields if field.type == "textarea"}
    diffed = {name for name in changed if name in areas and _is_long(before[name], after[name], manner)}
    values = {name: _diff(before, after, name) if name in diffed else after[name] for name in changed}
    nulled = frozenset(name for name in changed if after[name] is None)
    return replace(event, changed=frozenset(changed), nulled=nulled, diffed=frozenset(diffed), values=values)


def _is_long(before: Stored, after: Stored, manner: Manner) -> bool:
    return before is not None and after is not None and len(str(after)) >= manner.diff_from


def _diff(before: Row, after: Row, name: str) -> str:
    """Where the texts part, and what stands there instead."""
    old, new = str(before[name]), str(after[name])
    start = next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new))
    )
    return f"@@ -{start + 1},{len(old) - start} +{start + 1},{len(new) - start} @@\n-{old[start:]}\n+{new[start:]}"


def _sameness(draft: Draft, event: ChangeEvent) -> tuple[object, ...]:
    return (event.entity, event.change_type, draft.stamp, event.changed, *sorted(event.values.items(), key=str))


def _parts(events: list[ChangeEvent]) -> list[list[ChangeEvent]]:
    return [events[at : at + RECORDS_MOST] for at in range(0, len(events), RECORDS_MOST)]


def _merged(events: list[ChangeEvent]) -> ChangeEvent:
    return replace(events[0], record_ids=tuple(record for event in events for record in event.record_ids))


def _maybe_gap(event: ChangeEvent, commit: Commit, manner: Manner, gaps: Counter[str]) -> ChangeEvent:
    size = sum(len(value.encode()) for value in event.values.values() if isinstance(value, str))
    if size <= manner.bytes_most and not gaps[event.entity]:
        return event
    gaps[event.entity] = max(gaps[event.entity] - 1, 0)
    return commit.event(event.entity, event.record_ids, GAPS[event.change_type], version=event.schema_version)
