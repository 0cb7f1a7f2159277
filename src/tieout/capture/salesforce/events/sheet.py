"""A sheet: the changes of one object, gathered column by column.

A row of it costs its envelope and the values that it has; what a column has no value for is null, and costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ....base.change import CAPTURED, TIMESTAMP, Kind
from ....base.order import Class
from ....base.types import ColumnType
from .texts import Form, texts

KEY = "Id"
_FAULT_CHARACTERS_MAX = 500


class Place(NamedTuple):
    """Where a change stands. A named tuple, as there is one for every event."""

    position: int
    minor: int
    rank: int
    commit_ms: int
    origin: str


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A column, as one schema holds its values."""

    column: str
    form: Form
    type: ColumnType


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """text   the cover, as the envelope has it
    plain  columns with the names of their values in the event's body
    parts  columns with the name of a compound and that of their part of it, None for the value in its place
    """

    text: str
    plain: tuple[tuple[Slot, str], ...]
    parts: tuple[tuple[Slot, str, str | None], ...]

    @property
    def slots(self) -> list[Slot]:
        return [slot for slot, _ in self.plain] + [slot for slot, _, _ in self.parts]


NOTHING = Cover("[]", (), ())


class Says(NamedTuple):
    """What an event says of each of its records. `lost`: a field changed, and to what it does not say."""

    kind: Kind
    cover: Cover
    lost: bool = False
    body: Mapping[str, Any] = {}


class Sheet:
    def __init__(self) -> None:
        self._kinds: list[str] = []
        self._ids: list[str | None] = []
        self._places: list[Place] = []
        self._covers: list[Cover] = []
        self._faults: dict[int, tuple[str, bytes]] = {}
        self._rows: defaultdict[Slot, list[int]] = defaultdict(list)
        self._values: defaultdict[Slot, list[Any]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._kinds)

    def row(self, says: Says, record_id: str, place: Place) -> None:
        at, body = len(self._kinds), says.body
        self._kinds.append(says.kind)
        self._ids.append(record_id)
        self._places.append(place)
        self._covers.append(says.cover)
        for slot, top in says.cover.plain:
            if (value := body[top]) is not None:
                self._rows[slot].append(at)
                self._values[slot].append(value)
        for slot, top, part in says.cover.parts:
            if (value := _part(body[top], part)) is not None:
                self._rows[slot].append(at)
                self._values[slot].append(value)

    def faulty(self, fault: str, raw: bytes, origin: str) -> None:
        """An event that cannot be read: it names no record, and stands nowhere."""
        self._faults[len(self._kinds)] = (" ".join(fault.split())[:_FAULT_CHARACTERS_MAX], raw)
        self._kinds.append(Kind.PATCH)
        self._ids.append(None)
        self._places.append(Place(0, 0, 0, 0, origin))
        self._covers.append(NOTHING)

    def table(self) -> pa.Table:
        """With a column for each that any of its rows covers."""
        count = len(self._kinds)
        held: dict[str, set[Slot]] = {}
        for slot in (slot for cover in set(self._covers) for slot in cover.slots):
            held.setdefault(slot.column, set()).add(slot)
        fields = [pa.field(name, pa.string()) for name in (KEY, *sorted(held))]
        columns = [pa.array(self._ids, pa.string()), *(self._texts(held[name], count) for name in sorted(held))]
        envelope = self._envelope(count)
        arrays = [envelope[name] for name in CAPTURED.names] + columns
        return pa.Table.from_arrays(arrays, schema=pa.schema([*CAPTURED, *fields]))

    def _envelope(self, count: int) -> dict[str, pa.Array]:
        positions, minors, ranks, moments, origins = zip(*self._places, strict=True) if count else ((),) * 5
        stands = np.ones(count, np.bool_)
        stands[list(self._faults)] = False
        faults: list[str | None] = [None] * count
        raws: list[bytes | None] = [None] * count
        for at, (fault, raw) in self._faults.items():
            faults[at], raws[at] = fault, raw
        return {
            "_kind": pa.array(self._kinds, pa.string()),
            "_position": pa.array(np.array(positions, np.int64), mask=~stands),
            "_class": pa.array(np.full(count, int(Class.EVENT), np.int8), mask=~stands),
            "_minor": pa.array(np.array(minors, np.int64), mask=~stands),
            "_rank": pa.array(np.array(ranks, np.int64), mask=~stands),
            "_cover": pa.array([cover.text for cover in self._covers], pa.string()),
            "_keyed": pa.nulls(count, pa.string()),
            "_observed_at": pa.array(np.array(moments, np.int64) * 1000, TIMESTAMP, mask=~stands),
            "_origin": pa.array(origins, pa.string()),
            "_ordinal": pa.array(np.arange(count)),
            "_fault": pa.array(faults, pa.string()),
            "_raw": pa.array(raws, pa.binary()),
        }

    def _texts(self, slots: Iterable[Slot], count: int) -> pa.Array:
        """One text for each row of a column; null where it has no value in any form."""
        held = [slot for slot in slots if slot in self._rows]
        if not held:
            return pa.nulls(count, pa.string())
        values = pa.concat_arrays([texts(slot.form, slot.type, self._values[slot]) for slot in held])
        rows = np.concatenate([np.array(self._rows[slot], np.int64) for slot in held])
        if len(held) == 1 and len(rows) == count:
            return values
        source = np.full(count, -1, np.int64)
        source[rows] = np.arange(len(rows))
        return values.take(pa.array(source, mask=source < 0))


def _part(said: Any, part: str | None) -> Any:
    if part is None:
        return said
    return said[part] if isinstance(said, dict) else None
