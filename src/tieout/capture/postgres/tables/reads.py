"""The tables of a source that are read whole, beside its log: a chunk at a time, each table to its end, one by one.

Where a table stands is in its cursor, so a kill costs no more than the chunk that was being read.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from ....base.cursor import Cursor, Progress
from ...source import Captured
from ..catalogue import Table
from ..standing import Incarnation, incarnation_of, is_shaped, snapshot_track
from .reading import Due, Reading
from .snapshot import Stamp, gap, mark, sweep
from .view import View


class Reads:
    """`dues` say what each table needs, `progress` what is registered of it. Whoever takes a piece registers it."""

    def __init__(
        self,
        tables: Sequence[Table],
        dues: Mapping[str, Due],
        *,
        incarnation: Incarnation,
        progress: Progress,
    ) -> None:
        # An append-only table is read in one go, however large it is: the others need not wait for it.
        self._tables = sorted(tables, key=lambda table: table.append_only)
        self._incarnation = incarnation
        self._cursors = {table.object: progress.get(snapshot_track(table.object)) for table in tables}
        self._dues = dict(dues)
        self._readings = {object_: due.reading for object_, due in dues.items()}

    @property
    def unread(self) -> list[Table]:
        """The tables that are not read to their end."""
        return [table for table in self._tables if not self._readings[table.object].done]

    @property
    def is_holed(self) -> bool:
        """Whether there are holes that nobody was told of."""
        return any(due.reason for due in self._dues.values())

    def note_holes(self, stamp: Stamp, *, begins: bool) -> Iterator[Captured]:
        """Says of each new hole that there is one, with this position as its upper end. `begins`: the tables are read
        from this very position on."""
        for table in self.unread:
            if self._dues[table.object].reason:
                reading = self._dues[table.object].holed(stamp.lsn)
                self._dues[table.object] = Due(reading)
                if begins:
                    reading = reading.begun(stamp.lsn, self._cursors[table.object])
                piece = self._piece(table, gap(stamp), reading)
                yield replace(piece, at_one_moment=False)

    def chunk(self, view: View) -> Iterator[Captured]:
        """The next chunk of the first table that is unread, past blocks without rows, and its end when it was the last.
        Raises Transient, and Rewritten when the table must be read from its beginning again."""
        table = self.unread[0]
        before = self._cursors[table.object]
        while self._cursors[table.object] == before:
            reading = self._readings[table.object]
            if table.append_only:
                reading = reading.anew(view.moment.lsn, before)
            elif reading.start is None:
                reading = reading.begun(view.moment.lsn, before)
            if reading.part < len(reading.shape.files):
                reading = yield from self._blocks(table, reading, view)
            self._readings[table.object] = reading
            if reading.part >= len(reading.shape.files):
                yield self._end(table, reading, view)

    def _blocks(self, table: Table, reading: Reading, view: View) -> Generator[Captured, None, Reading]:
        """The rows of the next blocks; returns where the reading stands behind them."""
        with view.ahead.chunk(table, reading) as chunk:
            for images, is_last in _with_last(chunk.pieces):
                reading = reading.told(images.num_rows)
                behind = chunk.after.told(reading.rows - chunk.after.rows)
                yield self._piece(table, images, behind if is_last else reading)
            return chunk.after.told(reading.rows - chunk.after.rows)

    def _end(self, table: Table, reading: Reading, view: View) -> Captured:
        stamp = Stamp(reading.start or view.moment.lsn, view.snapshot.stamp.read_at)
        ended = sweep(stamp, reading.rows) if reading.sweeps else mark(stamp, reading.rows)
        return self._piece(table, ended, reading.ended())

    def _piece(self, table: Table, rows: pa.Table, reading: Reading) -> Captured:
        before = self._cursors[table.object]
        after = reading.cursor(snapshot_track(table.object), table.object, before, self._incarnation)
        self._cursors[table.object], self._readings[table.object] = after, reading
        tables, epoch = {table.object: rows}, self._incarnation.epoch
        return Captured(before, after, epoch, "native", tables, at_one_moment=True, since=reading.since)


def read_anew(object_: str, cursor: Cursor | None, read_at: datetime) -> Captured | None:
    """What makes the table due to be read from its beginning; None while it is not read to its end."""
    if cursor is None or not is_shaped(cursor) or not (reading := Reading.of(cursor)).done:
        return None
    incarnation = incarnation_of(cursor)
    after = reading.due_again().cursor(cursor.track, object_, cursor, incarnation)
    said = mark(Stamp(reading.start or 0, read_at), reading.rows)
    return Captured(cursor, after, incarnation.epoch, "native", {object_: said}, at_one_moment=True)


def _with_last(pieces: Iterable[pa.Table]) -> Iterator[tuple[pa.Table, bool]]:
    """Each with whether it is the last."""
    held: pa.Table | None = None
    for piece in pieces:
        if held is not None:
            yield held, False
        held = piece
    if held is not None:
        yield held, True
