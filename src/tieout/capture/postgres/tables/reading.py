"""The full read of a table, chunk by chunk: how far it is, what it still has to do, and when it must begin again.

Its first chunk is read at the position `start` of the log, every later one at some later moment. From `start` on the
log tells what happens, so a row that a later chunk misses, because it moved to a block that was read already, is told
there; and when all is read, a sweep as of `start` ends whatever was not mentioned. Values in, values out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ....base.cursor import Cursor, Progress
from ....base.order import INT64_MAX
from ...hole import Hole
from ..log.tracked import Strange
from ..lsn import lsn_number, lsn_text
from ..shape import Shape, untold
from ..standing import Incarnation, followed, incarnation_of, is_shaped, snapshot_cursor, snapshot_track, wal_strangers

_HOLES_MAX = 8
_WENT = "a partition came and went"


@dataclass(frozen=True, slots=True)
class Reading:
    """Of a table that has this `shape`.

    start   where in the log its first chunk stands; None while it is due and has not begun
    since   the position of its track behind which it began
    part    which of the shape's files is read, and from which `block` on
    rows    told so far
    share   read so far, from 0 to 1
    sweeps  whether its end says that what it did not mention is not there; not so for partitions that came later
    again   whether it was read to its end before, so that what is told of it is counted upon meanwhile
    """

    shape: Shape
    start: int | None
    since: int = 0
    part: int = 0
    block: int = 0
    rows: int = 0
    share: float = 0.0
    done: bool = False
    sweeps: bool = True
    again: bool = False
    holes: tuple[Hole, ...] = ()

    def cursor(self, track: str, object_: str, before: Cursor | None, incarnation: Incarnation) -> Cursor:
        """The next on the table's track."""
        state = {
            "object": object_,
            "shape": self.shape.to_json(),
            "begun": self.start is not None,
            "since": self.since,
            "part": self.part,
            "block": self.block,
            "share": round(self.share, 4),
            "sweeps": self.sweeps,
            "again": self.again,
            "holes": [hole.to_json() for hole in self.holes],
        }
        return snapshot_cursor(track, before, incarnation, self.start or 0, rows=self.rows, done=self.done, more=state)

    @classmethod
    def of(cls, cursor: Cursor) -> Reading:
        state = cursor.read()
        return cls(
            shape=Shape.from_json(state["shape"]),
            start=lsn_number(state["lsn"]) if state["begun"] else None,
            since=int(state.get("since", 0)),
            part=int(state["part"]),
            block=int(state["block"]),
            rows=int(state["rows"]),
            share=float(state["share"]),
            done=bool(state["done"]),
            sweeps=bool(state["sweeps"]),
            again=bool(state.get("again", False)),
            holes=tuple(Hole.from_json(hole) for hole in state["holes"]),
        )

    def strange(self, strangers: Mapping[int, int]) -> dict[int, int]:
        """Those of a table's strangers that its reading knows nothing of, and whose rows no sweep of it will end."""
        known, start = {part for part, _ in self.shape.files}, self.start
        if start is None:
            return {}
        return {part: told for part, told in strangers.items() if part not in known and told > start}

    def begun(self, start: int, before: Cursor | None) -> Reading:
        """`before` is where its track stands."""
        return replace(self, start=start, since=0 if before is None else before.position)

    def anew(self, start: int, before: Cursor | None) -> Reading:
        """Of a table that is read in one moment: nothing that was read before counts."""
        return replace(self.begun(start, before), part=0, block=0, rows=0, share=0.0, sweeps=True)

    def due_again(self) -> Reading:
        """To be read from its beginning, though nothing of it went untold."""
        return Reading(self.shape, None, again=True)

    def at(self, part: int, block: int, share: float) -> Reading:
        return replace(self, part=part, block=block, share=share)

    def told(self, rows: int) -> Reading:
        return replace(self, rows=self.rows + rows)

    def ended(self) -> Reading:
        return replace(self, done=True, share=1.0, again=False, holes=())


