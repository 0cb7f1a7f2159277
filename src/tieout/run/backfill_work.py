"""The backfills of one lane, a chunk at a time between live passes.

Each chunk is read at a watermark of its own and lands like anything else, on the track of its backfill: so what is
newer stays, and a killed worker goes on behind the last chunk that was registered. When the range is read to its end,
the keys that live here within it and that no chunk mentioned are read again by key: nothing is deleted by guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import structlog

from ..base.cursor import Cursor
from ..base.errors import Broken, Fenced, Misconfigured, Occupied, Rejected, Transient
from ..base.order import sweep_floor
from ..base.stream import Stream
from ..base.types import Column, Described, Kind
from ..capture.source import ReadsRanges
from ..contract.contract import Contract
from ..merge.reading import Limit
from . import mend
from .backfill import DELAYED, DONE, FAILED, RESUMED, Backfill, Reached, backfills, turn
from .pace import ROWS_FIRST, next_rows, rest_seconds
from .patience import pause
from .pausing import paused_now
from .route import Tools
from .session import Session

KEYS_MAX = 10_000
"""Keys read again in one step."""
ORDERED_ALIKE = frozenset(
    {
        Kind.BOOLEAN, Kind.INT16, Kind.INT32, Kind.INT64, Kind.DECIMAL, Kind.FLOAT32, Kind.FLOAT64,
        Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.UUID,
    }
)  # fmt: skip
"""Types whose values every engine orders alike. Text is not among them: its order is its collation's."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Paced:
    """What the chunks of a backfill have taught this worker: the rows of the next one; rows and seconds so far."""

    rows_max: int
    timed: tuple[int, float]


class LaneBackfills:
    """Works the backfills of `lane` (of the one stream `only`), those of equal right in turns."""

    def __init__(self, tools: Tools, lane: str, *, only: Stream | None, dice: Random) -> None:
        self._tools = tools
        self._lane = lane
        self._only = only
        self._dice = dice
        self._last = ""
        self._ready_at: datetime | None = None
        self._paced: dict[str, _Paced] = {}
        self._asked_again: dict[str, str] = {}
        self.delays = 0
        """How often one after the other a chunk could not be read."""
        self.delayed: Transient | None = None
        """Why, the last time."""

    @property
    def wait_seconds(self) -> float | None:
        """Until the next chunk may be read; None: nothing is asked."""
        return self._left() if self._due() else None

    def step(self, session: Session, *, is_busy: bool) -> None:
        """One chunk of the backfill whose turn it is, if it is time for one. What ails it alone is made a fact; raises
        what ails the lane. `is_busy`: live changes are coming in."""
        self._tell_paused()
        due = self._due()
        if not due or self._left():
            return
        backfill = next((one for one in due if one.id > self._last), due[0])
        self._last = backfill.id
        began = self._tools.clock.now()
        try:
            self._advance(session, backfill)
        except (Fenced, Occupied):
            raise
        except Transient as error:
            self._delay(backfill, error)
            return
        except (Misconfigured, Broken, Rejected) as error:
            turn(self._tools.ledger, backfill, FAILED, str(error))
            log.warning("backfill failed", backfill=backfill.id, stream=str(backfill.stream), reason=str(error))
        else:
            self._went_on(backfill)
        self._rest(rest_seconds(self._since(began), is_busy=is_busy))

    def _left(self) -> float:
        now = self._tools.clock.now()
        return 0.0 if self._ready_at is None else max(0.0, (self._ready_at - now).total_seconds())

    def _since(self, began: datetime) -> float:
        return (self._tools.clock.now() - began).total_seconds()

    def _due(self) -> list[Backfill]:
        """Those to work on, in the order of their ids. One of a paused stream waits with it: nothing that it read would
        be merged, so at its end every key would seem to be unmentioned."""
        paused = paused_now(self._tools.ledger)
        return sorted((one for one in self._asked() if one.stream not in paused), key=lambda one: one.id)

    def _asked(self) -> list[Backfill]:
        """Those that have not ended."""
        known = backfills(self._tools.ledger, self._lane)
        return [one for one in known if not one.is_ended and self._only in (None, one.stream)]

    def _tell_paused(self) -> None:
        """Of each that waits for its stream, once, why."""
        paused = paused_now(self._tools.ledger)
        for backfill in self._asked() if paused else ():
            if (found := paused.get(backfill.stream)) is not None:
                why = f"{backfill.stream} is paused: {found.reason}"
                if backfill.reason != why:
                    turn(self._tools.ledger, backfill, DELAYED, why)

    def _rest(self, seconds: float) -> None:
        self._ready_at = self._tools.clock.now() + timedelta(seconds=seconds)

    def _delay(self, backfill: Backfill, error: Transient) -> None:
        """It is tried again by a later pass; the reason is told once."""
        self.delays, self.delayed = self.delays + 1, error
        if backfill.reason != str(error):
            turn(self._tools.ledger, backfill, DELAYED, str(error))
            log.warning("backfill delayed", backfill=backfill.id, stream=str(backfill.stream), reason=str(error))
        self._rest(pause(self.delays, self._dice))

    def _went_on(self, backfill: Backfill) -> None:
        self.delays, self.delayed = 0, None
        if backfill.reason and not backfill.reached.is_read:
            turn(self._tools.ledger, backfill, RESUMED)

    def _advance(self, session: Session, backfill: Backfill) -> None:
        source = session.source
        if not isinstance(source, ReadsRanges):
            raise unable(source.lane)
        if backfill.reached.is_read:
            self._end(session, source, backfill)
        else:
            self._read_chunk(session, source, backfill)

    def _read_chunk(self, session: Session, source: ReadsRanges, backfill: Backfill) -> None:
        before, stream = backfill.reached, backfill.stream
        if not before.chunks:
            limits_of(backfill, session.route.contract(stream), session.source.describe())
        known = _Paced(before.chunk_rows or ROWS_FIRST, before.timed)
        paced, began = self._paced.get(backfill.id, known), self._tools.clock.now()
        chunk = source.chunk(stream.object, backfill.range, behind=before.behind, rows_max=paced.rows_max)
        images = chunk.captured.tables[stream.object]
        reached = Reached(
            behind=chunk.reached,
            is_read=chunk.reached is None,
            rows=before.rows + images.num_rows,
            chunks=before.chunks + 1,
            chunk_rows=paced.rows_max,
            floor=before.floor or sweep_floor(chunk.watermark.place),
            timed=paced.timed,
        )
        after = Cursor.of(backfill.track, 1, reached.state(stream, backfill.range))
        session.route.land_aside(replace(chunk.captured, after=after), backfill.track)
        session.route.merge(session.warehouse, stream)
        rows, seconds = paced.timed
        took = self._since(began)
        self._paced[backfill.id] = _Paced(
            next_rows(paced.rows_max, seconds=took, size=images.nbytes), (rows + images.num_rows, seconds + took)
        )

    def _end(self, session: Session, source: ReadsRanges, backfill: Backfill) -> None:
        """Reads again what lives here within the range and was in no chunk; when nothing is left of it, all is done."""
        stream = backfill.stream
        session.route.merge(session.warehouse, stream)
        contract = session.route.contract(stream)
        reading = session.warehouse.reading(contract)
        keys = reading.unmentioned(
            limits_of(backfill, contract, session.source.describe()),
            floor=backfill.reached.floor,
            after=self._asked_again.get(backfill.id, ""),
            limit=KEYS_MAX,
        )
        if not keys:
            turn(self._tools.ledger, backfill, DONE)
            return
        doubtful = source.within(stream.object, backfill.range, keys)
        if doubtful:
            with session.source.reread({stream.object: doubtful}) as told:
                for captured in told:
                    session.route.land_aside(captured, mend.TRACK)
            session.route.merge(session.warehouse, stream)
        self._asked_again[backfill.id] = keys[-1]


