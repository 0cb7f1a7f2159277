"""A cut through an org that does not stand still: its rows as they are read, and which of them changed since the cut.

An org shows no past. So all that it had at the cut is drained first, until windows are certain of it; then its rows are
read, and those whose stamp is later than the cut are told apart: of them nothing can be said as of that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from ...base.change import Kind
from ...base.cursor import Cursor
from ..counts import CountableCut
from ..derived import DerivedColumns
from ..source import Bound, Captured
from .budget import Work
from .counting import Asks, ObjectCounts
from .describe import STAMP
from .jobs import told_of
from .moments import Moment, mark
from .reading import ObjectReading

EXACT = '{"exact":true}'


class LiveCut:
    """The rows of some objects. `position`: the second of the cut; `aged`: as of which second the derived columns of an
    object were last read of all rows, as far as the last capture came; 0: never."""

    def __init__(
        self, readings: Mapping[str, ObjectReading], position: int, asks: Asks, *, aged: Callable[[str], int]
    ) -> None:
        self._readings = readings
        self._position = position
        self._asks = asks
        self._clock = asks.clock
        self._aged = aged
        self._moved: dict[str, set[str]] = {}

    def cut(self) -> CountableCut:
        counts = ObjectCounts(self._readings, self._position, self._asks)
        bound = Bound(self._position, EXACT)
        return CountableCut(bound=bound, tell=self.tell, moved=self.moved, counts=counts, derived=self)

    def tell(self, objects: Collection[str]) -> Iterator[Captured]:
        for object_ in objects:
            yield from self._tell(self._readings[object_])

    def moved(self, object_: str) -> Collection[str]:
        """Ids of the rows that changed after the cut, of an object that was told."""
        return self._moved.get(object_, frozenset())

    def columns(self, object_: str) -> DerivedColumns:
        formulas, aged = self._readings[object_].sobject.formulas, self._aged(object_)
        as_of = datetime.fromtimestamp(aged, UTC) if aged else None
        return DerivedColumns(tuple(field.name for field in formulas), as_of)

    def values(self, object_: str) -> Iterator[Captured]:
        reading = self._readings[object_]
        job = reading.job(reading.sobject.formulas, "", Work.REPAIR)
        last = datetime.fromtimestamp(self._position, UTC).strftime("%Y-%m-%dT%H:%M:%S.999Z")
        for told in told_of(reading, job, self._clock, is_partial=True):
            if told is None:
                yield self._waiting(reading, job.id)
                continue
            is_row = pc.equal(told["_kind"], Kind.PATCH.value)
            is_moved = pc.greater(told[STAMP], last) if STAMP in told.column_names else pa.scalar(False)
            yield _piece(object_, told.filter(pc.and_not(is_row, is_moved)))

    def _tell(self, reading: ObjectReading) -> Iterator[Captured]:
        moved = self._moved[reading.object] = set()
        # Windows have passed the cut, so what a row is stamped with before it is as certain as the cut itself.
        job = replace(reading.job(reading.sobject.fields, "", Work.REPAIR), watermark=self._position)
        for told in told_of(reading, job, self._clock):
            if told is None:
                yield self._waiting(reading, job.id)
                continue
            is_moved = pc.greater(told["_position"], self._position)
            moved.update(told.filter(is_moved)["Id"].to_pylist())
            is_row = pc.equal(told["_kind"], Kind.IMAGE.value)
            yield _piece(reading.object, told.filter(pc.and_not(is_row, is_moved)))

    def _waiting(self, reading: ObjectReading, job: str) -> Captured:
        """The lease is renewed between two pieces, also where there is nothing to tell yet."""
        return _piece(reading.object, mark(Moment(self._position, 0, self._clock.now()), job))


def _piece(object_: str, told: pa.Table) -> Captured:
    after = Cursor.of(f"cut/{object_}", 1, {})
    return Captured(None, after, epoch=0, encoding="text", tables={object_: told})
