"""The worker: takes the lanes, does what is due, and turns whatever goes wrong into a fact with its reason.

`once` does all work there is and stops; `forever` goes on until it is asked to stop. Any number of workers may run:
a lease keeps them apart, and a fence makes the late one harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import NamedTuple

import structlog

from ..base.errors import Broken, Fenced, Misconfigured, Occupied, Stopped, TieoutError, Transient
from ..base.stream import Stream
from ..capture.source import Remarks, Source
from ..ledger.facts import Ran, Resumed
from .backfill_work import LaneBackfills
from .house import House
from .mend import Tried, mend
from .patience import Rest, pause
from .route import Route
from .session import LandingSession, Session, Warehouses
from .settle import release_mended

ATTEMPTS_ONCE = 7
"""Tries of one `run --once` against a neighbour that is away: some 15 seconds in all."""
POLL_SECONDS = 1.0
REMARKS_MAX = 5
"""Remarks of a source that are told in full; the count tells of the others."""
MERGE_SECONDS_MAX = 5.0
"""How long what has landed waits for its merge while a capture goes on: a first read of large tables takes hours."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pass over a lane ended: "complete", "partial" (cut short, go on later) or "failed" (someone must act)."""

    lane: str
    outcome: str
    reason: str = ""
    hint: str = ""
    exit_code: int = 0
    received: int = 0
    merged: int = 0
    quarantined: int = 0
    is_passing: bool = False
    """Whether the same may succeed after a pause."""
    is_held: bool = False
    """Whether all is done but for streams that wait for somebody."""
    is_elsewhere: bool = False
    """Whether another living process works the lane: how the lane is, is its to tell."""


class _Counts(NamedTuple):
    """Rows that were received, merged, and put into quarantine."""

    received: int = 0
    merged: int = 0
    quarantined: int = 0

    @classmethod
    def of(cls, counted: Outcome | Route) -> _Counts:
        return cls(counted.received, counted.merged, counted.quarantined)

    def plus(self, other: _Counts) -> _Counts:
        return _Counts(*(one + more for one, more in zip(self, other, strict=True)))

    def minus(self, other: _Counts) -> _Counts:
        return _Counts(*(one - less for one, less in zip(self, other, strict=True)))


def _counted(outcome: Outcome, counts: _Counts) -> Outcome:
    return replace(outcome, received=counts.received, merged=counts.merged, quarantined=counts.quarantined)