def unable(lane: str) -> Misconfigured:
    return Misconfigured(
        f"source {lane} cannot be asked for a range: it has files, and no rows.",
        hint="Put the files into its folder again, under new names: what is known is counted and changes nothing.",
    )


def limits_of(backfill: Backfill, contract: Contract, described: tuple[Described, ...]) -> list[Limit]:
    """The range as the warehouse can compare it. Keys that it orders otherwise than the source stay unlimited here: the
    source is asked about them. Raises Misconfigured for a window over a column that the contract gives another type."""
    (source_side,) = (one for one in described if one.object == backfill.stream.object)
    ours = {column.name: column for column in contract.columns}
    alike = [column for column in source_side.columns if _is_alike(column, ours.get(column.name))]
    by_name = {column.name: ours[column.name] for column in alike}
    range_ = backfill.range
    limits = []
    for sign, values in ((">=", range_.first), ("<=", range_.last)):
        columns = _leading(source_side.key[: len(values)], by_name)
        if columns:
            limits.append(Limit(columns, sign, values[: len(columns)]))
    if range_.column is not None:
        if range_.column not in by_name:
            raise Misconfigured(
                f"{range_.column} is not in the contract of {backfill.stream} as the source has it.",
                hint="Give it the source's own type there, or backfill without a window.",
            )
        ends = ((">=", range_.since), ("<", range_.until))
        limits += [Limit((by_name[range_.column],), sign, (end,)) for sign, end in ends if end is not None]
    return limits


def _is_alike(source: Column, ours: Column | None) -> bool:
    return ours is not None and source.type == ours.type and source.type.kind in ORDERED_ALIKE


def _leading(key: tuple[str, ...], known: dict[str, Column]) -> tuple[Column, ...]:
    """The key's columns up to the first that the warehouse orders otherwise."""
    columns = []
    for column in key:
        if column not in known:
            break
        columns.append(known[column])
    return tuple(columns)
