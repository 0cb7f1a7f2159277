"""The source `postgres`: tables of one database, first read whole at one moment, then followed through the log.

What was read and what the log tells overlap, and may: a read is stamped with the position before which it has seen
everything, so the merge puts each in its place. A slot of ours is made only when the first piece read at its beginning
is registered; so a kill between the two leaves no slot whose beginning nobody knows.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Final

import pyarrow as pa

from ...base.clock import Clock
from ...base.cursor import Cursor, Progress
from ...base.errors import Broken, Misconfigured, Transient
from ...base.types import Described
from ..source import Bound, Captured, Cut, Remark
from .catalogue import Table, TableName, all_wanted
from .following import Following
from .lsn import lsn_text
from .nested import told_as_json
from .snapshot import Snapshot, Stamp, snapshot_at, sweep
from .standing import (
    WAL,
    Incarnation,
    Slot,
    Standing,
    is_read,
    snapshot_cursor,
    snapshot_track,
    standing,
    wal_within,
)
from .transactions import Tracked, Transactions
from .wire import Moment, Wire

_keys_max = 5_000
"""Keys that one question asks for."""


class PostgresSource:
    """`tables` maps the names of our objects to tables, `schema.table`; of `schemas` every table is read."""

    rereads: Final = True

    def __init__(
        self,
        lane: str,
        url: str,
        tables: Mapping[str, TableName],
        *,
        slot: str,
        publication: str,
        clock: Clock,
        schemas: Sequence[str] = (),
    ) -> None:
        if not tables and not schemas:
            raise Misconfigured(f"source {lane} names no tables.", hint="List them under `tables` in tieout.yaml.")
        self.lane = lane
        self._named = dict(tables)
        self._schemas = tuple(schemas)
        self._slot = slot
        self._clock = clock
        self._wire = Wire(url, slot=slot, publication=publication)
        self._following: Following | None = None
        self._epoch = 0
        self._known: tuple[Table, ...] = ()
        self._left_out: tuple[Remark, ...] = ()

    @cached_property
    def _wanted(self) -> Mapping[str, TableName]:
        """Object -> schema.table: the named ones, and what the schemas hold when it is first asked."""
        found = self._wire.tables_in(self._schemas) if self._schemas else ()
        return all_wanted(self._named, found)

    def describe(self) -> tuple[Described, ...]:
        # While a table is read the catalogue is not asked: a question could wait behind somebody who waits for us.
        if not self._known:
            self._list({})
        return tuple(table.described() for table in self._known)

    def remarks(self) -> tuple[Remark, ...]:
        return self._left_out

    def bound(self) -> Bound:
        try:
            return Bound(self._wire.flushed())
        except Transient:
            # A server that stops in order waits for those who read its log: let go, so that it need not wait for us.
            self._let_go()
            raise

    def capture(self, progress: Progress, *, until: Bound) -> Iterator[Captured]:
        following = self._following
        try:
            if following is None or not self._stands(following, progress):
                self._let_go()
                following = yield from self._come_up(progress)
            for piece in following.pieces(until.position):
                yield replace(piece, tables=self._with_json(piece.tables))
        except BaseException:
            # A piece may be half made, or yielded and not registered: the log is read again from what is proven.
            self._let_go()
            raise

    def acknowledge(self, cursor: Cursor) -> None:
        if self._following is not None:
            self._following.confirm(cursor)

    @contextmanager
    def reread(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[Iterator[Captured]]:
        tables = self._tables(tuple(objects))
        with self._wire.moment() as moment, self._snapshot(moment) as snapshot:
            yield self._keyed(snapshot, moment, [(table, objects[table.object]) for table in tables])

    @contextmanager
    def cut(self, objects: tuple[str, ...]) -> Iterator[Cut]:
        tables = self._tables(objects)
        with self._wire.moment() as moment, self._snapshot(moment) as snapshot:
            yield Cut(Bound(moment.lsn), self._told(snapshot, moment, tables), epoch=self._epoch)

    def close(self) -> None:
        self._let_go()
        self._wire.close()

    def _stands(self, following: Following, progress: Progress) -> bool:
        read = all(is_read(progress, table.object, following.incarnation) for table in self._known)
        return read and following.cursor == progress.get(WAL) and following.stream.is_alive()

    def _let_go(self) -> None:
        following, self._following = self._following, None
        if following is not None:
            following.close()

    def _come_up(self, progress: Progress) -> Generator[Captured, None, Following]:
        """Reads what must be read whole, and opens the log where it goes on."""
        server = self._wire.server()
        tables = self._list(progress)
        slot = self._published_slot(progress, tables)
        stands = standing(progress, [table.object for table in tables], self._slot, server, slot)
        self._epoch = stands.epoch
        if stands.incarnation is None:
            incarnation = yield from self._begin_anew(progress, stands, tables, server.system, server.timeline)
            start = incarnation.slot_lsn
        else:
            incarnation, start = stands.incarnation, stands.start
            if unread := [table for table in tables if table.object in stands.unread]:
                with self._wire.moment() as moment:
                    yield from self._read(progress, incarnation, moment, unread)
        tracked = {(table.schema, table.name): Tracked(table.object, table.key) for table in tables}
        cursor = progress.get(WAL)
        transactions = Transactions(tracked, wal_within(progress, incarnation.epoch))
        self._following = Following(self._wire.follow(start), transactions, incarnation, start, cursor, cursor)
        return self._following

    def _published_slot(self, progress: Progress, tables: Sequence[Table]) -> Slot | None:
        """Our slot, once the publication tells of every table."""
        slot = self._wire.slot()
        if missing := self._wire.unpublished(tables):
            if slot is not None and any(snapshot_track(table.object) in progress for table in missing):
                # Its changes went untold, and the log will not say so. Without the slot nobody can forget to read anew.
                self._wire.drop_slot()
                slot = None
            self._wire.publish(missing)
        return slot

    def _begin_anew(
        self, progress: Progress, stands: Standing, tables: Sequence[Table], system: str, timeline: int
    ) -> Generator[Captured, None, Incarnation]:
        with self._wire.moment() as moment:
            incarnation = Incarnation(system, timeline, stands.epoch, self._slot, moment.lsn)
            pieces = self._read(progress, incarnation, moment, tables)
            yield next(pieces)  # Every table has a piece, an empty one its sweep.
            self._wire.keep(moment)
            yield from pieces
        return incarnation

    def _read(
        self, progress: Progress, incarnation: Incarnation, moment: Moment, tables: Sequence[Table]
    ) -> Iterator[Captured]:
        """The tables whole, each ended by its sweep."""
        with self._snapshot(moment) as snapshot:
            for table in tables:
                track, rows = snapshot_track(table.object), 0
                before = progress.get(track)
                for images in snapshot.images(table):
                    rows += images.num_rows
                    after = snapshot_cursor(track, before, incarnation, moment.lsn, rows=rows, done=False)
                    yield Captured(
                        before, after, incarnation.epoch, "native", {table.object: images}, at_one_moment=True
                    )
                    before = after
                after = snapshot_cursor(track, before, incarnation, moment.lsn, rows=rows, done=True)
                ended = sweep(snapshot.stamp, rows)
                yield Captured(before, after, incarnation.epoch, "native", {table.object: ended}, at_one_moment=True)

    def _with_json(self, told: Mapping[str, pa.Table]) -> Mapping[str, pa.Table]:
        """Pieces of the log, with arrays and rows of columns as a read tells them."""
        compositions = {table.object: table.compositions for table in self._known}
        return {object_: told_as_json(table, compositions[object_]) for object_, table in told.items()}

    @contextmanager
    def _snapshot(self, moment: Moment) -> Iterator[Snapshot]:
        stamp = Stamp(moment.lsn, self._clock.now())
        with snapshot_at(self._wire.dsn, moment.snapshot, stamp) as snapshot:
            yield snapshot

    def _tables(self, objects: tuple[str, ...]) -> tuple[Table, ...]:
        if unknown := sorted(set(objects) - set(self._wanted)):
            raise Broken(f"source {self.lane} has no objects {unknown}.")
        return self._wire.tables({object_: self._wanted[object_] for object_ in objects}).tables if objects else ()

    def _list(self, progress: Progress) -> tuple[Table, ...]:
        """Asks the catalogue for the tables to follow. One that nobody named may stay out, as long as none of it was
        read: after that its changes would go unseen."""
        unnamed = {
            object_
            for object_ in self._wanted
            if object_ not in self._named and snapshot_track(object_) not in progress
        }
        listing = self._wire.tables(self._wanted, may_stay_out=unnamed)
        self._known, self._left_out = listing.tables, listing.left_out
        if not self._known:
            first = self._left_out[0]
            raise Misconfigured(
                f"none of the schemas' tables can be followed; the first: {first.text}", hint=first.hint
            )
        return self._known

    def _keyed(
        self, snapshot: Snapshot, moment: Moment, wanted: Sequence[tuple[Table, tuple[str, ...]]]
    ) -> Iterator[Captured]:
        for table, keys in wanted:
            asked = list(dict.fromkeys(keys))
            chunks = (asked[start : start + _keys_max] for start in range(0, len(asked), _keys_max))
            pieces = (snapshot.keyed(table, chunk) for chunk in chunks)
            yield from self._at_once("reread", table, moment, pieces)

    def _told(self, snapshot: Snapshot, moment: Moment, tables: Sequence[Table]) -> Iterator[Captured]:
        for table in tables:
            yield from self._at_once("cut", table, moment, snapshot.images(table))

    def _at_once(self, verb: str, table: Table, moment: Moment, pieces: Iterator[pa.Table]) -> Iterator[Captured]:
        """Pieces of a read that is of one moment and goes on from nothing: its track is its own."""
        track, before, rows = f"{verb}/{lsn_text(moment.lsn)}/{table.object}", None, 0
        for piece in pieces:
            rows += piece.num_rows
            position = 1 if before is None else before.position + 1
            after = Cursor.of(track, position, {"lsn": lsn_text(moment.lsn), "rows": rows})
            yield Captured(before, after, self._epoch, "native", {table.object: piece}, at_one_moment=True)
            before = after
