"""Reads beside the source's own tracks: of one moment each, on a track of their own that goes on from nothing.

Keys that are read again, everything at one moment for a certificate, and a chunk of a range.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from ....base.clock import Clock
from ....base.codec import canonical_json
from ....base.cursor import Cursor
from ....base.order import Class, Order
from ....base.range import Range
from ...source import Bound, Captured, Chunk, Cut, Place
from ...sums import SummableCut
from ..catalogue import Table
from ..lsn import lsn_text
from ..wire import Moment, Wire
from . import ranges
from .pieces import pieces
from .snapshot import Snapshot, Stamp, snapshot_at
from .sums import TableSums

EXACT = canonical_json({"exact": True})
"""Of a bound behind which nothing may be read, as something is to be compared there."""

_keys_max = 5_000
"""Keys that one question asks for."""
_chunk_wait_seconds = 1
"""How long a chunk of a range waits for a transaction that is open: there is other work, and it is tried again."""


class Aside:
    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire = wire
        self._clock = clock

    @contextmanager
    def reread(self, wanted: Mapping[Table, Sequence[str]], epoch: int) -> Iterator[Iterator[Captured]]:
        """These keys of each table: an image or a delete for each."""
        with self._wire.moment() as moment, self._snapshot(moment) as snapshot:
            yield self._keyed(snapshot, moment, wanted, epoch)

    @contextmanager
    def cut(self, tables: Sequence[Table], epoch: int) -> Iterator[Cut]:
        """All rows of these tables."""
        with self._wire.moment() as moment, self._snapshot(moment) as snapshot:
            told = partial(self._told, snapshot, moment, {table.object: table for table in tables}, epoch)
            appended = frozenset(table.object for table in tables if table.append_only)
            sums = TableSums(self._wire, snapshot, moment, tables, epoch)
            yield SummableCut(Bound(moment.lsn, EXACT), told, epoch=epoch, by_content=appended, sums=sums)

    def chunk(self, table: Table, range_: Range, epoch: int, *, behind: Place | None, rows_max: int) -> Chunk:
        """So many rows of a range, behind a place."""
        walk = tuple(column for column, _ in behind) if behind else ranges.walk_of(self._wire.dsn, table, range_)
        with self._wire.moment(wait_seconds=_chunk_wait_seconds) as moment, self._snapshot(moment) as snapshot:
            images, reached = ranges.read(snapshot, table, range_, walk=walk, behind=behind, rows_max=rows_max)
        after = Cursor.of(f"range/{lsn_text(moment.lsn)}/{table.object}", 1, {"lsn": lsn_text(moment.lsn)})
        captured = Captured(None, after, epoch, "native", {table.object: images}, at_one_moment=True)
        return Chunk(captured, reached, Order(epoch, moment.lsn, Class.READ))

    @contextmanager
    def _snapshot(self, moment: Moment) -> Iterator[Snapshot]:
        stamp = Stamp(moment.lsn, self._clock.now())
        with snapshot_at(self._wire.dsn, moment.snapshot, stamp) as snapshot:
            yield snapshot

    def _keyed(
        self, snapshot: Snapshot, moment: Moment, wanted: Mapping[Table, Sequence[str]], epoch: int
    ) -> Iterator[Captured]:
        for table, keys in wanted.items():
            asked = list(dict.fromkeys(keys))
            chunks = (asked[start : start + _keys_max] for start in range(0, len(asked), _keys_max))
            yield from pieces("reread", table, moment, epoch, (snapshot.keyed(table, chunk) for chunk in chunks))

    def _told(
        self, snapshot: Snapshot, moment: Moment, tables: Mapping[str, Table], epoch: int, objects: Collection[str]
    ) -> Iterator[Captured]:
        for object_ in objects:
            table = tables[object_]
            yield from pieces("cut", table, moment, epoch, snapshot.images(table))
