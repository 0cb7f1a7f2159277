"""How each stream is: what of it is complete, what is known to be missing, and whether the books prove it.

Everything is a fold over the facts of the ledger and a reading of the warehouse; nothing is kept for the report. It
may be asked for at any time: before anything has run, and while a worker is at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..base.batch import Tally
from ..base.clock import moment_json
from ..base.cursor import Cursor
from ..base.errors import Misconfigured, TieoutError
from ..base.stream import Stream
from ..capture.aged import Aged, aged
from ..capture.hole import Unread, unread
from ..ledger.facts import Advanced, Certified, Drifted, Landed, Paused, Ran, Stuck
from ..ledger.ledger import Entry, Ledger
from ..merge.reading import Obligation
from ..merge.warehouse import Reader
from ..quality.books import Books
from .backfill import Backfill, all_backfills
from .figures import Figures, Read, figures_of, whole
from .freshness import Fresh, Freshnesses, received_of
from .house import House
from .pausing import paused_now
from .spending import spent
from .stuck import stuck_now

DRIFT_MAX = 100
"""Changes of a source's columns that are shown, the last ones."""
CURSORS_MAX = 20
"""Tracks of a lane whose cursors are shown."""

BACKFILLS_MAX = 20
"""Backfills that have ended and are shown, the newest; of those under way, all are."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far the stream's lane has read: the cursors of its tracks, when one of them last moved, and the objects that
    are still being read whole."""

    tracks: int
    advanced_at: datetime | None
    cursors: tuple[Cursor, ...]
    unread: Mapping[str, Unread]
    aged: Mapping[str, Aged]

    def to_json(self) -> dict[str, Any]:
        return {
            "tracks": self.tracks,
            "advanced_at": moment_json(self.advanced_at),
            "cursors": [cursor.to_json() for cursor in self.cursors],
        }


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """How the last pass over a lane that is worth a fact ended; `outcome` "new" before the first. `through`: all that
    the source had then has landed; None where no pass has proven that. `spent`: what its calls
    have come to, where its source takes only so many."""

    lane: str
    outcome: str
    reason: str
    at: datetime | None
    through: datetime | None
    spent: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "lane": self.lane,
            "outcome": self.outcome,
            "reason": self.reason,
            "at": moment_json(self.at),
            "read_through": moment_json(self.through),
            "budget": None if self.spent is None else dict(self.spent),
        }


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """`figures` and `books` are None where nothing can be said, as the stream's contract cannot be read. `drift`: the
    last changes that the source made to its columns, oldest first."""

    stream: Stream
    state: str
    reason: str
    coverage: Coverage
    figures: Figures | None
    books: Books | None
    certified: Entry | None
    fresh: Fresh
    drift: tuple[Entry, ...] = ()

    @property
    def aged(self) -> Aged | None:
        """Columns that are as old as they were read last; None where the source tells all changes."""
        return self.coverage.aged.get(self.stream.object)

    @property
    def unread(self) -> Unread | None:
        """What of the stream was not told, or not read yet; None when nothing is known to be missing."""
        return self.coverage.unread.get(self.stream.object)

    def to_json(self) -> dict[str, Any]:
        figures = self.figures or Figures()
        return {
            "stream": str(self.stream),
            "state": self.state,
            "reason": self.reason,
            "freshness": self.fresh.to_json(figures.freshness),
            "complete": self.fresh.complete_json(),
            "promises": self.fresh.promises_json(),
            "coverage": self.coverage.to_json(),
            "unread": None if self.unread is None else self.unread.to_json(),
            "aged": None if self.aged is None else self.aged.to_json(),
            "obligations": {
                "open": figures.open_total,
                "keys": [{"key": one.key, "reason": one.reason} for one in figures.open_keys],
            },
            "books": None if self.books is None else self.books.to_json(),
            "current_rows": figures.current_rows,
            "state_hash": figures.state_hash,
            "certificate": _certificate_json(self.certified),
            "drift": [_drift_json(entry) for entry in self.drift],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """`backfills` are those under way, and the last that have ended."""

    streams: tuple[StreamStatus, ...]
    lanes: tuple[LaneStatus, ...]
    backfills: tuple[Backfill, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "streams": [stream.to_json() for stream in self.streams],
            "lanes": [lane.to_json() for lane in self.lanes],
            "backfills": [backfill.to_json() for backfill in self.backfills],
        }


def report(house: House, reader: Reader, *, only: Stream | None, read: Read = whole) -> Report:
    """Of all streams that have landed or have a contract, or of `only`. Raises Misconfigured when that is unknown."""
    ledger = house.tools.ledger
    streams = known_streams(house, only)
    sources = {stream.source for stream in streams} | set(house.lanes(only))
    # Before all else: what a pass proves of what had landed by then must not be believed of less than that.
    freshnesses = Freshnesses.of(house, sorted(sources))
    budgets = spent(ledger, freshnesses.last)
    lanes = {lane: _lane(ledger, lane, freshnesses.lane(lane), budgets.get(lane)) for lane in freshnesses.last}
    coverage = {lane: _coverage(ledger, lane) for lane in lanes}
    # The warehouse first: a batch is in the ledger before it is merged, so what was posted is among what landed.
    figures = {stream: figures_of(house, reader, stream, read, freshnesses.latencies) for stream in streams}
    landed, paused, stuck = _landed(ledger), paused_now(ledger), stuck_now(ledger)
    fresh = freshnesses.each(figures, landed)
    return Report(
        streams=tuple(
            _status(
                stream,
                figures[stream],
                landed.get(stream, {}),
                lane=lanes[stream.source],
                coverage=coverage[stream.source],
                fresh=fresh[stream],
                certified=_last(ledger.entries(Certified, stream=str(stream), last=1)),
                paused=paused.get(stream),
                stuck=stuck.get(stream),
                drift=tuple(ledger.entries(Drifted, stream=str(stream), last=DRIFT_MAX)),
            )
            for stream in streams
        ),
        lanes=tuple(lanes.values()),
        backfills=_backfills(ledger, lanes, only),
    )


def state_of(lane: LaneStatus, figures: Figures, books: Books, *, adoptable: int, landed: int) -> tuple[str, str]:
    """One of "new", "failed", "partial" or "complete", and why, in one sentence.

    `adoptable` counts merged batches that the ledger does not know: it was lost, and the next run finds them again.
    """
    if not landed and not adoptable:
        return ("failed", lane.reason) if lane.outcome == "failed" else ("new", "Nothing has landed yet.")
    if adoptable:
        return "partial", f"The ledger does not know {adoptable} merged batches; the next run enters them again."
    if not books.balanced:
        told = f"{books.received.count} received, {books.accounted.count} accounted for"
        return "failed", f"The books do not balance: {told}."
    if lane.outcome in ("failed", "partial"):
        return lane.outcome, lane.reason
    if figures.lacking:
        return "partial", f"Its tables have yet to gain {', '.join(figures.lacking)}, at the next run."
    if books.pending.count:
        return "partial", f"Received and not merged yet: {books.pending.count}."
    if figures.open_total:
        return "partial", f"Open obligations: {figures.open_total} ({_reasons(figures.open_keys)})."
    if lane.outcome == "new":
        return "partial", "No run over this source has ended yet."
    return "complete", ""


def _status(
    stream: Stream,
    figures: Figures | TieoutError,
    landed: Mapping[str, Entry],
    *,
    lane: LaneStatus,
    coverage: Coverage,
    fresh: Fresh,
    certified: Entry | None,
    paused: Paused | None,
    stuck: Stuck | None,
    drift: tuple[Entry, ...],
) -> StreamStatus:
    if isinstance(figures, TieoutError):
        return StreamStatus(stream, "failed", str(figures), coverage, None, None, certified, fresh, drift)
    received = {batch: received_of(entry) for batch, entry in landed.items()}
    pending = (tally for batch, tally in received.items() if batch not in figures.applied)
    books = Books.of(
        sum(received.values(), start=Tally()),
        figures.accounts,
        sum(pending, start=Tally()),
        superseded=figures.superseded,
        ambiguous=figures.ambiguous,
    )
    adoptable = len(figures.applied - landed.keys())
    state, reason = state_of(lane, figures, books, adoptable=adoptable, landed=len(landed))
    if stuck is not None and books.balanced:
        state, reason = "failed", f"{stuck.reason} {stuck.hint}".strip()
    if (missing := coverage.unread.get(stream.object)) is not None:
        state, reason = "failed" if state == "failed" else "partial", f"{missing} {reason}".strip()
    if paused is not None and state != "failed":
        state, reason = "paused", f"Paused: {paused.reason}. {paused.hint}"
    return StreamStatus(stream, state, reason, coverage, figures, books, certified, fresh, drift)


def known_streams(house: House, only: Stream | None) -> list[Stream]:
    """All that have landed or have a contract, or `only`. Raises Misconfigured when that is not among them."""
    known = {Stream.parse(text) for text in house.tools.ledger.landed().values()}
    known |= {stream for lane in house.lanes() for stream in house.tools.contracts.written(lane)}
    if only is None:
        return sorted(known)
    if only not in known:
        raise Misconfigured(
            f"{only} has not landed and has no contract.",
            hint=f"Known are: {', '.join(str(stream) for stream in sorted(known)) or 'none yet'}.",
        )
    return [only]


def _landed(ledger: Ledger) -> dict[Stream, dict[str, Entry]]:
    """Per stream, the facts that its batches landed, in the book's order."""
    landed: dict[Stream, dict[str, Entry]] = {}
    for entry in ledger.entries(Landed):
        assert isinstance(entry.fact, Landed), "only Landed was asked for"
        landed.setdefault(Stream.parse(entry.fact.stream), {})[entry.fact.batch] = entry
    return landed


def _lane(ledger: Ledger, lane: str, through: datetime | None, spent: Mapping[str, Any] | None) -> LaneStatus:
    last = _last(ledger.entries(Ran, lane=lane, last=1))
    if last is None:
        return LaneStatus(lane, "new", "", None, None, spent)
    assert isinstance(last.fact, Ran), "only Ran was asked for"
    return LaneStatus(lane, last.fact.outcome, last.fact.reason, last.at, through, spent)


def _coverage(ledger: Ledger, lane: str) -> Coverage:
    progress = ledger.progress(lane)
    last = _last(ledger.entries(Advanced, lane=lane, last=1))
    shown = tuple(progress[track] for track in sorted(progress)[:CURSORS_MAX])
    return Coverage(len(progress), None if last is None else last.at, shown, unread(progress), aged(progress))


def _backfills(ledger: Ledger, lanes: Iterable[str], only: Stream | None) -> tuple[Backfill, ...]:
    known = [one for one in all_backfills(ledger, lanes) if only in (None, one.stream)]
    ended = [one for one in known if one.is_ended][-BACKFILLS_MAX:]
    return tuple(one for one in known if not one.is_ended or one in ended)


def _last(entries: Iterator[Entry]) -> Entry | None:
    return next(iter(entries), None)


def _reasons(keys: tuple[Obligation, ...]) -> str:
    return ", ".join(sorted({one.reason for one in keys}))


def _drift_json(entry: Entry) -> dict[str, Any]:
    fact = entry.fact
    assert isinstance(fact, Drifted), "only Drifted was asked for"
    return {
        "what": fact.what,
        "column": fact.column,
        "type": fact.type,
        "was": fact.was,
        "contract": fact.version,
        "at": moment_json(entry.at),
    }


def _certificate_json(certified: Entry | None) -> dict[str, Any] | None:
    if certified is None:
        return None
    assert isinstance(certified.fact, Certified), "only Certified was asked for"
    return {"state": certified.fact.state, "at": moment_json(certified.at)}
