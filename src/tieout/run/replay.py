"""A rebuild: all that ever landed of a stream is merged anew beside its tables, compared with them, and replaces them.

The landing is the truth, so a difference is told and the new tables are taken all the same. Killed at any moment it
leaves the live tables as they were, and what it had filled so far is dropped by the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..base.errors import Misconfigured, Retyped
from ..base.step import Step
from ..base.stream import Stream
from ..contract.contract import Contract
from ..ledger.facts import Landed, Merged, Paused
from ..merge.reading import Reading
from ..merge.warehouse import Side
from .hand import grouped
from .house import House
from .pausing import paused_now
from .route import Tools
from .session import Session, Warehouses
from .stuck import free


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One stream after its rebuild. `equal`: the tables that users read were what the landing says; else `reason`.
    `left`: it is paused, and its tables are as they were."""

    stream: Stream
    equal: bool
    reason: str
    state_hash: str
    rows: int
    left: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "stream": str(self.stream),
            "equal": self.equal,
            "reason": self.reason,
            "state_hash": self.state_hash,
            "rows": self.rows,
        }


def rebuild(house: House, *, only: Stream | None) -> list[Rebuilt]:
    """Rebuilds every stream that has landed, or `only`. Raises Occupied while a worker holds the warehouse."""
    warehouses = Warehouses(house)
    try:
        return [rebuilt for lane in house.lanes(only) for rebuilt in _rebuild_lane(house, lane, warehouses, only)]
    finally:
        warehouses.close()


def _rebuild_lane(house: House, lane: str, warehouses: Warehouses, only: Stream | None) -> list[Rebuilt]:
    session = Session(house, lane, warehouses)
    try:
        streams = session.route.streams()
        if only is not None and only not in streams:
            raise Misconfigured(f"{only} has never landed, so there is nothing to make it from.")
        replay = Replay(session, house.tools)
        return [replay.rebuild(stream) for stream in streams if only in (None, stream)]
    finally:
        session.close()


class Replay:
    """Rebuilds streams of the lane of one session."""

    def __init__(self, session: Session, tools: Tools) -> None:
        self._route = session.route
        self._warehouse = session.warehouse
        self._tools = tools

    def rebuild(self, stream: Stream) -> Rebuilt:
        contract = self._route.contract(stream)
        if (paused := paused_now(self._tools.ledger).get(stream)) is not None:
            return self._left(contract, paused)
        unlike = self._catch_up(contract)
        before = None if unlike else self._state_hash(contract, Side.LIVE)
        landed = self._landed(stream)
        merged_at = self._merged_at(landed)
        judged_otherwise = self._fill_shadow(contract, landed, merged_at)
        self._tools.passing(Step.SHADOWED)
        after = self._state_hash(contract, Side.SHADOW)
        with self._route.busy():
            self._warehouse.swap(contract, turn=self._route.turn())
        facts = [Merged(batch, str(stream), at) for batch, at in merged_at.items()]
        self._tools.ledger.append(facts, given=[])  # it passes over all but those that only the rebuild has merged
        free(self._tools.ledger, stream)
        reason = "" if before == after else unlike or _difference(judged_otherwise, len(landed))
        rows = self._reading(contract, Side.LIVE).live_rows()
        return Rebuilt(stream, before == after, reason, after, rows)

    def _left(self, contract: Contract, paused: Paused) -> Rebuilt:
        """As it is: to merge what nobody has looked at yet is not the rebuild's to decide."""
        reading = self._reading(contract, Side.LIVE)
        self._route.prepare(self._warehouse, contract, Side.LIVE)
        reason = f"{contract.stream} is paused, and was left as it is: {paused.reason}."
        return Rebuilt(contract.stream, False, reason, reading.state_hash(), reading.live_rows(), left=True)

    def _catch_up(self, contract: Contract) -> str:
        """Merges what is pending, so that both sides hold the same batches. Returns why, where that cannot be."""
        try:
            self._route.prepare(self._warehouse, contract, Side.LIVE)
            self._route.merge(self._warehouse, contract.stream)
        except Retyped as error:
            return error.message
        return ""

    def _fill_shadow(self, contract: Contract, landed: list[Landed], merged_at: Mapping[str, datetime]) -> int:
        """Returns how many of the batches were judged under another contract than today's."""
        stream = contract.stream
        self._warehouse.drop(stream, Side.SHADOW, turn=self._route.turn())
        self._route.prepare(self._warehouse, contract, Side.SHADOW)
        judged_otherwise = 0
        opened = (self._tools.landing.open(stream, fact.batch) for fact in landed)
        for batches in grouped(opened):
            self._route.renew()
            judged_otherwise += sum(batch.footer.contract != contract.digest for batch in batches)
            with self._route.busy():
                self._warehouse.merge(contract, batches, turn=self._route.turn(), merged_at=merged_at, side=Side.SHADOW)
        return judged_otherwise

    def _merged_at(self, landed: list[Landed]) -> dict[str, datetime]:
        """When each batch was first merged: a rebuild makes nothing fresher than it was."""
        if not landed:
            return {}
        known, now = self._tools.ledger.merged(landed[0].lane), self._tools.clock.now()
        return {fact.batch: known.get(fact.batch, now) for fact in landed}

    def _landed(self, stream: Stream) -> list[Landed]:
        entries = self._tools.ledger.entries(Landed, lane=stream.source, stream=str(stream))
        return [entry.fact for entry in entries if isinstance(entry.fact, Landed)]

    def _state_hash(self, contract: Contract, side: Side) -> str:
        with self._route.busy():
            return self._reading(contract, side).state_hash()

    def _reading(self, contract: Contract, side: Side) -> Reading:
        return self._warehouse.reading(contract, side)


def _difference(judged_otherwise: int, batches: int) -> str:
    if judged_otherwise:
        return f"{judged_otherwise} of {batches} batches landed under another contract than today's."
    return "The tables were not what the landing says; now they are."
