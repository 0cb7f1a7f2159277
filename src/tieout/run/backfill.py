"""Backfills as the ledger knows them: what was asked, what became of it, and how far it has come.

Nothing is kept of one but facts and the cursor of its track; its state is a fold over them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..base.cursor import Cursor
from ..base.errors import Misconfigured
from ..base.range import Range
from ..base.stream import Stream
from ..capture.source import Place
from ..ledger.facts import Asked, Turned
from ..ledger.ledger import Ledger

ASKED, RUNNING, CANCELLED, FAILED, DONE = "asked", "running", "cancelled", "failed", "done"
DELAYED, RESUMED = "delayed", "resumed"
"""Turns that end nothing."""

_ENDS = frozenset({CANCELLED, FAILED, DONE})
_TRACK = "backfill/"


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a backfill has come: the state of its track's cursor.

    behind       where the last chunk ended; None with `is_read`: all of the range was read
    rows, chunks what was read so far
    chunk_rows   how many rows the last chunk looked at at most
    floor        the order token that all of its reads stand at or behind
    timed        rows and seconds of the chunks whose time is known
    """

    behind: Place | None = None
    is_read: bool = False
    rows: int = 0
    chunks: int = 0
    chunk_rows: int = 0
    floor: str = ""
    timed: tuple[int, float] = (0, 0.0)

    def state(self, stream: Stream, range_: Range) -> dict[str, Any]:
        return {
            "stream": str(stream),
            "range": range_.to_json(),
            "behind": None if self.behind is None else [list(pair) for pair in self.behind],
            "is_read": self.is_read,
            "rows": self.rows,
            "chunks": self.chunks,
            "chunk_rows": self.chunk_rows,
            "floor": self.floor,
            "timed": list(self.timed),
        }

    @classmethod
    def of(cls, cursor: Cursor) -> Reached:
        state = cursor.read()
        behind = None if state["behind"] is None else tuple((column, value) for column, value in state["behind"])
        rows, seconds = state["timed"]
        return cls(
            behind,
            state["is_read"],
            state["rows"],
            state["chunks"],
            state["chunk_rows"],
            state["floor"],
            (rows, seconds),
        )


@dataclass(frozen=True, slots=True)
class Backfill:
    """`state` is "asked", "running", "cancelled", "failed" or "done"; `reason` says why, where that is not plain."""

    id: str
    stream: Stream
    range: Range
    rows_expected: int
    asked_at: datetime
    turned_at: datetime
    state: str = ASKED
    reason: str = ""
    reached: Reached = Reached()

    @property
    def track(self) -> str:
        return f"{_TRACK}{self.id}"

    @property
    def is_ended(self) -> bool:
        return self.state in _ENDS

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "stream": str(self.stream),
            "range": range_json(self.range),
            "state": self.state,
            "reason": self.reason,
            "rows": self.reached.rows,
            "rows_expected": self.rows_expected,
            "chunks": self.reached.chunks,
            "asked_at": _moment(self.asked_at),
            "turned_at": _moment(self.turned_at),
        }


def range_json(range_: Range) -> dict[str, Any]:
    """In the words of the command line."""
    return {
        "from": list(range_.first) or None,
        "to": list(range_.last) or None,
        "where": range_.column,
        "since": range_.since,
        "until": range_.until,
    }


def backfills(ledger: Ledger, lane: str) -> list[Backfill]:
    """All that were ever asked of a lane, oldest first."""
    found: dict[str, Backfill] = {}
    for entry in ledger.entries(Asked, Turned, lane=lane):
        match entry.fact:
            case Asked() as asked:
                stream, range_ = Stream.parse(asked.stream), Range.parse(asked.range)
                found[asked.backfill] = Backfill(asked.backfill, stream, range_, asked.rows, entry.at, entry.at)
            case Turned() as turned if turned.backfill in found:
                before = found[turned.backfill]
                state = turned.turn if turned.turn in _ENDS else ASKED
                found[before.id] = replace(before, state=state, reason=turned.reason, turned_at=entry.at)
    progress = ledger.progress(lane) if found else {}
    return [_reached(one, progress.get(one.track)) for one in found.values()]


def all_backfills(ledger: Ledger, lanes: Iterable[str]) -> list[Backfill]:
    """Of several lanes, in the order in which they were asked."""
    return sorted((one for lane in lanes for one in backfills(ledger, lane)), key=lambda one: (one.asked_at, one.id))


def found(ledger: Ledger, lanes: Iterable[str], id_: str) -> Backfill:
    """The backfill whose id is this, or begins so. Raises Misconfigured when there is none, or more than one."""
    known = {one.id: one for one in all_backfills(ledger, lanes)}
    if id_ in known:
        return known[id_]
    alike = [one for one in known.values() if one.id.startswith(id_)]
    if len(alike) != 1:
        told = "no backfill whose id" if not alike else "more than one backfill whose id"
        raise Misconfigured(f"there is {told} begins with {id_!r}.", hint="`tieout backfill list` shows their ids.")
    return alike[0]


def turn(ledger: Ledger, backfill: Backfill, to: str, reason: str = "") -> None:
    ledger.append([Turned(backfill.stream.source, str(backfill.stream), backfill.id, to, reason)], given=[])


def cancel(ledger: Ledger, backfill: Backfill) -> None:
    """No further chunk is read; what was read stands. Raises Misconfigured when it is done."""
    if backfill.state == DONE:
        raise Misconfigured(f"backfill {backfill.id} is done, so there is nothing to cancel.")
    if backfill.state != CANCELLED:
        turn(ledger, backfill, CANCELLED)


def resume(ledger: Ledger, backfill: Backfill) -> None:
    """It goes on behind the last chunk that was registered. Raises Misconfigured when it is done."""
    if backfill.state == DONE:
        raise Misconfigured(f"backfill {backfill.id} is done.", hint="Ask for another one: tieout backfill start.")
    if backfill.is_ended:
        turn(ledger, backfill, RESUMED)


def rate(ledger: Ledger, stream: Stream) -> float | None:
    """Rows a second of the chunks whose time is known: of this stream, else of its lane. None: of none it is."""
    of_lane = backfills(ledger, stream.source)
    of_stream = [one for one in of_lane if one.stream == stream]
    for known in (of_stream, of_lane):
        rows, seconds = (sum(one.reached.timed[at] for one in known) for at in (0, 1))
        if rows and seconds:
            return rows / seconds
    return None


def _reached(backfill: Backfill, cursor: Cursor | None) -> Backfill:
    if cursor is None:
        return backfill
    state = RUNNING if backfill.state == ASKED else backfill.state
    return replace(backfill, state=state, reached=Reached.of(cursor))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
