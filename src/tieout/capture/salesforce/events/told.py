"""What received events say, as captured tables. Values in, values out, in the order of delivery.

An event carries every field of its entity, and null where nothing changed: only its bitmaps tell which fields it speaks
of. What it does not say, and what cannot be read, is a doubt or a gap, never a value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pyarrow as pa
from fastavro import schemaless_reader

from ....base.change import Kind
from ....base.errors import Rejected
from ..ids import to18
from .lately import Lately
from .plan import Followed, Plan
from .received import Received
from .schema import HEADER, EventSchema, SchemaCache
from .sheet import NOTHING, Place, Says, Sheet

_record: Callable[[BytesIO, Any], Any] = schemaless_reader
_ALIVE = {"CREATE": Kind.IMAGE, "UNDELETE": Kind.UNDELETE}
_DEAD = frozenset({"DELETE", "GAP_DELETE"})
_DEATH, _GAP = Says(Kind.DELETE, NOTHING), Says(Kind.GAP, NOTHING)
_ANY = "*"
"""At the end of an id that stands for many."""
_COMMIT_MS_MAX = 253_402_300_799_999
"""The end of the year 9999."""
_UNREADABLE = (ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, MemoryError, Rejected)
"""What bytes come to that their schema did not write."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What happened to an object is not known.

    position  epoch seconds: nothing before it is in doubt. 0: not known either
    whole     any row may be touched, whenever it was last changed; else those changed at the position or later
    """

    object: str
    reason: str
    position: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Told:
    """tables       by object, in the shape `change.CAPTURED` with text columns behind it
    replay_id    of the last event, None where there was none
    commit_ms    when the newest change heard so far was committed
    passed_over  events of objects that are not followed
    unknown      by object, columns that events carry and its description does not have: describe anew, and tell again
    lately       what the next events are told with, once these have landed
    """

    tables: Mapping[str, pa.Table]
    replay_id: bytes | None
    commit_ms: int
    doubts: tuple[Doubt, ...]
    passed_over: int
    schemas_met: frozenset[str]
    unknown: Mapping[str, frozenset[str]]
    lately: Lately


def tables(
    events: Sequence[Received],
    schemas: SchemaCache,
    objects: Mapping[str, Followed],
    *,
    lately: Lately | None = None,
) -> Told:
    """`objects` by their names, which are those of the entities in lower case. `lately`: of the answer before, whose
    rows have landed. Raises what fetching a schema raises. The same events may be told again."""
    schema_ids = frozenset(event.schema_id for event in events)
    heard = (lately or Lately()).then()
    telling = _Telling(_known(schema_ids, schemas), objects, heard)
    for event in events:
        telling.hear(event)
    return Told(
        tables={name: sheet.table() for name, sheet in telling.sheets.items() if len(sheet)},
        replay_id=events[-1].replay_id if events else None,
        commit_ms=heard.commit_ms,
        doubts=tuple(Doubt(*doubt[:2], position, doubt[2]) for doubt, position in telling.doubts.items()),
        passed_over=telling.passed_over,
        schemas_met=schema_ids,
        unknown=telling.unknown(),
        lately=heard,
    )


def _known(schema_ids: frozenset[str], schemas: SchemaCache) -> dict[str, EventSchema | None]:
    """All of them at once, before the first event is told. None: it cannot be read."""
    found: dict[str, EventSchema | None] = {}
    for schema_id in sorted(schema_ids):
        try:
            found[schema_id] = schemas.of(schema_id)
        except Rejected:
            found[schema_id] = None
    return found


class _Telling:
    """The events of one call, heard one after the other."""

    def __init__(
        self, schemas: Mapping[str, EventSchema | None], objects: Mapping[str, Followed], lately: Lately
    ) -> None:
        self._schemas = schemas
        self._objects = objects
        self._lately = lately
        self._plans: dict[tuple[str, str], Plan | None] = {}
        self.sheets: defaultdict[str, Sheet] = defaultdict(Sheet)
        self.doubts: dict[tuple[str, str, bool], int] = {}
        self.passed_over = 0

    def hear(self, event: Received) -> None:
        schema = self._schemas[event.schema_id]
        if schema is None:
            for name in self._objects:
                self._doubt(name, "unreadable_schema", self._lately.commit_ms)
            return
        try:
            self._read(event, schema)
        except _UNREADABLE as error:
            self._set_aside(event, schema, error)

    def _set_aside(self, event: Received, schema: EventSchema, error: BaseException) -> None:
        """Whose event it was the schema's name still says."""
        plan = self._plan(schema, schema.entity)
        if plan is None:
            self.passed_over += 1
            return
        self.sheets[plan.object].faulty(f"undecodable: {type(error).__name__}: {error}", event.payload, plan.origin)
        self._doubt(plan.object, "undecodable", self._lately.commit_ms)

    def unknown(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for plan in self._plans.values():
            if plan is not None and plan.unknown:
                found[plan.object] = found.get(plan.object, frozenset()) | plan.unknown
        return found

    def _plan(self, schema: EventSchema, entity: str) -> Plan | None:
        """None: the entity is not followed."""
        known = (schema.schema_id, entity)
        if known not in self._plans:
            name = entity.lower()
            followed = self._objects.get(name)
            self._plans[known] = None if followed is None else self._lately.plans.of(schema, name, followed)
        return self._plans[known]

    def _read(self, event: Received, schema: EventSchema) -> None:
        """Nothing is told before all of it is read."""
        data = BytesIO(event.payload)
        header = _record(data, schema.head)[HEADER]
        plan = self._plan(schema, header["entityName"])
        if plan is None:
            if self._plan(schema, schema.entity) is not None:
                raise Rejected(f"it tells of {header['entityName'][:80]!r}")
            self.passed_over += 1
            return
        body = _record(data, schema.body)
        if data.tell() != len(event.payload):
            raise Rejected("there are bytes behind its end")
        if not 0 <= header["commitTimestamp"] <= _COMMIT_MS_MAX:
            raise Rejected(f"it was committed at {header['commitTimestamp']}")
        self._understand(plan, header, body)

    def _understand(self, plan: Plan, header: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        change = header["changeType"]
        if change == "UPDATE":
            said, lost = plan.changed(header, body)
            self._tell(plan, header, Says(Kind.PATCH, said, lost, body))
        elif change in _ALIVE:
            said, lost = plan.whole(header, body)
            self._tell(plan, header, Says(_ALIVE[change], said, lost, body))
        elif change in _DEAD:
            self._tell(plan, header, _DEATH)
        elif change == "GAP_OVERFLOW":
            self._committed(header)
            self._doubt(plan.object, "overflow", header["commitTimestamp"])
        else:
            self._tell(plan, header, _GAP)

    def _tell(self, plan: Plan, header: Mapping[str, Any], says: Says) -> None:
        ids: Sequence[str] = header["recordIds"]
        records = [said if said.endswith(_ANY) else to18(said) for said in ids]
        if not records:
            raise Rejected("it names no record")
        self._committed(header)
        commit_ms, number, rank = header["commitTimestamp"], header["commitNumber"], header["sequenceNumber"]
        sheet, second = self.sheets[plan.object], commit_ms // 1000
        place = Place(second, number, rank, commit_ms, plan.origin)
        for record_id in records:
            if record_id.endswith(_ANY):
                self._doubt(plan.object, "wildcard", commit_ms, whole=True)
                continue
            sheet.row(says, record_id, place)
            if says.lost:
                sheet.row(_GAP, record_id, place)
            greater = self._lately.inverted(record_id, number, second)
            if greater is not None:
                sheet.row(_GAP, record_id, place._replace(position=greater))

    def _committed(self, header: Mapping[str, Any]) -> None:
        self._lately.commit_ms = max(self._lately.commit_ms, header["commitTimestamp"])

    def _doubt(self, name: str, reason: str, at_ms: int, *, whole: bool = False) -> None:
        doubt, second = (name, reason, whole), at_ms // 1000
        self.doubts[doubt] = min(self.doubts.get(doubt, second), second)