@dataclass(frozen=True, slots=True)
class Due:
    """What a table needs: to go on with `reading` (nothing, when that is done). `since` and `reason` tell of a hole
    that was not known before; "" when there is none."""

    reading: Reading
    since: int = 0
    reason: str = ""

    def holed(self, until: int) -> Reading:
        """The reading with the new hole, of which `until` is the upper end."""
        hole = Hole(lsn_text(self.since), lsn_text(until), self.reason)
        others = tuple(one for one in self.reading.holes if one.since != hole.since)
        return replace(self.reading, holes=(*others, hole)[-_HOLES_MAX:])


def seen(cursor: Cursor | None, incarnation: Incarnation) -> int:
    """Of an append-only table: whatever is committed before this position was read, or will be, since it is unread."""
    if cursor is None or not is_shaped(cursor) or incarnation_of(cursor) != incarnation:
        return INT64_MAX
    reading = Reading.of(cursor)
    return INT64_MAX if reading.start is None or not reading.done else reading.start


def shapes_read(progress: Progress, objects: Iterable[str]) -> dict[str, Shape]:
    """Of each of these objects that was ever read, or begun: the shape that its table had then."""
    cursors = {object_: progress.get(snapshot_track(object_)) for object_ in objects}
    return {object_: Reading.of(cursor).shape for object_, cursor in cursors.items() if cursor and is_shaped(cursor)}


def due(
    cursor: Cursor | None,
    incarnation: Incarnation,
    shape: Shape,
    *,
    followed: int,
    strangers: Mapping[int, int],
    reason: str,
) -> Due:
    """What the table needs, of which this was read before. `followed` is how far the log was told, and which
    `strangers` it met; `reason` why the incarnation in which it was read does not go on, when it does not."""
    if cursor is None or not is_shaped(cursor):
        return Due(Reading(shape, None))
    then = Reading.of(cursor)
    same = incarnation_of(cursor) == incarnation
    went = then.strange(strangers).keys() - dict(shape.files).keys()
    why = untold(then.shape, shape) or (_WENT if went else "") if same else reason or "the slot was made anew"
    if why:
        # What was being read for the first time promised nothing yet.
        promised = then.done or then.again or not then.sweeps or bool(then.holes)
        # A reading that could not begin yet is still owed what it is owed for.
        owed = lsn_number(then.holes[-1].since) if then.holes else 0
        since = max(followed, owed if then.start is None else then.start)
        return Due(Reading(shape, None, holes=then.holes), since, why if promised else "")
    if not then.done and then.shape.files != shape.files and not shape.partitioned:
        return Due(Reading(shape, None, again=then.again, holes=then.holes))  # its rows lie elsewhere now
    widened = then.shape.widened(shape)
    if then.done and len(widened.files) > len(then.shape.files) and shape.partitioned:
        return Due(replace(then, shape=widened, part=len(then.shape.files), block=0, done=False, sweeps=False))
    return Due(replace(then, shape=widened if shape.partitioned else then.shape))


def dues(shapes: Mapping[str, Shape], progress: Progress, incarnation: Incarnation, *, reason: str) -> dict[str, Due]:
    """What each table needs, by the shape that it has now."""
    needed, met = {}, wal_strangers(progress, incarnation.epoch)
    for object_, shape in shapes.items():
        cursor, strangers = progress.get(snapshot_track(object_)), met.get(object_, {})
        told = 0 if cursor is None else followed(progress, incarnation_of(cursor).epoch)
        needed[object_] = due(cursor, incarnation, shape, followed=told, strangers=strangers, reason=reason)
    return needed


def parts_known(cursor: Cursor | None, shape: Shape) -> frozenset[int]:
    """The parts of a table that its reading knows; before it has begun, those that it will have."""
    known = shape if cursor is None or not is_shaped(cursor) else Reading.of(cursor).shape
    return frozenset(part for part, _ in known.files)


def strangers_of(progress: Progress, epoch: int) -> Strange:
    """Those that the log has met and that are strangers still."""
    found = {}
    for object_, met in wal_strangers(progress, epoch).items():
        cursor = progress.get(snapshot_track(object_))
        if cursor is not None and is_shaped(cursor) and (strange := Reading.of(cursor).strange(met)):
            found[object_] = strange
    return found
