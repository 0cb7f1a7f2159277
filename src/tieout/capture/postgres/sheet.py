"""A sheet: the changes of one relation, under the columns it was last announced with.

Here is what a message means for its key: an insert is an image, an update an image, a patch or a move to another key,
a delete a delete. Rows are kept as tuples and turned to columns all at once, because work per value is what the
capture of a log costs.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from ...base.change import RESERVED, TIMESTAMP, Kind
from ...base.codec import canonical_json
from ...base.errors import Broken
from ...base.order import Class
from .captured import captured
from .pgoutput import Delete, Insert, Relation, Row, Truncate, Update
from .texts import faults_column, texts

_NOTHING = "[]"
_MICROSECONDS_TO_2000 = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
"""The server counts its times from 2000."""

Place = tuple[int, int, int, int, str, bytes]
"""Of a message: position, minor, rank, time of the commit, origin, its bytes."""

_HEAD = 8
"""Parts of a head: a change's kind and cover, and the place of its message."""

Values = tuple[bytes | None, ...]


class Sheet:
    """`key` names the key of tables with REPLICA IDENTITY FULL, whose announcement marks every column as identity."""

    def __init__(self, object_: str, relation: Relation, key: tuple[str, ...]) -> None:
        self.object = object_
        self.relation = relation
        names = [attribute.name for attribute in relation.attributes]
        full = relation.identity == "f"
        self._names = names
        self._key = tuple(
            index for index, column in enumerate(relation.attributes) if (column.name in key if full else column.key)
        )
        self._covers: dict[tuple[int, ...], str] = {}
        self._cover = self._covering(())
        # One flat list each, row after row: a tuple a row would cost the collector more than the row costs us.
        self._heads: list[Any] = []
        self._values: list[bytes | None] = []

    def __len__(self) -> int:
        return len(self._heads) // _HEAD

    def hear(self, message: Insert | Update | Delete | Truncate, place: Place) -> int:
        """Returns how many changes the message makes."""
        if type(message) is Insert:
            return self._image(message.new, place)
        if type(message) is Update:
            return self._update(message, place)
        if type(message) is Delete:
            return self._add(Kind.DELETE, _NOTHING, place, self._identity(message.old))
        return self._add(Kind.TRUNCATE, _NOTHING, place, (None,) * len(self._names))

    def table(self) -> pa.Table:
        """All that was heard, in the shape CAPTURED with the columns behind it; the sheet is empty afterwards."""
        heads, values = self._heads, self._values
        self._heads, self._values = [], []
        columns, faults = {}, []
        for place, name in enumerate(self._names):
            # A source's column may not bear a name of ours: the catalogue refuses it, older log may still have it.
            if name not in RESERVED:
                columns[name], found = texts(pa.array(values[place :: len(self._names)], pa.binary()))
                faults.append((name, found))
        return captured(_envelope(heads, faults_column(faults, len(heads) // _HEAD)), columns)

    def _update(self, update: Update, place: Place) -> int:
        old, new = update.old, update.new
        if old is not None:
            new = self._completed(new, old, full=update.full)
            if self._identity(old) != self._identity(new):
                return self._move(old, new, place)
        if new.unchanged:
            return self._add(Kind.PATCH, self._covering(new.unchanged), place, new.values)
        return self._image(new, place)

    def _move(self, old: Row, new: Row, place: Place) -> int:
        told = self._add(Kind.DELETE, _NOTHING, place, self._identity(old)) + self._image(new, place)
        if new.unchanged:
            told += self._add(Kind.GAP, _NOTHING, place, self._identity(new))
        return told

    def _image(self, new: Row, place: Place) -> int:
        return self._add(Kind.IMAGE, self._covering(new.unchanged) if new.unchanged else self._cover, place, new.values)

    def _add(self, kind: Kind, cover: str, place: Place, values: Values) -> int:
        if len(values) != len(self._names):
            raise Broken(
                f"a tuple of {self.relation.schema}.{self.relation.name} has {len(values)} values, "
                f"the relation was announced with {len(self._names)} columns."
            )
        self._heads += (kind, cover, *place)
        self._values += values
        return 1

    def _completed(self, new: Row, old: Row, *, full: bool) -> Row:
        """The new row with what the old one knows of the values that were not sent: all with FULL, else the key's."""
        if not new.unchanged:
            return new
        known = new.unchanged if full else tuple(index for index in new.unchanged if index in self._key)
        values = list(new.values)
        for index in known:
            values[index] = old.values[index]
        return Row(tuple(values), tuple(index for index in new.unchanged if index not in known))

    def _identity(self, row: Row) -> Values:
        """The row with nothing but its key."""
        values: list[bytes | None] = [None] * len(row.values)
        for index in self._key:
            values[index] = row.values[index]
        return tuple(values)

    def _covering(self, unchanged: tuple[int, ...]) -> str:
        if unchanged not in self._covers:
            self._covers[unchanged] = self._cover_without(unchanged)
        return self._covers[unchanged]

    def _cover_without(self, unchanged: tuple[int, ...]) -> str:
        names = {name for index, name in enumerate(self._names) if index not in unchanged}
        return canonical_json(sorted(names - RESERVED))


def _envelope(heads: list[Any], faults: pa.Array) -> dict[str, pa.Array]:
    kinds, covers, positions, minors, ranks, times, origins, raws = (heads[part::_HEAD] for part in range(_HEAD))
    rows = len(kinds)
    ranked = pa.array(ranks, pa.int64())
    observed = pa.array([time + _MICROSECONDS_TO_2000 for time in times], pa.int64())
    return {
        "_kind": pa.array(kinds, pa.string()),
        "_position": pa.array(positions, pa.int64()),
        "_class": pa.repeat(pa.scalar(int(Class.EVENT), pa.int8()), rows),
        "_minor": pa.array(minors, pa.int64()),
        "_rank": ranked,
        "_cover": pa.array(covers, pa.string()),
        "_keyed": pa.nulls(rows, pa.string()),
        "_observed_at": observed.cast(TIMESTAMP),
        "_origin": pa.array(origins, pa.string()),
        "_ordinal": ranked,
        "_fault": faults,
        "_raw": pa.array(raws, pa.binary()),
    }
