"""The systems of the simulated company, as one lane each: what may befall them, and how tieout reads them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from ...base.stream import Stream
from ...capture.changes.source import ChangesSource
from ...capture.source import Source
from ...contract import odcs
from .chance import Chance
from .company.hooked import HookedSender
from .company.hookinbox import HookInbox
from .company.logged import LOG, LoggedSource
from .company.logserver import LogServer
from .company.polled import PolledSource
from .company.pollserver import PollServer
from .company.saying import described
from .company.systems import Habits, System
from .faults import Fault
from .machine.process import Process, SimClock, Witness
from .machine.stage import Stage
from .oracle import Truth

_REFUSED_MAX: Final = 4
_UNTOLD_MAX: Final = 4
"""Transactions that nobody hears of, as the slot is made anew right behind them."""
_ROWS_OF_LARGE_PIECES: Final = 20
_FULL_EVERY: Final = 4
_FULL_SELDOM: Final = 100
"""Of polls: far more than a run has. What one of them missed is then not found by chance."""


class SimLane(Protocol):
    """A system of the company, and how tieout reads it."""

    @property
    def name(self) -> str: ...

    @property
    def heals(self) -> bool:
        """Whether reading it up to a cut tells every row anew, so that a damage here is mended before it is found."""
        ...

    def source(self, process: Process, clock: SimClock) -> Source:
        """What a process of tieout reads it with."""
        ...

    def act(self, chance: Chance, now: float) -> None:
        """Its users do something."""
        ...

    def befall(self, fault: Fault, chance: Chance) -> bool:
        """Lets this happen to it; False where it cannot."""
        ...

    def settle(self, now: float) -> None:
        """Its users go home, and leave nothing wrong behind."""
        ...

    def truth(self) -> Mapping[str, Truth]:
        """Per object, what is true now."""
        ...


class LoggedLane:
    """A database with a log."""

    heals = False

    def __init__(self, name: str, stage: Stage, witness: Witness, habits: Habits, *, piece_rows: int) -> None:
        self.name = name
        self.system = System(habits=habits)
        self._server = LogServer(
            self.system, now=lambda: stage.now, confirming=partial(witness.acknowledged, name, LOG)
        )
        self._piece_rows = piece_rows

    def source(self, process: Process, clock: SimClock) -> Source:
        rows = self._piece_rows
        return LoggedSource(self.name, self._server, reach=process.reach, commits_max=rows, rows_max=rows)

    def befall(self, fault: Fault, chance: Chance) -> bool:
        match fault:
            case Fault.SLOT_DROPPED:
                self._server.drop_slot()
            case Fault.SLOT_REMADE:
                for _ in range(chance.between(0, _UNTOLD_MAX)):
                    self.system.transact(chance, self._server.system.now)
                self._server.remake_slot()
            case Fault.THROTTLED:
                self._server.throttle.requests = chance.between(1, _REFUSED_MAX)
            case Fault.DRIFT:
                # A hole in one key stays open where the contract promises a column that its source has dropped.
                self.system.drift(chance, drops=0.0)
            case _:
                return False
        return True

    def act(self, chance: Chance, now: float) -> None:
        self.system.transact(chance, now)

    def settle(self, now: float) -> None:
        self._server.throttle.requests = 0
        self.system.settle(now)

    def truth(self) -> Mapping[str, Truth]:
        return {object_: self.system.rows(object_) for object_ in sorted(self.system.kept)}


class PolledLane:
    """A system in a cloud, which is asked for what was changed since."""

    heals = True

    def __init__(self, name: str, stage: Stage, habits: Habits, *, piece_rows: int) -> None:
        self.name = name
        self.system = System(habits=habits)
        self._server = PollServer(self.system, now=lambda: stage.now)
        self._piece_rows = piece_rows

    def source(self, process: Process, clock: SimClock) -> Source:
        often = _FULL_EVERY if self._piece_rows < _ROWS_OF_LARGE_PIECES else _FULL_SELDOM
        return PolledSource(self.name, self._server, reach=process.reach, page_rows=self._piece_rows, full_every=often)

    def befall(self, fault: Fault, chance: Chance) -> bool:
        match fault:
            case Fault.PAGE_SHORT:
                self._server.shorten(chance.between(1, _REFUSED_MAX))
            case Fault.THROTTLED:
                self._server.throttle.requests = chance.between(1, _REFUSED_MAX)
            case Fault.DRIFT:
                self.system.drift(chance)
            case _:
                return False
        return True

    def act(self, chance: Chance, now: float) -> None:
        self.system.transact(chance, now)

    def settle(self, now: float) -> None:
        self._server.throttle.requests = 0
        self._server.shorten(0)
        self.system.settle(now)

    def truth(self) -> Mapping[str, Truth]:
        return {object_: self.system.rows(object_) for object_ in sorted(self.system.kept)}


class HookedLane:
    """A system that sends webhooks, which somebody writes into an inbox. Its contracts were written by people."""

    heals = False

    def __init__(self, name: str, folder: Path, habits: Habits) -> None:
        self.name = name
        self.system = System(habits=habits)
        self._inbox = HookInbox()
        self._sender = HookedSender(self.system, name, self._inbox.put)
        for object_, fields in self.system.fields.items():
            stream = Stream(name, object_)
            contract = odcs.find(folder, stream)
            contract.parent.mkdir(parents=True, exist_ok=True)
            contract.write_text(odcs.draft(stream, described(object_, fields)), encoding="utf-8")

    def source(self, process: Process, clock: SimClock) -> Source:
        return ChangesSource(self.name, self._inbox.seen_by(process.reach), clock)

    def befall(self, fault: Fault, chance: Chance) -> bool:
        return False

    def act(self, chance: Chance, now: float) -> None:
        self.system.transact(chance, now)
        self._sender.deliver(chance, now)

    def settle(self, now: float) -> None:
        self.system.settle(now)
        # No commit may fall into the second of the snapshot.
        self.system.tick(now + 2.0)
        self._sender.settle(now + 2.0)

    def truth(self) -> Mapping[str, Truth]:
        return {object_: self.system.rows(object_) for object_ in sorted(self.system.kept)}
