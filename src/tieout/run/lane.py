"""A lane in a worker's hands: its session, its passes, and what each of them came to.

A pass lands what the source says, merges it as soon as there is a warehouse, and leaves the rest to backfills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import structlog

from ..base.errors import Stopped, TieoutError, Transient
from ..base.stream import Stream
from ..capture.source import ReadsOn, Vouches
from ..ledger.facts import Resumed
from .backfill_work import LaneBackfills
from .certify import certify_in_passing
from .house import House
from .mend import Tried, mend
from .outcome import (
    ASKED_TO_STOP,
    Counts,
    Outcome,
    counted,
    outcome_of,
    with_damage,
    with_paused,
    with_remarks,
    with_shortfall,
    with_stuck,
)
from .rhythm import Beat
from .session import LandingSession, Session, Warehouses
from .settle import release_mended
from .spending import Spending

MERGE_SECONDS_MAX = 5.0
"""How long what has landed waits for its merge while a capture goes on: a first read of large tables takes hours."""

log = structlog.get_logger()


class LaneWork:
    """One lane in the hands of this worker. Its session (lease, source, route) stays open between passes."""

    def __init__(self, house: House, lane: str, warehouses: Warehouses, *, only: Stream | None, dice: Random) -> None:
        self.lane = lane
        self.backfills = LaneBackfills(house.tools, lane, only=only, dice=dice)
        self._house = house
        self._warehouses = warehouses
        self._only = only
        self._session: Session | LandingSession | None = None
        self._beat = Beat(house.project.rhythm, house.tools.landing)
        self._away = Transient("the warehouse has not been asked yet.")
        self._may_be_open = True
        self._tried: Tried = Tried()
        self._spending = Spending(house.tools.ledger, lane)
        self._through: datetime | None = None
        self._apart: Mapping[str, datetime] = {}
        self.is_unfinished = False
        """Whether the source has more to tell than a pass may take."""
        self.proves = False
        """Whether it is held against its source when that is due: a worker that goes on does so, and nobody else."""

    def step(self, stopping: Callable[[], bool]) -> Outcome:
        """One pass: everything that is due now. Never raises; what went wrong is in the outcome."""
        route, before, self._through, self._apart = None, Counts(), None, {}
        self.is_unfinished = False
        try:
            session = self._open()
            route, before = session.route, Counts.of(session.route)
            self._pass(session, stopping)
            outcome = with_remarks(Outcome(self.lane, "complete", through=self._through), session.source)
            outcome = with_shortfall(outcome, session.source)
            outcome = with_damage(with_stuck(with_paused(outcome, route), route), route)
        except Exception as error:
            outcome = self._closed_after(error)
        outcome = replace(outcome, apart=self._apart)
        if route is None:
            return outcome
        return counted(outcome, Counts.of(route).minus(before))

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
        return outcome_of(self.lane, error)

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
            self._prove(session, stopping)
        else:
            self._land(session, stopping)

    def _prove(self, session: Session, stopping: Callable[[], bool]) -> None:
        """Holds the lane against its source, where that is due. A failure ends the pass, as that of any other work."""
        if not self.proves or self._house.project.rhythm is None or self._only is not None:
            return
        streams, now = session.route.streams(), self._house.tools.clock.now()
        if not self._beat.is_due(streams, now) or stopping():
            return
        self._beat.begun(now)
        only_changed = not self._beat.is_whole_due(streams, now)
        found = certify_in_passing(
            self._house, session, only_changed=only_changed, foretold=lambda forecast: not stopping()
        )
        for one in found.streams:
            log.info("certified", stream=str(one.stream), state=one.state.value, how=one.proof.how)

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
        route.merge_each(warehouse, only=self._only)
        clock = self._house.tools.clock
        begun = clock.now()  # before the bound: what the source had by now is within it
        due = begun + timedelta(seconds=MERGE_SECONDS_MAX)
        try:
            for _ in route.capture(source.bound()):
                _refuse_when(stopping)
                if route.is_full or clock.now() >= due:
                    route.merge_each(warehouse, only=self._only)
                    due = clock.now() + timedelta(seconds=MERGE_SECONDS_MAX)
        finally:
            self._apart = source.vouched() if isinstance(source, Vouches) else {}
            self._spending.enter(source, clock.now())
        route.merge_each(warehouse, only=self._only)
        self._go_on(session)
        if self._only is None and (self._may_be_open or route.merged > merged):
            self._may_be_open = mend(route, source, warehouse, route.merging(), self._tried) > 0
        self.is_unfinished = isinstance(source, ReadsOn) and source.unfinished
        self._through = None if isinstance(source, Vouches) else begun

    def _go_on(self, session: Session) -> None:
        """Streams that were paused and whose contracts were mended: what these take now is released."""
        for stream in sorted(session.route.mended - session.route.stuck.errors.keys()):
            if self._only in (None, stream):
                released = release_mended(session, stream)
                why = f"its contract was changed, and takes {released} of the rows that waited"
                self._house.tools.ledger.append([Resumed(str(stream), why)], given=[])


def _refuse_when(stopping: Callable[[], bool]) -> None:
    if stopping():
        raise Stopped(ASKED_TO_STOP)
