"""The source `postgres`: tables of one database, followed through its log, and read whole by chunks beside it.

What was read and what the log tells overlap, and may: a read is stamped with the position before which it has seen
everything, so the merge puts each in its place. A slot of ours is made only when the first piece read at its beginning
is registered; so a kill between the two leaves no slot whose beginning nobody knows. What the log did not tell is a
hole: it is said of each table concerned, and closed by reading just these tables again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa

from ...base.clock import Clock
from ...base.cursor import Cursor, Progress
from ...base.errors import Broken, Misconfigured, Transient
from ...base.range import Range
from ...base.types import Declared, Described
from ..source import Bound, Captured, Chunk, Cut, Estimate, Place, Remark, unbothered
from .appends import remark
from .catalogue import Table, TableName, all_wanted
from .hearing import hearing, refuse_gone
from .heartbeat import Heartbeat
from .log.following import Following
from .log.stream import Undecodable
from .shape import Shape, is_published_anew
from .standing import (
    WAL,
    Incarnation,
    Server,
    Slot,
    Standing,
    is_read,
    snapshot_track,
    standing,
)
from .tables import ranges
from .tables.aside import EXACT, Aside
from .tables.reading import dues, shapes_read, strangers_of
from .tables.reads import Reads, read_anew
from .tables.snapshot import Rewritten, Stamp
from .tables.view import Views
from .values.nested import told_as_json
from .wire import Wire

_beginnings_max = 4
"""How often a table that is written anew while it is read is begun again in one pass."""


class PostgresSource:
    """`tables` maps the names of our objects to tables, `schema.table`; of `schemas` every table is read.

    `failover`: a standby that takes over shall have our slot too, where the server can see to that (17 and later).
    `heartbeat_seconds`: how often a word is left in the log; 0 for never. `streaming`: a folder where transactions may
    wait that have not committed; None: the server keeps them until they have.
    `declared`: what contracts say now. Their keys hold where a table logs whole old rows (REPLICA IDENTITY FULL).
    `append_only`: objects of whose tables, which have no key, only what is added is told.
    """

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
        failover: bool = True,
        heartbeat_seconds: float = 0.0,
        declared: Callable[[], Mapping[str, Declared]] = dict,
        streaming: Path | None = None,
        append_only: Collection[str] = (),
    ) -> None:
        if not tables and not schemas:
            raise Misconfigured(f"source {lane} names no tables.", hint="List them under `tables` in tieout.yaml.")
        self.lane = lane
        self._named = dict(tables)
        self._schemas = tuple(schemas)
        self._declared = declared
        self._slot = slot
        self._clock = clock
        self._wire = Wire(
            url,
            slot=slot,
            publication=publication,
            failover=failover,
            streaming=streaming,
            append_only=append_only,
        )
        self._heartbeat = Heartbeat(self._wire, clock, beat_seconds=heartbeat_seconds)
        self._following: Following | None = None
        self._epoch = 0
        self._views = Views(self._wire, clock)
        self._aside = Aside(self._wire, clock)
        self._reads: Reads | None = None
        self._meanwhile: Callable[[], None] = unbothered
        self._known: tuple[Table, ...] = ()
        self._left_out: tuple[Remark, ...] = ()
        self._shapes: Mapping[str, Shape] = {}

    @cached_property
    def _wanted(self) -> Mapping[str, TableName]:
        """Object -> schema.table: the named ones, and what the schemas hold when it is first asked."""
        found = self._wire.tables_in(self._schemas) if self._schemas else ()
        return all_wanted(self._named, found, self._schemas)

    def describe(self, *, anew: bool = False) -> tuple[Described, ...]:
        # While a table is read the catalogue is not asked: a question could wait behind somebody who waits for us.
        if not self._known:
            self._list({})
        if anew and self._following is not None:
            wanted = {table.object: self._wanted[table.object] for table in self._known}
            listing = self._wire.tables(wanted, declared=self._declared(), may_stay_out=set(wanted))
            now = {table.object: table for table in listing.tables}
            self._known = tuple(now.get(table.object, table) for table in self._known)
        return tuple(table.described() for table in self._known)

    def remarks(self) -> tuple[Remark, ...]:
        appended = (remark(self.lane, table.object, table.quoted) for table in self._known if table.append_only)
        return (*self._left_out, *appended)

    def bound(self) -> Bound:
        try:
            return Bound(self._wire.flushed())
        except Transient:
            # A server that stops in order waits for those who read its log: let go, so that it need not wait for us.
            self._let_go()
            raise

    def capture(
        self, progress: Progress, *, until: Bound, meanwhile: Callable[[], None] = unbothered
    ) -> Iterator[Captured]:
        known, self._meanwhile = dict(progress), meanwhile
        try:
            for piece in self._pieces(known, until):
                yield piece
                known[piece.after.track] = piece.after
        except BaseException:
            # A piece may be half made, or yielded and not registered: the log is read again from what is proven.
            self._let_go()
            raise

    def _pieces(self, known: Progress, until: Bound) -> Iterator[Captured]:
        for _ in range(_beginnings_max - 1):
            try:
                yield from self._pass(known, until)
            except Rewritten:
                self._let_go()
            except Undecodable:
                self._let_go()
                if not self._wire.stop_streaming():
                    raise
            else:
                return
        yield from self._pass(known, until)

    def _pass(self, known: Progress, until: Bound) -> Iterator[Captured]:
        """What the log has said, and by turns with it a chunk of what is to be read."""
        following = self._following
        if following is None or not self._stands(following, known):
            self._let_go()
            following = yield from self._come_up(known)
        self._heartbeat.beat()
        yield from self._told_by(following, until.position)
        refuse_gone(following.transactions, self._shapes)
        if until.state != EXACT and self._heartbeat.leave_name(following):
            yield from self._told_by(following, self._wire.flushed())
        while (reads := self._reads) is not None and reads.unread and until.state != EXACT:
            yield from self._read_next(following, reads)
            yield from self._told_by(following, self._wire.flushed())
            yield from self._heartbeat.mark(following, known)
        self._views.close()
        yield from self._heartbeat.mark(following, known)

    def _read_next(self, following: Following, reads: Reads) -> Iterator[Captured]:
        """A chunk. Of an append-only table it is all there is, so the log is followed between the pieces of it."""
        table = reads.unread[0]
        if not table.append_only:
            yield from reads.chunk(self._views.get())
            return
        # What the log told of it was passed over until now, so it is read in a view that is younger than all of that.
        self._views.close()
        view = self._views.get()
        following.transactions.pass_over(table.object, view.moment.lsn)
        for piece in reads.chunk(view):
            yield piece
            yield from self._told_by(following, self._wire.flushed())

    def acknowledge(self, cursor: Cursor) -> None:
        if self._following is not None:
            self._following.confirm(cursor)

    @contextmanager
    def reread(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[Iterator[Captured]]:
        tables = [table for table in self._tables(tuple(objects)) if not table.append_only]
        with self._aside.reread({table: objects[table.object] for table in tables}, self._epoch) as told:
            yield told

    @contextmanager
    def cut(self, objects: tuple[str, ...]) -> Iterator[Cut]:
        with self._aside.cut(self._tables(objects), self._epoch) as cut:
            yield cut

    def anew(self, object_: str, progress: Progress) -> Captured | None:
        cursor = progress.get(snapshot_track(object_)) if object_ in self._wanted else None
        return read_anew(object_, cursor, self._clock.now())

    def understood(self, object_: str, wish: Range) -> Range:
        return ranges.understood(self._wire.dsn, self._ranged(object_), wish)

    def estimate(self, object_: str, range_: Range) -> Estimate:
        return ranges.estimate(self._wire.dsn, self._ranged(object_), range_)

    def within(self, object_: str, range_: Range, keys: Sequence[str]) -> tuple[str, ...]:
        return ranges.within(self._wire.dsn, self._ranged(object_), range_, keys)

    def chunk(self, object_: str, range_: Range, *, behind: Place | None, rows_max: int) -> Chunk:
        return self._aside.chunk(self._ranged(object_), range_, self._epoch, behind=behind, rows_max=rows_max)

    def close(self) -> None:
        self._let_go()
        self._wire.close()

    def _stands(self, following: Following, known: Progress) -> bool:
        """Whether nothing has happened but what the log tells."""
        read = all(is_read(known, table.object, following.incarnation) for table in self._known)
        same = read and following.cursor == known.get(WAL) and self._wire.shapes(self._known) == self._shapes
        return same and following.stream.is_alive()

    def _let_go(self) -> None:
        following, self._following, self._reads = self._following, None, None
        self._views.close()
        if following is not None:
            following.close()

    def _come_up(self, known: Progress) -> Generator[Captured, None, Following]:
        """Opens the log where it goes on, and says what must be read whole."""
        server = self._wire.server()
        tables = self._list(known)
        slot = self._published_slot(tables)
        self._shapes = self._wire.shapes(tables)
        stands = standing(known, self._slot, server, self._judged(slot, known))
        self._epoch = stands.epoch
        if stands.incarnation is None:
            incarnation = yield from self._begin_anew(known, stands, server)
            start = incarnation.slot_lsn
        else:
            incarnation, start = stands.incarnation, stands.start
            self._reads = self._reads_of(known, stands.reason, incarnation)
            if self._reads.is_holed:
                yield from self._noted(self._reads, server)
        cursor, strangers = known.get(WAL), strangers_of(known, incarnation.epoch)
        transactions = hearing(tables, self._shapes, known, incarnation)
        stream = self._wire.follow(start)
        self._following = Following(stream, transactions, incarnation, start, strangers, cursor, cursor)
        return self._following

    def _published_slot(self, tables: Sequence[Table]) -> Slot | None:
        """Our slot, once the publication tells of every table."""
        slot = self._wire.slot()
        if slot is not None and not self._wire.is_published(tables):
            slot = replace(slot, usable=False, reason="the publication is not there")
        if missing := self._wire.unpublished(tables):
            self._wire.publish(missing)
        return slot

    def _judged(self, slot: Slot | None, known: Progress) -> Slot | None:
        """Our slot; of no use where a publication was made anew, as the log cannot be told from before that on."""
        shapes = shapes_read(known, self._shapes)
        if slot is not None and any(is_published_anew(then, self._shapes[object_]) for object_, then in shapes.items()):
            return replace(slot, usable=False, reason="the publication was made anew")
        is_told = any(table.append_only and table.object in shapes for table in self._known)
        if slot is not None and not is_told and self._wire.is_appends_late():
            return replace(slot, usable=False, reason="a publication was added")
        return slot

    def _begin_anew(self, known: Progress, stands: Standing, server: Server) -> Generator[Captured, None, Incarnation]:
        """Makes the slot. What tells of its beginning is registered before it is there: a kill between leaves no slot
        of which nobody knows since when it tells."""
        try:
            view = self._views.get()
        except Transient:
            untold = Incarnation(server.system, server.timeline, stands.epoch, self._slot, server.flushed)
            yield from self._noted(self._reads_of(known, stands.reason, untold), server)
            raise
        incarnation = Incarnation(server.system, server.timeline, stands.epoch, self._slot, view.moment.lsn)
        reads = self._reads = self._reads_of(known, stands.reason, incarnation)
        if reads.is_holed:
            yield from reads.note_holes(view.snapshot.stamp, begins=True)
            self._wire.keep(view.moment)
        else:
            first = reads.chunk(view)  # Every table has a piece, an empty one its sweep.
            yield next(first)
            self._wire.keep(view.moment)
            yield from first
        return incarnation

    def _told_by(self, following: Following, until: int) -> Iterator[Captured]:
        for piece in following.pieces(until, self._meanwhile):
            yield replace(piece, tables=self._with_json(piece.tables))

    def _with_json(self, told: Mapping[str, pa.Table]) -> Mapping[str, pa.Table]:
        """Pieces of the log, with arrays and rows of columns as a read tells them."""
        compositions = {table.object: table.compositions for table in self._known}
        return {object_: told_as_json(table, compositions[object_]) for object_, table in told.items()}

    def _noted(self, reads: Reads, server: Server) -> Iterator[Captured]:
        """The holes, as far as they reach now, so that they are known before they can be read again."""
        stamp = Stamp(server.flushed, self._clock.now())
        yield from reads.note_holes(stamp, begins=False)

    def _reads_of(self, known: Progress, reason: str, incarnation: Incarnation) -> Reads:
        needed = dues(self._shapes, known, incarnation, reason=reason)
        return Reads(self._known, needed, incarnation=incarnation, progress=known)

    def _tables(self, objects: tuple[str, ...]) -> tuple[Table, ...]:
        if unknown := sorted(set(objects) - set(self._wanted)):
            raise Broken(f"source {self.lane} has no objects {unknown}.")
        wanted = {object_: self._wanted[object_] for object_ in objects}
        return self._wire.tables(wanted, declared=self._declared()).tables if objects else ()

    def _list(self, progress: Progress) -> tuple[Table, ...]:
        """Asks the catalogue for the tables to follow. One that nobody named may stay out, as long as none of it was
        read: after that its changes would go unseen."""
        unnamed = {
            object_
            for object_ in self._wanted
            if object_ not in self._named and snapshot_track(object_) not in progress
        }
        listing = self._wire.tables(self._wanted, declared=self._declared(), may_stay_out=unnamed)
        self._known, self._left_out = listing.tables, listing.left_out
        if not self._known:
            first = self._left_out[0]
            raise Misconfigured(
                f"none of the schemas' tables can be followed; the first: {first.text}", hint=first.hint
            )
        return self._known

    def _ranged(self, object_: str) -> Table:
        """A table of which ranges can be read."""
        (table,) = self._tables((object_,))
        if table.append_only:
            raise Misconfigured(
                f"{table.quoted} is append_only: its rows have no key by which some of them could be read again.",
                hint=f"Run: tieout certify {self.lane}.{object_} --repair, which compares all of them and mends.",
            )
        return table
