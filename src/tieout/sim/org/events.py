"""Change events, and the log that keeps them for their 72 hours.

What the Pub/Sub server needs: `EventLog.read(after, limit)` (positions are whole numbers here, and opaque bytes only on
the wire), `fields(event)` for the schema of the event's writer, `earliest` and `latest`, and `arrived` to wait on. An
event nests the parts of a compound (`Field.compound`) and tells its bitmaps by the order of `fields(event)`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Condition
from typing import Final

from .schema import Field, Stored
from .schemas import Schemas

GAPS: Final = {"CREATE": "GAP_CREATE", "UPDATE": "GAP_UPDATE", "DELETE": "GAP_DELETE", "UNDELETE": "GAP_UNDELETE"}
OVERFLOW: Final = "GAP_OVERFLOW"
NO_RECORD: Final = "000000000000000AAA"


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    entity: str
    record_ids: tuple[str, ...]
    """18 characters each; up to 50; a wildcard such as `006*` after a lossy conversion; of an overflow `NO_RECORD`."""
    change_type: str
    """CREATE, UPDATE, DELETE, UNDELETE, or GAP_ before them, or GAP_OVERFLOW."""
    commit_timestamp_ms: int
    commit_number: int
    sequence_number: int
    """From 1 within its transaction; a gap always has 1."""
    transaction_key: str
    commit_user: str
    change_origin: str
    """`com/salesforce/api/rest/62.0;client=NAME` where a client of the API did it, else empty."""
    changed: frozenset[str] = frozenset()
    """Of an update: the names of fields that changed, those set to null too. Otherwise empty."""
    nulled: frozenset[str] = frozenset()
    diffed: frozenset[str] = frozenset()
    """Fields of which `values` holds a diff and not the value."""
    values: Mapping[str, Stored] = field(default_factory=dict)
    """Stored values by field name: the changed ones of an update, all that are not null of a create or an undelete."""
    schema_version: int = 1
    position: int = 0
    """Where it stands in the log, in commit order, with holes."""


class EventLog:
    """Appended to in commit order. Reading it is safe from any thread."""

    def __init__(self, schemas: Schemas, *, strides: Sequence[int] = (1,)) -> None:
        """`strides`: by how much positions rise, by turns."""
        self._schemas = schemas
        self._strides = strides
        self._events: list[ChangeEvent] = []
        self._positions: list[int] = []
        self._last = 0
        self._written = 0
        self.expired_to = 0
        """The last position that was let go of: to resume after one before it is impossible."""
        self.arrived = Condition()
        """Notified with every commit that appended."""

    @property
    def latest(self) -> int:
        """The last position given out; to read after it is to read what is new."""
        return self._last

    @property
    def earliest(self) -> int:
        """To read after this is to read all that is kept."""
        return self.expired_to

    def append(self, events: Sequence[ChangeEvent]) -> None:
        with self.arrived:
            for event in events:
                self._last += self._strides[self._written % len(self._strides)]
                self._written += 1
                self._events.append(replace(event, position=self._last))
                self._positions.append(self._last)
            if events:
                self.arrived.notify_all()

    def read(self, after: int, limit: int, *, entities: frozenset[str] | None = None) -> list[ChangeEvent]:
        """Events behind a position, without the fields that the connector's user may not see."""
        found: list[ChangeEvent] = []
        with self.arrived:
            for at in range(bisect_right(self._positions, after), len(self._events)):
                if len(found) >= limit:
                    break
                if entities is None or self._events[at].entity in entities:
                    found.append(self._seen(self._events[at]))
        return found

    def fields(self, event: ChangeEvent) -> tuple[Field, ...]:
        """Of the schema by which it was written."""
        return self._schemas.fields_at(event.entity, event.schema_version)

    def expire(self, before_ms: int) -> int:
        """Lets go of events committed before this; how many."""
        with self.arrived:
            end = bisect_left(self._events, before_ms, key=lambda each: each.commit_timestamp_ms)
            if end:
                self.expired_to = self._positions[end - 1]
                del self._events[:end]
                del self._positions[:end]
            return end

    def __len__(self) -> int:
        return len(self._events)

    def _seen(self, event: ChangeEvent) -> ChangeEvent:
        hidden = self._schemas.hidden(event.entity)
        if not hidden:
            return event
        unseen = {name for name in {*event.changed, *event.values} if name.lower() in hidden}
        return replace(
            event,
            changed=event.changed - unseen,
            nulled=event.nulled - unseen,
            diffed=event.diffed - unseen,
            values={name: value for name, value in event.values.items() if name not in unseen},
        )
