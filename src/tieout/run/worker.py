"""The worker: takes the lanes in turn, does what is due, and enters how each pass ended.

`once` does all work there is and stops; `forever` goes on until it is asked to stop. Any number of workers may run:
a lease keeps them apart, and a fence makes the late one harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

import structlog

from ..base.codec import canonical_json
from ..base.errors import Transient
from ..base.stream import Stream
from ..ledger.facts import Ran
from .house import House
from .lane import LaneWork
from .outcome import ASKED_TO_STOP, Counts, Outcome, counted
from .patience import Rest, pause
from .session import Warehouses

ATTEMPTS_ONCE = 7
"""Tries of one `run --once` against a neighbour that is away: some 15 seconds in all."""
POLL_SECONDS = 1.0
PROOF_SECONDS = 60.0
"""How long the book may say nothing new of a lane that is well: so old is, at most, what it proves of one at work."""
PROOFS_IN_PROMISE = 3
"""How often it speaks within the time that a contract promises, or nobody could see that the promise holds."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Shift:
    """A lane between its passes: how the last one ended, which outcome stands in the ledger, what all of them did, and
    until when it rests."""

    work: LaneWork
    last: Outcome | None = None
    entered: Outcome | None = None
    counts: Counts = field(default_factory=Counts)
    failures: int = 0
    rest: Rest | None = None