class LaneWork:
    """One lane in the hands of this worker. Its session (lease, source, route) stays open between passes."""

    def __init__(self, house: House, lane: str, warehouses: Warehouses, *, only: Stream | None, dice: Random) -> None:
        self.lane = lane
        self.backfills = LaneBackfills(house.tools, lane, only=only, dice=dice)
        self._house = house
        self._warehouses = warehouses
        self._only = only
        self._session: Session | LandingSession | None = None
        self._away = Transient("the warehouse has not been asked yet.")
        self._may_be_open = True
        self._tried: Tried = Tried()

    def step(self, stopping: Callable[[], bool]) -> Outcome:
        """One pass: everything that is due now. Never raises; what went wrong is in the outcome."""
        route, before = None, _Counts()
        try:
            session = self._open()
            route, before = session.route, _Counts.of(session.route)
            self._pass(session, stopping)
            outcome = _with_remarks(Outcome(self.lane, "complete"), session.source)
            outcome = _with_damage(_with_paused(outcome, route), route)
        except Exception as error:
            outcome = self._closed_after(error)
        if route is None:
            return outcome
        return _counted(outcome, _Counts.of(route).minus(before))

    def close(self) -> None:
        """Gives the lane back."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _closed_after(self, error: Exception) -> Outcome:
        """What the error comes to. A lane that cannot be given back either is taken over when its lease runs out."""
        try:
            self.close()
        except TieoutError as second:
            log.warning("the lane could not be given back", lane=self.lane, reason=second.message)
        return _outcome(self.lane, error)

    def _open(self) -> Session | LandingSession:
        """The session; one that can merge as soon as the warehouse can be had."""
        if not isinstance(self._session, Session):
            try:
                self._warehouses.get()
            except Transient as away:
                self._away = away
                self._session = self._session or LandingSession(self._house, self.lane)
            else:
                self.close()
                self._session = Session(self._house, self.lane, self._warehouses)
        return self._session

    def _pass(self, session: Session | LandingSession, stopping: Callable[[], bool]) -> None:
        if isinstance(session, Session):
            before = session.route.received
            self._land_and_merge(session, stopping)
            if not stopping():
                self.backfills.step(session, is_busy=session.route.received > before)
        else:
            self._land(session, stopping)

    def _land(self, session: LandingSession, stopping: Callable[[], bool]) -> None:
        """A warehouse that is away costs freshness only: what the source says lands, and is acknowledged."""
        for _ in session.route.capture(session.source.bound()):
            _refuse_when(stopping)
        raise Transient(
            f"what the source said has landed, and is not merged: {self._away.message}", hint=self._away.hint
        )

    def _land_and_merge(self, session: Session, stopping: Callable[[], bool]) -> None:
        source, route, warehouse = session.source, session.route, session.warehouse
        merged = route.merged
        self._merge_early(session)
        clock = self._house.tools.clock
        due = clock.now() + timedelta(seconds=MERGE_SECONDS_MAX)
        for _ in route.capture(source.bound()):
            _refuse_when(stopping)
            if route.is_full or clock.now() >= due:
                self._merge_early(session)
                due = clock.now() + timedelta(seconds=MERGE_SECONDS_MAX)
        route.merge(warehouse, only=self._only)
        self._go_on(session)
        if self._only is None and (self._may_be_open or route.merged > merged):
            streams = [stream for stream in route.streams() if stream not in route.paused]
            self._may_be_open = mend(route, source, warehouse, streams, self._tried) > 0

    def _go_on(self, session: Session) -> None:
        """Streams that were paused and whose contracts were mended: what these take now is released."""
        for stream in sorted(session.route.mended):
            if self._only in (None, stream):
                released = release_mended(session, stream)
                why = f"its contract was changed, and takes {released} of the rows that waited"
                self._house.tools.ledger.append([Resumed(str(stream), why)], given=[])

    def _merge_early(self, session: Session) -> None:
        """Merges while there is more to land. What one stream cannot merge must not keep the source from being read;
        it stays pending, so that the merge at the end of the pass meets it again and raises."""
        with suppress(Misconfigured, Broken):
            session.route.merge(session.warehouse, only=self._only)


def _refuse_when(stopping: Callable[[], bool]) -> None:
    if stopping():
        raise Stopped("the run was asked to stop.")


class Worker:
    """All lanes of a project (or the one of `only`), one after the other."""

    def __init__(self, house: House, *, only: Stream | None, dice: Random) -> None:
        self._house = house
        self._dice = dice
        self._warehouses = Warehouses(house)
        self._works = [LaneWork(house, lane, self._warehouses, only=only, dice=dice) for lane in house.lanes(only)]

    def once(self, stopping: Callable[[], bool]) -> list[Outcome]:
        """Does all work that is due, and stops. A neighbour that is away is tried again for a while."""
        try:
            return [self._to_the_end(work, stopping) for work in self._works]
        finally:
            self._close()

    def forever(self, stopping: Callable[[], bool]) -> list[Outcome]:
        """Goes on until `stopping`; returns each lane's last outcome, with what all its passes received and merged."""
        last: dict[str, Outcome] = {}
        counts = dict.fromkeys((work.lane for work in self._works), _Counts())
        told: dict[str, Outcome | None] = {}
        failures = dict.fromkeys((work.lane for work in self._works), 0)
        rests: dict[str, Rest] = {}
        clock = self._house.tools.clock
        try:
            while not stopping():
                for work in self._works:
                    if work.lane in rests and rests[work.lane].lasts(clock.now()):
                        continue
                    outcome = work.step(stopping)
                    is_well = outcome.exit_code == 0 or outcome.is_held
                    failures[work.lane] = 0 if is_well else failures[work.lane] + 1
                    wait = _until_next(work) if is_well else pause(failures[work.lane], self._dice)
                    rests[work.lane] = Rest(clock.now(), timedelta(seconds=wait))
                    told[work.lane] = self._record(outcome, told.get(work.lane))
                    if outcome.merged:
                        log.info("merged", lane=work.lane, received=outcome.received, merged=outcome.merged)
                    counts[work.lane] = counts[work.lane].plus(_Counts.of(outcome))
                    last[work.lane] = outcome
                clock.sleep(POLL_SECONDS / 10)
        finally:
            self._close()
        return [_counted(one, counts[lane]) for lane, one in last.items()]

    def _to_the_end(self, work: LaneWork, stopping: Callable[[], bool]) -> Outcome:
        """Live work, then the backfills that are asked for, live work between their chunks."""
        outcome = self._patiently(work, stopping)
        while (outcome.exit_code == 0 or outcome.is_held) and (
            wait := work.backfills.wait_seconds
        ) is not None:  # bounded: a range ends
            if stopping():
                return replace(outcome, outcome="partial", reason="the run was asked to stop.", exit_code=3)
            if work.backfills.delays >= ATTEMPTS_ONCE and (why := work.backfills.delayed):
                return replace(outcome, outcome="partial", reason=why.message, hint=why.hint, exit_code=3)
            self._house.tools.clock.sleep(wait)
            before, outcome = outcome, self._patiently(work, stopping)
            outcome = _counted(outcome, _Counts.of(before).plus(_Counts.of(outcome)))
        return outcome

    def _patiently(self, work: LaneWork, stopping: Callable[[], bool]) -> Outcome:
        """The outcome of the last attempt, with what all of them have received and merged."""
        counts = _Counts()
        for attempt in range(1, ATTEMPTS_ONCE + 1):
            outcome = work.step(stopping)
            counts = counts.plus(_Counts.of(outcome))
            if not outcome.is_passing or attempt == ATTEMPTS_ONCE or stopping():
                break
            self._record(outcome, None)
            self._house.tools.clock.sleep(pause(attempt, self._dice))
        self._record(outcome, None)
        return _counted(outcome, counts)

    def _record(self, outcome: Outcome, before: Outcome | None) -> Outcome | None:
        """Enters the outcome, unless it is what stands there: a database away for a day is one fact, not a million.
        Returns what stands there; None when it could not be entered."""
        if before is not None and (before.outcome, before.reason) == (outcome.outcome, outcome.reason):
            return before
        if outcome.reason:
            log.warning("lane " + outcome.outcome, lane=outcome.lane, reason=outcome.reason, hint=outcome.hint)
        if not outcome.is_elsewhere:
            # Of a lane that is held, the lane itself is well, and so are its other streams.
            ended = ("complete", "") if outcome.is_held else (outcome.outcome, outcome.reason)
            try:
                self._house.tools.ledger.append([Ran(outcome.lane, *ended)], given=[])
            except Transient as away:
                # The pass itself has met the same, or will; a book that is away for a while must end no worker.
                log.warning("the ledger is away", lane=outcome.lane, reason=away.message, hint=away.hint)
                return None
        return outcome

    def _close(self) -> None:
        for work in self._works:
            work.close()
        self._warehouses.close()


