"""What must hold at every step, checked by whoever sees a store being changed.

I1  what is merged has landed, what has landed would survive a power cut, what is acknowledged is registered, and
    what is noted as merged is
I4  nobody writes under a fence that a newer one has passed, and no lane is taken from who lives and has its lease
I5  what a key's registers hold never becomes older

The numbers are those of the proof (`docs/why/proof.md`). Shares no code with what it checks but the names of things.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from ...base.batch import Batch
from ...base.cursor import Cursor
from ...base.stream import Stream
from ...contract.contract import Contract
from ...ledger.facts import Advanced, Fact, Landed, Merged, Ran
from ...ledger.ledger import CursorAt, Guard, Holder, Lease, LeaseHeld
from ...merge.warehouse import Turn
from .machine.process import Registers

_SEALED: Final = ".parquet"
_FAULT_OF_OURS: Final = re.compile(r"\w+(Error|Exception|Invalid|Interrupt): ")
"""How a pass that failed of a program's fault says so: every other failure is told in a sentence."""


class Violated(BaseException):
    """An invariant does not hold: the product is wrong, or the simulation is. Nothing that is tested can catch it and
    make an outcome of it."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


class Invariants:
    """Implements `Witness`. `checks` counts what was looked at, by invariant; `empty` are the steps of a track (lane,
    track, from, to) in which the source said nothing, so that no batch tells of them; `broken` is the first that
    did not hold, also when who met it failed of something else on its way out."""

    def __init__(
        self,
        *,
        is_durable: Callable[[Path], bool],
        is_merged: Callable[[Stream, str], bool | None],
        landing: Path,
        ledger: Path,
    ) -> None:
        self.checks: Counter[str] = Counter()
        self.broken: Violated | None = None
        self.landed: set[str] = set()
        self.empty: list[tuple[str, str, Cursor | None, Cursor]] = []
        self._is_durable = is_durable
        self._is_merged = is_merged
        self._leases: dict[str, Lease] = {}
        self._granted: dict[str, int] = {}
        self._landing = landing
        self._ledger = ledger
        self._written: dict[str, int] = {}
        self._registers: dict[tuple[str, str, str], str] = {}

    def appended(self, facts: Sequence[Fact], given: Sequence[Guard]) -> None:
        if any(isinstance(fact, Landed | Advanced) for fact in facts):
            is_guarded = any(isinstance(guard, LeaseHeld) for guard in given)
            self.must("I4", is_guarded, "a batch or a cursor is registered without proof of a lease")
        for guard in given:
            match guard:
                case LeaseHeld():
                    self._is_newest(guard.lease.lane, guard.lease.fence)
                case CursorAt() if not any(isinstance(fact, Landed) for fact in facts):
                    for fact in facts:
                        if isinstance(fact, Advanced):
                            self.empty.append((fact.lane, fact.cursor.track, guard.cursor, fact.cursor))
        for fact in facts:
            match fact:
                case Landed():
                    self._lands(fact)
                case Merged():
                    self._is_noted(fact)
                case Ran():
                    is_ours = bool(_FAULT_OF_OURS.match(fact.reason))
                    self.must("error", not is_ours, f"a pass over {fact.lane} failed: {fact.reason}")

    def merged(self, contract: Contract, batches: Sequence[Batch], turn: Turn) -> None:
        before = self._written.get(turn.lane, 0)
        self.must("I4", turn.fence >= before, f"{turn.lane}: fence {turn.fence} merged after fence {before} had")
        self._written[turn.lane] = turn.fence
        for batch in batches:
            self.must("I1", batch.name in self.landed, f"{batch.name[:8]} is merged before it is registered")

    def refused(self, turn: Turn) -> None:
        """The warehouse took a worker for an old one."""
        is_newest = turn.fence >= self._granted.get(turn.lane, 0)
        self.must("I4", not is_newest, f"{turn.lane}: fence {turn.fence} is the newest, and the warehouse refuses it")

    def leased(self, lease: Lease, now: datetime, is_dead: Callable[[Holder], bool]) -> None:
        before = self._leases.get(lease.lane)
        if before is not None and before.holder != lease.holder:
            is_free = before.expires <= now or is_dead(before.holder)
            self.must("I4", is_free, f"{lease.lane} is taken from process {before.holder.pid}, which lives and has it")
        self._leases[lease.lane] = lease
        self._granted[lease.lane] = lease.fence

    def renewed(self, lease: Lease) -> None:
        self._leases[lease.lane] = lease

    def released(self, lease: Lease) -> None:
        if self._leases.get(lease.lane, lease).fence == lease.fence:
            self._leases.pop(lease.lane, None)

    def acknowledged(self, lane: str, track: str, position: int) -> None:
        """Asked as the source is told that it may forget."""
        with closing(sqlite3.connect(self._ledger)) as ledger:
            rows = ledger.execute(
                "select position from facts where kind = 'Advanced' and lane = ? and track = ?", (lane, track)
            ).fetchall()
        registered = max((position for (position,) in rows), default=None)
        known = registered is not None and position <= registered
        self.must("I1", known, f"{lane}/{track} acknowledges {position}, registered is {registered}")

    def stands(self, contract: Contract, registers: Registers) -> None:
        """What the registers of a stream hold after a merge. Which image is complete is the contract's to say, and no
        register of the source's."""
        for key, tokens in registers.items():
            for register, token in tokens.items():
                if register == "image":
                    continue
                place = (str(contract.stream), str(key), register)
                before = self._registers.get(place, "")
                what = f"{contract.stream} {key} {register} went back from {before} to {token}"
                self.must("I5", token >= before, what)
                self._registers[place] = token

    def ledger_lost(self) -> None:
        """Another ledger counts its fences anew."""
        self._granted.clear()
        self._leases.clear()

    def warehouse_lost(self) -> None:
        self._written.clear()
        self._registers.clear()

    def _is_noted(self, fact: Merged) -> None:
        self.must("I1", fact.batch in self.landed, f"{fact.batch[:8]} is merged and never landed")
        is_merged = self._is_merged(Stream.parse(fact.stream), fact.batch)
        if is_merged is not None:
            self.must("I1", is_merged, f"{fact.batch[:8]} is noted as merged before it is")

    def _lands(self, fact: Landed) -> None:
        source, _, object_ = fact.stream.partition(".")
        path = self._landing / source / object_ / (fact.batch + _SEALED)
        self.must("I1", self._is_durable(path), f"{fact.stream} {fact.batch[:8]} is registered and not yet durable")
        self.landed.add(fact.batch)

    def _is_newest(self, lane: str, fence: int) -> None:
        newest = self._granted.get(lane, 0)
        self.must("I4", fence >= newest, f"{lane}: fence {fence} registered after fence {newest} was granted")

    def must(self, invariant: str, holds: bool, what: str) -> None:
        self.checks[invariant] += 1
        if not holds:
            self.broken = self.broken or Violated(invariant, what)
            raise self.broken

    def watch(self) -> None:
        """Asked whenever somebody has moved."""
        if self.broken is not None:
            raise self.broken