class Worker:
    """All lanes of a project (or the one of `only`), one after the other."""

    def __init__(self, house: House, *, only: Stream | None, dice: Random) -> None:
        self._house = house
        self._dice = dice
        self._warehouses = Warehouses(house)
        self._works = [LaneWork(house, lane, self._warehouses, only=only, dice=dice) for lane in house.lanes(only)]

    def once(self, stopping: Callable[[], bool], *, backfill_seconds: float | None = None) -> list[Outcome]:
        """Does all work that is due, and stops. A neighbour that is away is tried again for a while. After live work
        each lane's backfills have `backfill_seconds`, and go on with the next run; None: they are read to their end."""
        try:
            return [self._to_the_end(work, stopping, backfill_seconds) for work in self._works]
        finally:
            self._close()

    def forever(self, stopping: Callable[[], bool]) -> list[Outcome]:
        """Goes on until `stopping`; returns each lane's last outcome, with what all its passes received and merged."""
        for work in self._works:
            work.proves = True
        shifts = [_Shift(work) for work in self._works]
        clock = self._house.tools.clock
        try:
            while not stopping():
                for shift in shifts:
                    if shift.rest is None or not shift.rest.lasts(clock.now()):
                        self._serve(shift, stopping)
                clock.sleep(POLL_SECONDS / 10)
        finally:
            self._close()
        return [counted(shift.last, shift.counts) for shift in shifts if shift.last is not None]

    def _serve(self, shift: _Shift, stopping: Callable[[], bool]) -> None:
        """One pass, entered, and a rest."""
        outcome = shift.last = shift.work.step(stopping)
        shift.counts = shift.counts.plus(Counts.of(outcome))
        shift.failures = 0 if outcome.is_well else shift.failures + 1
        may_go_on = outcome.is_well or outcome.keeps_pace
        wait = _until_next(shift.work) if may_go_on else pause(shift.failures, self._dice)
        wait = 0.0 if outcome.is_well and shift.work.is_unfinished else wait
        shift.rest = Rest(self._house.tools.clock.now(), timedelta(seconds=wait))
        shift.entered = self._record(outcome, shift.entered)
        if outcome.merged:
            log.info("merged", lane=outcome.lane, received=outcome.received, merged=outcome.merged)

    def _to_the_end(self, work: LaneWork, stopping: Callable[[], bool], backfill_seconds: float | None) -> Outcome:
        """Live work, then the backfills that are asked for, live work between their chunks."""
        outcome = self._whole(work, stopping)
        begun = self._house.tools.clock.now()
        while outcome.is_well and (wait := work.backfills.wait_seconds) is not None:  # bounded: a range ends
            if stopping():
                return replace(outcome, outcome="partial", reason=ASKED_TO_STOP, exit_code=3)
            if work.backfills.delays >= ATTEMPTS_ONCE and (why := work.backfills.delayed):
                return replace(outcome, outcome="partial", reason=why.message, hint=why.hint, exit_code=3)
            spent = (self._house.tools.clock.now() - begun).total_seconds()
            if backfill_seconds is not None and spent + wait >= backfill_seconds:
                return outcome
            self._house.tools.clock.sleep(wait)
            before, outcome = outcome, self._whole(work, stopping)
            outcome = counted(outcome, Counts.of(before).plus(Counts.of(outcome)))
        return outcome

    def _whole(self, work: LaneWork, stopping: Callable[[], bool]) -> Outcome:
        """Passes, until the source has nothing left that is due: one with full reads under way ends none too late."""
        outcome = self._patiently(work, stopping)
        while outcome.is_well and work.is_unfinished:  # bounded: a full read ends
            if stopping():
                return replace(outcome, outcome="partial", reason=ASKED_TO_STOP, exit_code=3)
            before, outcome = outcome, self._patiently(work, stopping)
            outcome = counted(outcome, Counts.of(before).plus(Counts.of(outcome)))
        return outcome

    def _patiently(self, work: LaneWork, stopping: Callable[[], bool]) -> Outcome:
        """The outcome of the last attempt, with what all of them have received and merged."""
        counts = Counts()
        for attempt in range(1, ATTEMPTS_ONCE + 1):
            outcome = work.step(stopping)
            counts = counts.plus(Counts.of(outcome))
            if not outcome.is_passing or attempt == ATTEMPTS_ONCE or stopping():
                break
            self._record(outcome, None)
            self._house.tools.clock.sleep(pause(attempt, self._dice))
        self._record(outcome, None)
        return counted(outcome, counts)

    def _record(self, outcome: Outcome, before: Outcome | None) -> Outcome | None:
        """Enters the outcome, unless it is what stands there: a database away for a day is one fact, not a million. How
        far a lane that is well has come is entered now and then. Returns what stands there; None when it could not be
        entered."""
        is_same = before is not None and (before.outcome, before.reason) == (outcome.outcome, outcome.reason)
        if is_same and before is not None and not self._proves_more(outcome, before):
            return before
        if outcome.reason and not is_same:
            log.warning("lane " + outcome.outcome, lane=outcome.lane, reason=outcome.reason, hint=outcome.hint)
        if not outcome.is_elsewhere:
            # Of a lane that is held, the lane itself is well, and so are its other streams.
            ended, reason = ("complete", "") if outcome.is_held else (outcome.outcome, outcome.reason)
            through = outcome.through if ended == "complete" else None
            apart = canonical_json({object_: at.isoformat() for object_, at in outcome.apart.items()})
            try:
                self._house.tools.ledger.append(
                    [Ran(outcome.lane, ended, reason, through, apart if outcome.apart else "")], given=[]
                )
            except Transient as away:
                # The pass itself has met the same, or will; a book that is away for a while must end no worker.
                log.warning("the ledger is away", lane=outcome.lane, reason=away.message, hint=away.hint)
                return None
        return outcome

    def _proves_more(self, outcome: Outcome, before: Outcome) -> bool:
        """Whether it is time to enter how far the lane has come since."""
        if outcome.apart or before.apart:
            moved = [
                abs((at - before.apart[one]).total_seconds())
                for one, at in outcome.apart.items()
                if one in before.apart
            ]
            is_news = outcome.apart.keys() != before.apart.keys()
        elif outcome.through is None or before.through is None:
            return outcome.through is not None
        else:
            # Either way: a clock that was set back proves less than it seems to have proven.
            moved, is_news = [abs((outcome.through - before.through).total_seconds())], False
        promised = self._house.tools.contracts.soonest(outcome.lane)
        wait = PROOF_SECONDS if promised is None else min(PROOF_SECONDS, promised / PROOFS_IN_PROMISE)
        return is_news or max(moved, default=0.0) >= wait

    def _close(self) -> None:
        for work in self._works:
            work.close()
        self._warehouses.close()


def _until_next(work: LaneWork) -> float:
    """Seconds until the next pass: a backfill that may go on brings it forward."""
    wait = work.backfills.wait_seconds
    return POLL_SECONDS if wait is None else min(wait, POLL_SECONDS)