def _until_next(work: LaneWork) -> float:
    """Seconds until the next pass: a backfill that may go on brings it forward."""
    wait = work.backfills.wait_seconds
    return POLL_SECONDS if wait is None else min(wait, POLL_SECONDS)


def _outcome(lane: str, error: Exception) -> Outcome:
    """Who must move next decides how a failure ends."""
    if isinstance(error, Stopped | Transient):
        elsewhere = isinstance(error, Fenced | Occupied)
        passing = isinstance(error, Transient) and not elsewhere
        return Outcome(
            lane, "partial", error.message, error.hint, exit_code=3, is_passing=passing, is_elsewhere=elsewhere
        )
    if isinstance(error, Misconfigured):
        return Outcome(lane, "failed", error.message, error.hint, exit_code=2)
    if isinstance(error, TieoutError):
        return Outcome(lane, "failed", error.message, error.hint, exit_code=1)
    if isinstance(error, MemoryError):
        why, mend = f"there is not enough memory: {error or 'no more is given'}.", "Give the machine more memory."
        return Outcome(lane, "partial", why, mend, exit_code=3, is_passing=True)
    log.exception("a fault of tieout's own", lane=lane)
    return Outcome(
        lane, "failed", f"{type(error).__name__}: {error}", "This is a fault in tieout; please report it.", exit_code=1
    )


def _with_remarks(outcome: Outcome, source: Source) -> Outcome:
    """What is left out of a source fails nothing, and must not be forgotten."""
    remarks = source.remarks() if isinstance(source, Remarks) else ()
    if not remarks:
        return outcome
    told = " ".join(remark.text for remark in remarks[:REMARKS_MAX])
    rest = f" And {len(remarks) - REMARKS_MAX} more." if len(remarks) > REMARKS_MAX else ""
    return replace(outcome, reason=f"Left out: {told}{rest}", hint=remarks[0].hint)


def _with_paused(outcome: Outcome, route: Route) -> Outcome:
    """A stream that waits for somebody stops no other, and nobody may call the run complete."""
    if not route.paused:
        return outcome
    stream, paused = min(route.paused.items())
    more = f"; {len(route.paused) - 1} more streams are paused" if len(route.paused) > 1 else ""
    reason = f"{stream} is paused: {paused.reason}{more}"
    ended, code = ("partial", 3) if paused.contract else ("failed", 2)
    return replace(outcome, outcome=ended, reason=reason, hint=paused.hint, exit_code=code, is_held=True)


def _with_damage(outcome: Outcome, route: Route) -> Outcome:
    """A damaged batch that the ledger does not know stops nothing, but nobody may call the lane complete."""
    if not route.damaged:
        return outcome
    first = next(iter(route.damaged.values()))
    reason = f"{len(route.damaged)} sealed batches cannot be read; the first: {first.message}"
    return replace(outcome, outcome="partial", reason=reason, hint=first.hint, exit_code=3)


def exit_code(outcomes: list[Outcome]) -> int:
    """Of a run: wrong configuration before failure before cut short before complete."""
    codes = {outcome.exit_code for outcome in outcomes}
    return next((code for code in (2, 1, 3) if code in codes), 0)
