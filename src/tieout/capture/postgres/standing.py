"""Where we stand in a server's log, and what must be read before the log can be followed. Values in, values out.

The lane has the track `wal` and, per table, a track `snapshot/<object>`. What a cursor proves holds for one
*incarnation* of the log only: this server, on this timeline, through this slot since it was made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from ...base.cursor import Cursor, Progress
from .lsn import lsn_number, lsn_text

WAL = "wal"
_SNAPSHOT = "snapshot/"
_EPOCH_BITS = 56
"""A track's position never falls, but a restored server's log may: so the epoch stands above the log's 2^56 bytes."""


@dataclass(frozen=True, slots=True)
class Server:
    """Who answers: `flushed` is how far its log is on disk."""

    system: str
    timeline: int
    flushed: int


@dataclass(frozen=True, slots=True)
class Slot:
    """Our slot as the server has it. `usable`: the server still holds the log that it promises."""

    confirmed: int
    usable: bool


@dataclass(frozen=True, slots=True)
class Incarnation:
    """Positions are comparable within an epoch. Nothing is lost within an incarnation: its slot began at `slot_lsn`."""

    system: str
    timeline: int
    epoch: int
    slot: str
    slot_lsn: int


@dataclass(frozen=True, slots=True)
class Within:
    """A place in the midst of a transaction: of the one whose commit stands at `commit`, the first `told` row messages
    are told. The server sends the transaction again as it was."""

    commit: int
    told: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What to do next.

    incarnation  the one that goes on; None: a new slot must be made, and every table read at its beginning
    epoch        the epoch to go on in
    start        where the log goes on
    unread       the tables that must be read again first
    """

    incarnation: Incarnation | None
    epoch: int
    start: int
    unread: tuple[str, ...]


def standing(progress: Progress, objects: Iterable[str], slot_name: str, server: Server, slot: Slot | None) -> Standing:
    """What `progress` is worth, now that this server answers and has this slot."""
    objects = tuple(objects)
    known = incarnations(progress)
    newest = known[-1] if known else None
    epoch = 0 if newest is None else newest.epoch if _goes_on(newest, progress, server) else newest.epoch + 1
    if slot is None or not slot.usable or (newest is not None and epoch != newest.epoch):
        return Standing(None, epoch, 0, objects)
    ours = [one for one in known if one.epoch == epoch and one.slot == slot_name]
    # Of a slot that no cursor speaks of, all we know is what it promises.
    found = ours[-1] if ours else Incarnation(server.system, server.timeline, epoch, slot_name, slot.confirmed)
    unread = tuple(object_ for object_ in objects if not is_read(progress, object_, found))
    return Standing(found, epoch, max(slot.confirmed, _followed(progress, epoch)), unread)


def incarnations(progress: Progress) -> list[Incarnation]:
    """Those that any cursor speaks of, the newest last. Of a new slot's, a table is registered before its log is."""
    cursors = [cursor for track, cursor in progress.items() if track == WAL or track.startswith(_SNAPSHOT)]
    return sorted({incarnation_of(cursor) for cursor in cursors}, key=lambda one: (one.epoch, one.slot_lsn))


def is_read(progress: Progress, object_: str, incarnation: Incarnation) -> bool:
    """The table was read to its end, at or after the beginning of this incarnation's slot."""
    cursor = progress.get(_SNAPSHOT + object_)
    return cursor is not None and bool(cursor.read()["done"]) and incarnation_of(cursor) == incarnation


def wal_cursor(incarnation: Incarnation, lsn: int, within: Within | None = None) -> Cursor:
    """Every transaction that ended at or before `lsn` is told, and `within` of the one after them."""
    position = (incarnation.epoch << _EPOCH_BITS) + lsn
    state = {**_state(incarnation), "lsn": lsn_text(lsn)}
    if within is not None:
        state["within"] = {"commit": lsn_text(within.commit), "told": within.told}
    return Cursor.of(WAL, position, state)


def wal_lsn(cursor: Cursor) -> int:
    return lsn_number(cursor.read()["lsn"])


def wal_within(progress: Progress, epoch: int) -> Within | None:
    """How far the transaction is told behind those that are told whole."""
    cursor = progress.get(WAL)
    if cursor is None or incarnation_of(cursor).epoch != epoch:
        return None
    within = cursor.read().get("within")
    return None if within is None else Within(lsn_number(within["commit"]), int(within["told"]))


def snapshot_track(object_: str) -> str:
    return _SNAPSHOT + object_


def snapshot_cursor(
    track: str, before: Cursor | None, incarnation: Incarnation, lsn: int, *, rows: int, done: bool
) -> Cursor:
    """The next on the track of a table: `rows` of it were told as of `lsn`."""
    state = {**_state(incarnation), "lsn": lsn_text(lsn), "rows": rows, "done": done}
    return Cursor.of(track, 1 if before is None else before.position + 1, state)


def _goes_on(newest: Incarnation, progress: Progress, server: Server) -> bool:
    """Whether this server's log is the one we followed: not another one's, not a restored one that has since written
    something else in the place of what we saw."""
    same = (newest.system, newest.timeline) == (server.system, server.timeline)
    return same and max(newest.slot_lsn, _followed(progress, newest.epoch)) <= server.flushed


def _followed(progress: Progress, epoch: int) -> int:
    cursor = progress.get(WAL)
    return wal_lsn(cursor) if cursor is not None and incarnation_of(cursor).epoch == epoch else 0


def _state(incarnation: Incarnation) -> dict[str, object]:
    return {**asdict(incarnation), "slot_lsn": lsn_text(incarnation.slot_lsn)}


def incarnation_of(cursor: Cursor) -> Incarnation:
    """Of a cursor of the log or of a table's snapshot."""
    state = cursor.read()
    return Incarnation(
        system=str(state["system"]),
        timeline=int(state["timeline"]),
        epoch=int(state["epoch"]),
        slot=str(state["slot"]),
        slot_lsn=lsn_number(state["slot_lsn"]),
    )
