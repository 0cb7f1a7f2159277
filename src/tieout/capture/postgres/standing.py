"""Where we stand in a server's log, and what must be read before the log can be followed. Values in, values out.

The lane has the track `wal`, per table a track `snapshot/<object>`, and the track `slot`, which remembers how our slot
was last seen. What a cursor proves holds for one
*incarnation* of the log only: this server, on this timeline, through this slot since it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from ...base.cursor import Cursor, Progress
from .log.tracked import Strange
from .lsn import lsn_number, lsn_text

WAL = "wal"
SLOT = "slot"
_SNAPSHOT = "snapshot/"
_STRAYED_MAX = 64 * 2**20
"""Bytes that a quiet log may be confirmed without a fact of ours: some passes of a busy server."""

_NOBODY: Strange = MappingProxyType({})
_MADE_ANEW = "the slot was dropped and made anew by somebody else"

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
    """Our slot as the server has it. `usable`: the server still holds the log that it promises; if not, `reason`.

    `decoded` counts the transactions that were read through it, since the server's `count` of it began; "" where the
    server keeps none.
    """

    confirmed: int
    usable: bool
    reason: str = ""
    decoded: int = 0
    count: str = ""


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

    incarnation  the one that goes on; None: a new slot must be made, and every table read at or after its beginning
    epoch        the epoch to go on in
    start        where the log goes on
    reason       why what was known goes on no longer, when it does not
    """

    incarnation: Incarnation | None
    epoch: int
    start: int
    reason: str = ""


def standing(progress: Progress, slot_name: str, server: Server, slot: Slot | None) -> Standing:
    """What `progress` is worth, now that this server answers and has this slot."""
    known = incarnations(progress)
    newest = known[-1] if known else None
    gone = "" if newest is None else _gone(newest, progress, server)
    epoch = 0 if newest is None else newest.epoch + bool(gone)
    if slot is None or not slot.usable or gone:
        return Standing(None, epoch, 0, gone or ("the slot is not there" if slot is None else slot.reason))
    ours = [one for one in known if one.epoch == epoch and one.slot == slot_name]
    # Of a slot that no cursor speaks of, all we know is what it promises.
    found = ours[-1] if ours else Incarnation(server.system, server.timeline, epoch, slot_name, slot.confirmed)
    if reason := _strange(found, progress, slot):
        return Standing(None, epoch, 0, reason)
    return Standing(found, epoch, max(slot.confirmed, followed(progress, epoch)))


def incarnations(progress: Progress) -> list[Incarnation]:
    """Those that any cursor speaks of, the newest last. Of a new slot's, a table is registered before its log is."""
    cursors = [cursor for track, cursor in progress.items() if track == WAL or track.startswith(_SNAPSHOT)]
    return sorted({incarnation_of(cursor) for cursor in cursors}, key=lambda one: (one.epoch, one.slot_lsn))


def is_read(progress: Progress, object_: str, incarnation: Incarnation) -> bool:
    """The table was read to its end, at or after the beginning of this incarnation's slot."""
    cursor = progress.get(_SNAPSHOT + object_)
    if cursor is None or not is_shaped(cursor):
        return False
    return bool(cursor.read()["done"]) and incarnation_of(cursor) == incarnation


def is_shaped(cursor: Cursor) -> bool:
    """Whether it tells which shape the table had that was read: cursors of the first versions do not."""
    return "shape" in cursor.read()


def wal_cursor(
    incarnation: Incarnation, lsn: int, within: Within | None = None, strangers: Strange = _NOBODY
) -> Cursor:
    """Every transaction that ended at or before `lsn` is told, and `within` of the one after them."""
    position = (incarnation.epoch << _EPOCH_BITS) + lsn
    state = {**_state(incarnation), "lsn": lsn_text(lsn)}
    if within is not None:
        state["within"] = {"commit": lsn_text(within.commit), "told": within.told}
    if strangers:
        state["strangers"] = {
            object_: {str(part): lsn_text(told) for part, told in parts.items()} for object_, parts in strangers.items()
        }
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


def wal_strangers(progress: Progress, epoch: int) -> Strange:
    """The strangers that the log has met."""
    cursor = progress.get(WAL)
    if cursor is None or incarnation_of(cursor).epoch != epoch:
        return {}
    met = cursor.read().get("strangers", {})
    return {object_: {int(part): lsn_number(told) for part, told in parts.items()} for object_, parts in met.items()}


def slot_cursor(incarnation: Incarnation, lsn: int, slot: Slot) -> Cursor:
    """Our slot as it was seen when all that was committed before `lsn` was told."""
    position = (incarnation.epoch << _EPOCH_BITS) + lsn
    state = {**_state(incarnation), "lsn": lsn_text(lsn), "decoded": slot.decoded, "count": slot.count}
    return Cursor.of(SLOT, position, state)


def snapshot_track(object_: str) -> str:
    return _SNAPSHOT + object_


def snapshot_cursor(
    track: str,
    before: Cursor | None,
    incarnation: Incarnation,
    lsn: int,
    *,
    rows: int,
    done: bool,
    more: Mapping[str, object],
) -> Cursor:
    """The next on the track of a table: `rows` of it were told, none before `lsn`. `more` is for its reader."""
    state = {**_state(incarnation), "lsn": lsn_text(lsn), "rows": rows, "done": done, **more}
    return Cursor.of(track, 1 if before is None else before.position + 1, state)


def followed(progress: Progress, epoch: int) -> int:
    """How far the log of this epoch was told."""
    cursor = progress.get(WAL)
    return wal_lsn(cursor) if cursor is not None and incarnation_of(cursor).epoch == epoch else 0


def _strange(incarnation: Incarnation, progress: Progress, slot: Slot) -> str:
    """Why a slot of our name cannot be the one that we left; "" when nothing says so.

    A slot has no number of its own by which it could be known again. But what was read through it is counted, and
    nobody but us confirms it.
    """
    cursor, log = progress.get(SLOT), progress.get(WAL)
    told = max(incarnation.slot_lsn, followed(progress, incarnation.epoch))
    if cursor is None or incarnation_of(cursor) != incarnation:
        # The first that we do with a slot of ours is to read a word of our own through it, and then to look at it.
        is_new = bool(slot.count) and slot.decoded == 0 and slot.confirmed > told
        return _MADE_ANEW if is_new else ""
    seen = cursor.read()
    least = max(int(seen["decoded"]), log is not None and incarnation_of(log) == incarnation)
    if slot.count and slot.count == seen["count"] and slot.decoded < least:
        return _MADE_ANEW
    strayed = slot.confirmed - max(told, lsn_number(seen["lsn"]))
    return "the slot was moved on by somebody else" if strayed > _STRAYED_MAX else ""


def _gone(newest: Incarnation, progress: Progress, server: Server) -> str:
    """Why this server's log is not the one we followed: it is another one's, or a restored one's that has since written
    something else in the place of what we saw. "" when it is."""
    if newest.system != server.system:
        return "another server answers"
    if newest.timeline != server.timeline:
        return f"the server went on to timeline {server.timeline}"
    if max(newest.slot_lsn, followed(progress, newest.epoch)) > server.flushed:
        return "the server's log ends before what was told of it"
    return ""


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
