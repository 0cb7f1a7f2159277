"""A simulated database that is followed through its log, and the source that reads it.

The server keeps what was committed for our slot until we confirm it, and nothing longer; the slot may be dropped, or
made anew by somebody. Each object is read whole by chunks of its keys, beside the log, each chunk at a later moment.
What the log did not tell is a hole, which is said of each object and closed by reading it again to its sweep.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from ....base.change import Kind
from ....base.codec import canonical_json
from ....base.cursor import Cursor, Progress
from ....base.errors import Misconfigured, Transient
from ....base.order import Class
from ....base.types import Described
from ....capture.hole import Hole
from ....capture.source import Bound, Captured, Cut, unbothered
from .company import Change, Commit, Field, Row, events
from .logreading import Reading, read_track
from .logserver import LogServer, Slot
from .saying import ENCODING, Reach, Says, Wire, described, table_of, without_key

LOG: Final = "log"
EXACT: Final = canonical_json({"exact": True})
_chunks_max: Final = 100_000
"""Chunks of one pass: far more than the rows of any simulated company."""
_LONG: Final = 30
"""Characters from which on a wide value is kept apart from its row."""


@dataclass(slots=True)
class _Pass:
    """One pass over the log and what is to be read. `known` is what is registered."""

    known: dict[str, Cursor]
    slot: Slot

    @property
    def told(self) -> int:
        """The log is told up to here."""
        return int(self.known[LOG].read()["told"])


class LoggedSource:
    """A `Source` that `ReadsAnew`. `commits_max`: of one piece of the log; `rows_max`: of one chunk of a reading."""

    rereads: Final = True

    def __init__(
        self,
        lane: str,
        server: LogServer,
        *,
        reach: Reach,
        commits_max: int = 3,
        rows_max: int = 4,
    ) -> None:
        self.lane = lane
        self._server = server
        self._wire = Wire(LOG, reach, server.throttle)
        self._commits_max = commits_max
        self._rows_max = rows_max
        self._described: Mapping[str, Sequence[Field]] = {}

    def describe(self, *, anew: bool = False) -> tuple[Described, ...]:
        if anew or not self._described:
            self._described = self._wire.ask("describe", self._server.catalogue)
        return tuple(described(object_, fields) for object_, fields in sorted(self._described.items()))

    def bound(self) -> Bound:
        return Bound(self._wire.ask("bound", self._server.flushed))

    def capture(
        self, progress: Progress, *, until: Bound, meanwhile: Callable[[], None] = unbothered
    ) -> Iterator[Captured]:
        known = dict(progress)
        for piece in self._pieces(known, until):
            meanwhile()
            yield piece
            known[piece.after.track] = piece.after

    def _pieces(self, known: dict[str, Cursor], until: Bound) -> Iterator[Captured]:
        """`known` is what is registered: whoever takes a piece adds it there."""
        this = _Pass(known, (yield from self._come_up(known)))
        yield from self._told_until(this, until.position)
        if until.state == EXACT:
            return
        for _ in range(_chunks_max):
            object_ = self._unread(this)
            if object_ is None:
                return
            yield from self._chunk(this, object_)
            yield from self._told_until(this, self._wire.ask("bound", self._server.flushed))

    def acknowledge(self, cursor: Cursor) -> None:
        if cursor.track != LOG:
            return
        state = cursor.read()
        try:
            self._wire.ask("confirm", lambda: self._server.confirm(int(state["slot"]), int(state["told"])))
        except Transient:
            return  # it is said again with the next one

    @contextmanager
    def reread(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[Iterator[Captured]]:
        yield self._reread(objects)

    @contextmanager
    def cut(self, objects: tuple[str, ...]) -> Iterator[Cut]:
        position, second, rows = self._wire.ask("moment", lambda: self._server.moment(objects))
        yield Cut(Bound(position, EXACT), partial(self._told_at, position, second, rows))

    def anew(self, object_: str, progress: Progress) -> Captured | None:
        before = progress.get(read_track(object_))
        if before is None or not (then := Reading.of(before)).done:
            return None
        after = Reading(then.slot).cursor(object_, before, then.rows)
        said = Says(Kind.MARK, None, then.start or 0, Class.READ, 0)
        return self._piece(before, after, {object_: [said]}, origin="anew", at_one_moment=True)

    def close(self) -> None:
        """Nothing is held between two exchanges."""

    def _come_up(self, known: Mapping[str, Cursor]) -> Generator[Captured, None, Slot]:
        """Our slot. Where there is none that goes on from what is known one is made, and what was missed by that is
        said."""
        before, slot = known.get(LOG), self._wire.ask("slot", self._server.slot)
        reason = why_not(before, slot)
        if slot is not None and not reason:
            return slot
        made = self._wire.ask("make_slot", self._server.make_slot)
        since = 0 if before is None else int(before.read()["told"])
        hole = Hole(str(since), str(made.created), reason)
        for object_ in self._objects():
            if before is not None or read_track(object_) in known:
                yield self._noted(made, known.get(read_track(object_)), object_, hole)
        marks = {object_: [Says(Kind.MARK, None, made.created, Class.READ, made.second)] for object_ in self._objects()}
        yield self._piece(before, _log_cursor(made, made.created), marks, origin=f"log {made.created}")
        return made

    def _noted(self, made: Slot, before: Cursor | None, object_: str, hole: Hole) -> Captured:
        """That there is a hole, and that the object is to be read whole because of it."""
        held = () if before is None else Reading.of(before).holes
        others = tuple(one for one in held if one.since != hole.since)
        after = Reading(made.made, holes=(*others, hole)).cursor(object_, before, 1)
        gap = Says(Kind.GAP, None, made.created, Class.EVENT, made.second)
        return self._piece(before, after, {object_: [gap]}, origin=f"log {made.created}")

    def _told_until(self, this: _Pass, until: int) -> Iterator[Captured]:
        """What the log has told up to there, some commits a piece. Raises Transient when the slot went away meanwhile:
        the next pass will notice."""
        while this.told < until:  # bounded: each turn tells more
            read = partial(self._server.read, this.slot.made, this.told, until, self._commits_max)
            commits = self._wire.ask("read", read)
            if commits is None:
                raise Transient("the simulated slot went away while it was read.")
            if not commits:
                return
            said: dict[str, list[Says]] = {}
            for commit, at, change in events(commits):
                said.setdefault(change.object, []).extend(self._said(commit, at, change))
            after = _log_cursor(this.slot, commits[-1].position)
            yield self._piece(this.known[LOG], after, said, origin=f"log {after.position}")

    def _unread(self, this: _Pass) -> str | None:
        """The first object that is not read to its end in the life of our slot."""
        for object_ in self._objects():
            cursor = this.known.get(read_track(object_))
            if cursor is None or (then := Reading.of(cursor)).slot != this.slot.made or not then.done:
                return object_
        return None

    def _chunk(self, this: _Pass, object_: str) -> Iterator[Captured]:
        """The next rows, and the end when they are the last."""
        before = this.known.get(read_track(object_))
        then = Reading(this.slot.made) if before is None else Reading.of(before)
        if then.slot != this.slot.made:
            then = Reading(this.slot.made, holes=then.holes)
        behind = then.behind
        chunk = self._wire.ask("chunk", lambda: self._server.chunk(object_, behind, self._rows_max))
        if then.start is None:
            then = replace(then, start=chunk.position, since=0 if before is None else before.position)
        if chunk.rows:
            last, count = max(chunk.rows), then.rows + len(chunk.rows)
            then = replace(then, behind=last, rows=count)
            after = then.cursor(object_, before, chunk.of)
            said = _images(chunk.rows, chunk.position, chunk.second)
            yield self._piece(
                before, after, {object_: said}, origin=f"read {chunk.position}", at_one_moment=True, since=then.since
            )
            before = after
        if len(chunk.rows) < self._rows_max:
            after = replace(then, done=True, holes=()).cursor(object_, before, chunk.of)
            said = self._ended(then.start or 0, chunk.second)
            origin = f"read {chunk.position}"
            yield self._piece(before, after, {object_: said}, origin=origin, at_one_moment=True, since=then.since)

    def _ended(self, start: int, second: int) -> list[Says]:
        return [Says(Kind.SWEEP, None, start, Class.READ, second)]

    def _said(self, commit: Commit, at: int, change: Change) -> list[Says]:
        """What the log tells of one change: three places in the order, of which most need one."""

        def says(kind: Kind, key: str | None, fields: Row | None = None, place: int = 0) -> Says:
            return Says(kind, key, commit.position, Class.EVENT, commit.at_second, fields, 3 * at + place)

        if change.what == "truncate":
            return [says(Kind.TRUNCATE, None)]
        if change.row is None:
            return [says(Kind.DELETE, change.key)]
        apart = self._apart(change)
        told = without_key(change.row, apart)
        if change.before is None:
            return [says(Kind.PATCH if apart else Kind.IMAGE, change.key, told)]
        moved = [says(Kind.DELETE, change.before), says(Kind.IMAGE, change.key, told, 1)]
        return [*moved, says(Kind.GAP, change.key, None, 2)] if apart else moved

    def _apart(self, change: Change) -> frozenset[str]:
        """The fields that the log leaves out, as their long values were not written."""
        if change.what != "update" or change.row is None:
            return frozenset()
        wide = {one.name for fields in self._server.catalogue().values() for one in fields if one.wide}
        kept = {name for name in wide & change.row.keys() if len(str(change.row[name])) >= _LONG}
        return frozenset(kept - change.assigned)

    def _reread(self, objects: Mapping[str, tuple[str, ...]]) -> Iterator[Captured]:
        known = tuple(object_ for object_ in objects if object_ in self._objects())
        position, second, rows = self._wire.ask("moment", lambda: self._server.moment(known))
        for object_ in known:
            said = []
            for key in dict.fromkeys(json.loads(text)[0] for text in objects[object_]):
                row = rows[object_].get(key)
                kind = Kind.DELETE if row is None else Kind.IMAGE
                fields = None if row is None else without_key(row)
                said.append(Says(kind, key, position, Class.READ, second, fields))
            after = Cursor.of(f"reread/{position}/{object_}", 1, {"position": position})
            yield self._piece(None, after, {object_: said}, origin=f"reread {position}", at_one_moment=True)

    def _told_at(
        self, position: int, second: int, rows: Mapping[str, Mapping[str, Row]], objects: Collection[str]
    ) -> Iterator[Captured]:
        """All rows of a moment, a chunk a piece."""
        for object_ in filter(objects.__contains__, rows):
            before: Cursor | None = None
            images = _images(rows[object_], position, second)
            for start in range(0, len(images), self._rows_max):
                self._wire.ask("cut", unbothered)
                after = Cursor.of(f"cut/{position}/{object_}", start + 1, {"position": position})
                piece = {object_: images[start : start + self._rows_max]}
                yield self._piece(before, after, piece, origin=f"cut {position}", at_one_moment=True)
                before = after

    def _objects(self) -> Sequence[str]:
        if not self._described:
            self.describe()
        return sorted(self._described)

    def _piece(
        self,
        before: Cursor | None,
        after: Cursor,
        said: Mapping[str, Sequence[Says]],
        *,
        origin: str,
        **more: Any,
    ) -> Captured:
        if before is not None and before.position > after.position:
            raise Misconfigured(f"{self.lane}: {after.track} would fall from {before.position} to {after.position}.")
        tables = {object_: table_of(rows, origin=origin) for object_, rows in said.items()}
        return Captured(before, after, 0, ENCODING, tables, **more)


def why_not(before: Cursor | None, slot: Slot | None) -> str:
    """Why the log cannot go on through this slot from what is known; "" when it can."""
    if slot is None:
        return "the slot is not there"
    if before is None:
        return "nobody knows what was read through the slot"
    state = before.read()
    if (state["slot"], state["created"]) != (slot.made, slot.created):
        return "the slot was dropped and made anew by somebody else"
    return "the log was confirmed beyond what is known" if slot.confirmed > int(state["told"]) else ""


def _log_cursor(slot: Slot, told: int) -> Cursor:
    return Cursor.of(LOG, told, {"slot": slot.made, "created": slot.created, "told": told})


def _images(rows: Mapping[str, Row], position: int, second: int) -> list[Says]:
    return [Says(Kind.IMAGE, key, position, Class.READ, second, without_key(row)) for key, row in sorted(rows.items())]
