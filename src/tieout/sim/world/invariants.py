"""What must hold at every step, checked by whoever sees a store being changed.

I1  what is merged has landed, what has landed would survive a power cut, and what is acknowledged is registered
I4  nobody writes under a fence that a newer one has passed
I5  what a key's registers hold never becomes older

The numbers are those of the proof (`docs/why/proof.md`). Shares no code with what it checks but the names of things.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from ...base.batch import Batch
from ...base.cursor import Cursor
from ...contract.contract import Contract
from ...ledger.facts import Advanced, Fact, Landed, Merged
from ...ledger.ledger import CursorAt, Guard, LeaseHeld
from ...merge.warehouse import Turn
from .process import Registers

_SEALED: Final = ".parquet"


class Violated(Exception):
    """An invariant does not hold: the product is wrong, or the simulation is."""

    def __init__(self, invariant: str, what: str) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant


class Invariants:
    """Implements `Witness`. `checks` counts what was looked at, by invariant; `empty` are the steps of a track (lane,
    track, from, to) in which the source said nothing, so that no batch tells of them."""

    def __init__(self, *, is_durable: Callable[[Path], bool], landing: Path, ledger: Path) -> None:
        self.checks: Counter[str] = Counter()
        self.landed: set[str] = set()
        self.empty: list[tuple[str, str, Cursor | None, Cursor]] = []
        self.received: Counter[str] = Counter()
        self._is_durable = is_durable
        self._landing = landing
        self._ledger = ledger
        self._appended: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._registers: dict[tuple[str, str, str], str] = {}

    def appended(self, facts: Sequence[Fact], given: Sequence[Guard]) -> None:
        for guard in given:
            match guard:
                case LeaseHeld():
                    self._fence("I4", self._appended, guard.lease.lane, guard.lease.fence, "registered")
                case CursorAt() if not any(isinstance(fact, Landed) for fact in facts):
                    for fact in facts:
                        if isinstance(fact, Advanced):
                            self.empty.append((fact.lane, fact.cursor.track, guard.cursor, fact.cursor))
        for fact in facts:
            if isinstance(fact, Landed):
                self._lands(fact)
            elif isinstance(fact, Merged):
                self.must("I1", fact.batch in self.landed, f"{fact.batch[:8]} is merged and never landed")

    def merged(self, contract: Contract, batches: Sequence[Batch], turn: Turn) -> None:
        self._fence("I4", self._written, turn.lane, turn.fence, "merged")
        for batch in batches:
            self.must("I1", batch.name in self.landed, f"{batch.name[:8]} is merged before it is registered")

    def acknowledged(self, lane: str, cursor: Cursor) -> None:
        """Asked as the source is told that it may forget."""
        with closing(sqlite3.connect(self._ledger)) as ledger:
            rows = ledger.execute(
                "select position from facts where kind = 'Advanced' and lane = ? and track = ?", (lane, cursor.track)
            ).fetchall()
        registered = max((position for (position,) in rows), default=None)
        known = registered is not None and cursor.position <= registered
        self.must("I1", known, f"{lane}/{cursor.track} acknowledges {cursor.position}, registered is {registered}")

    def stands(self, contract: Contract, registers: Registers) -> None:
        """What the registers of a stream hold after a merge. Which image is complete is the contract's to say, and no
        register of the source's."""
        for key, tokens in registers.items():
            for register, token in tokens.items():
                place = (str(contract.stream), str(key), register)
                before = self._registers.get(place, "")
                what = f"{contract.stream} {key} {register} went back from {before} to {token}"
                self.must("I5", token >= before or register == "image", what)
                self._registers[place] = token

    def ledger_lost(self) -> None:
        """Another ledger counts its fences anew."""
        self._appended.clear()

    def warehouse_lost(self) -> None:
        self._written.clear()
        self._registers.clear()

    def _lands(self, fact: Landed) -> None:
        source, _, object_ = fact.stream.partition(".")
        path = self._landing / source / object_ / (fact.batch + _SEALED)
        self.must("I1", self._is_durable(path), f"{fact.stream} {fact.batch[:8]} is registered and not yet durable")
        if fact.batch not in self.landed:
            self.received[fact.stream] += fact.received.count
        self.landed.add(fact.batch)

    def _fence(self, invariant: str, highest: dict[str, int], lane: str, fence: int, did: str) -> None:
        before = highest.get(lane, 0)
        self.must(invariant, fence >= before, f"{lane}: fence {fence} {did} after fence {before} had")
        highest[lane] = max(before, fence)

    def must(self, invariant: str, holds: bool, what: str) -> None:
        self.checks[invariant] += 1
        if not holds:
            raise Violated(invariant, what)
