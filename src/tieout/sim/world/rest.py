"""What must hold at rest: when nothing strikes any more and all that was due is done.

I2  the batches of each track follow one another without a hole, up to the cursor
I3  the books balance, by count and by sum of ids, and count what landed
I8  what is here is what the source has: every row, every value, and nothing else; and the certificate says so
I9  the same landing, merged anew in any order and grouping, gives the same state; and the database's is the rule's
I11 nothing is open: no obligation, no hole, no lease, no file in the spool
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

from ...base.batch import Batch, Span, Tally
from ...base.change import UNREADABLE
from ...base.stream import Stream
from ...capture.hole import unread
from ...contract.contract import Contract
from ...ledger.facts import Landed
from ...merge.duckdb import DuckDBWarehouse
from ...merge.warehouse import Side, Turn
from ...quality.books import Books
from ...quality.certificate import State as Certified
from ...run.certify import certify
from ...run.house import House
from .chance import Chance
from .company.company import DOCUMENTS, KEY
from .invariants import Invariants
from .lanes import SimLane
from .machine import shown
from .machine.engines import OneThread, SimDuckDB, SimWarehouse
from .machine.process import Process
from .machine.rulehouse import RuleStore, RuleWarehouse
from .operator import WAITING_MAX, draw_level
from .oracle import differences
from .tamper import tampered
from .world import LANDING, World

_QUIET_SECONDS: Final = 60.0
"""So long nothing has happened anywhere, when one looks."""
_ONCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
_OPEN_MAX: Final = 5


def at_rest(world: World, lanes: Mapping[str, SimLane], invariants: Invariants) -> None:
    """Raises Violated for the first that does not hold."""
    process = Process(world.stage, "inspector", 0)
    world.stage.sleep(_QUIET_SECONDS)
    try:
        house = world.house(process)
        look = _Look(world, house, invariants)
        look.chains()
        if world.circumstances.is_database:
            look.certificates()
        else:
            draw_level(house)
        warehouse = world.open_warehouse(process)
        look.warehouse(warehouse, lanes)
        look.leases_and_spool()
        if isinstance(warehouse, SimDuckDB):
            look.history(warehouse)
        open_ = [stream for stream in look.streams() if not lanes[stream.source].heals]
        if world.circumstances.is_database and open_:
            contract = house.tools.contracts.of(world.chance.pick(open_), tuple)
            rows = warehouse.rows(contract)
            warehouse.close()
            tampered(house, contract, rows, world.chance, invariants)
    finally:
        process.end()


def as_polled(world: World, lanes: Mapping[str, SimLane], invariants: Invariants) -> None:
    """Of systems that are only polled, before all is read whole: what is there is here. What was deleted may stand."""
    process = Process(world.stage, "inspector", 0)
    try:
        house = world.house(process)
        warehouse = world.open_warehouse(process)
        for stream in _Look(world, house, invariants).streams():
            lane = lanes[stream.source]
            truth = lane.truth().get(stream.object, {}) if lane.heals else {}
            if truth:
                rows = warehouse.rows(house.tools.contracts.of(stream, tuple)).values()
                wrong = differences(truth, [row for row in rows if str(row[KEY]) in truth], documents=DOCUMENTS)
                invariants.must("I8", not wrong, f"{stream}, as it was polled: {wrong}")
    finally:
        process.end()


class _Look:
    def __init__(self, world: World, house: House, invariants: Invariants) -> None:
        self._world = world
        self._house = house
        self._invariants = invariants
        self._must = invariants.must

    def streams(self) -> list[Stream]:
        landed = {Stream.parse(text) for text in self._house.tools.ledger.landed().values()}
        return sorted(stream for stream in landed if stream.object != UNREADABLE)

    def chains(self) -> None:
        """From nothing, span after span, each with all its batches, one comes to the cursor of each track."""
        tools = self._house.tools
        spans: dict[tuple[str, str], dict[str, set[str]]] = {}
        sealed = sorted((str(stream), batch) for stream, batch in tools.landing.names())
        known = sorted((text, batch) for batch, text in tools.ledger.landed().items())
        self._must("I2", sealed == known, f"sealed and registered differ: {set(sealed) ^ set(known)}")
        told: dict[Span, set[str]] = {}
        for text, batch in sealed:
            stream = Stream.parse(text)
            told.setdefault(tools.landing.footer(stream, batch).span, set()).add(stream.object)
        for span, objects in told.items():
            if objects >= set(span.siblings):
                steps = spans.setdefault((span.lane, span.track), {})
                steps.setdefault(str(span.before), set()).add(str(span.after))
        for lane, track, before, after in self._invariants.empty:
            spans.setdefault((lane, track), {}).setdefault(str(before), set()).add(str(after))
        for lane in self._house.lanes():
            for track, cursor in tools.ledger.progress(lane).items():
                is_reached = str(cursor) in _reached(spans.get((lane, track), {}))
                self._must("I2", is_reached, f"{lane}/{track} stands at {cursor}, which no chain reaches")

    def certificates(self) -> None:
        found = certify(self._house, (), repair=False, may_repair=lambda plan: False)
        for one in found.streams:
            told = f"{one.stream} is certified as {one.state}: {' '.join(one.reasons)} {one.compared.findings}"
            self._must("I8", one.state is Certified.COMPLETE, told)
        self._must("I8", not found.uncertified, f"not certified: {found.uncertified}")

    def warehouse(self, warehouse: SimWarehouse, lanes: Mapping[str, SimLane]) -> None:
        ledger, known = self._house.tools.ledger, self.streams()
        holes = {lane: unread(ledger.progress(lane)) for lane in lanes}
        self._must("I11", not any(holes.values()), f"not read is {holes}")
        for lane in lanes.values():
            for object_, truth in lane.truth().items():
                is_known = Stream(lane.name, object_) in known
                self._must("I8", is_known or not truth, f"{lane.name}.{object_} has {len(truth)} rows and never landed")
        for stream in known:
            contract = self._house.tools.contracts.of(stream, tuple)
            batches = self._batches(stream)
            self._books_and_obligations(warehouse, contract, batches)
            rows = lanes[stream.source].truth().get(stream.object)
            if rows is not None:
                wrong = differences(rows, list(warehouse.rows(contract).values()), documents=DOCUMENTS)
                self._must("I8", not wrong, f"{stream}: {wrong}")
            self._anew(warehouse, contract, batches)

    def history(self, warehouse: SimDuckDB) -> None:
        for stream in self.streams():
            contract = self._house.tools.contracts.of(stream, tuple)
            accepted = warehouse.reading(contract).posted()[0].get("accepted", Tally()).count
            found = shown.history(warehouse, contract)
            self._must("I3", found == (accepted, accepted), f"{stream}: of {accepted} changes history has {found}")

    def leases_and_spool(self) -> None:
        with closing(sqlite3.connect(self._world.ledger)) as ledger:
            held = ledger.execute("select lane, holder from leases where holder is not null").fetchall()
        self._must("I11", not held, f"leases are held: {held}")
        ours = [path for path in self._world.disk.paths() if path.is_relative_to(LANDING)]
        spooled = [path for path in ours if path.suffix != ".parquet" and ".certificates" not in path.parts]
        self._must("I11", not spooled, f"the spool holds {spooled}")

    def _batches(self, stream: Stream) -> list[Batch]:
        landed = self._house.tools.ledger.landed()
        return [
            self._house.tools.landing.open(stream, name) for name, text in sorted(landed.items()) if text == str(stream)
        ]

    def _books_and_obligations(self, warehouse: SimWarehouse, contract: Contract, batches: Sequence[Batch]) -> None:
        stream, reading = contract.stream, warehouse.reading(contract)
        entries = self._house.tools.ledger.entries(Landed, lane=stream.source, stream=str(stream))
        landed = {entry.fact.batch: entry.fact.received for entry in entries if isinstance(entry.fact, Landed)}
        accounts, applied = reading.posted()
        books = Books.of(
            sum(landed.values(), start=Tally()),
            accounts,
            sum((tally for name, tally in landed.items() if name not in applied), start=Tally()),
            superseded=0,
            ambiguous=0,
        )
        self._must("I3", books.balanced, f"the books of {stream} do not balance: {books}")
        self._must("I3", not books.pending.count, f"{stream}: {books.pending.count} rows are pending")
        aside = len(reading.quarantine_page((), after="", limit=WAITING_MAX))
        booked = accounts.get("quarantined", Tally()).count
        self._must("I3", aside == booked, f"{stream}: in quarantine are {booked}, and {aside} wait there")
        rows = sum(batch.changes.num_rows for batch in batches)
        self._must("I3", books.received.count == rows, f"{stream}: {books.received.count} of {rows} rows are booked")
        total, first = reading.obligations(limit=_OPEN_MAX)
        self._must("I11", not total, f"{stream}: {total} are open: {first}")

    def _anew(self, warehouse: SimWarehouse, contract: Contract, batches: Sequence[Batch]) -> None:
        """The landing once more, in another order and other groups; by the rule, and by the database where that is."""
        chance, stream = self._world.chance, contract.stream
        rule = RuleWarehouse(RuleStore())
        _merge_all(rule, contract, batches, chance)
        again = rule.reading(contract)
        wrong = _unlike(again.rows(), warehouse.rows(contract))
        self._must("I9", not wrong, f"{stream}: by the rule, merged anew, {wrong}")
        wrong = _unlike(again.registers(), warehouse.registers(contract))
        self._must("I9", not wrong, f"{stream}: by the rule, merged anew, the registers differ: {wrong}")
        if not self._world.circumstances.is_database:
            return
        other = OneThread(None)
        try:
            _merge_all(other, contract, batches, chance)
            wrong = _unlike(shown.registers(other, contract), warehouse.registers(contract))
            self._must("I9", not wrong, f"{stream}: merged anew the registers differ: {wrong}")
            ours, theirs = (one.reading(contract).state_hash() for one in (warehouse, other))
        finally:
            other.close()
        self._must("I9", ours == theirs, f"{stream}: merged anew its state is {theirs}, and not {ours}")


def _reached(steps: Mapping[str, set[str]]) -> set[str]:
    """Where one can come from nothing."""
    reached, waiting = {str(None)}, [str(None)]
    while waiting:
        ahead = steps.get(waiting.pop(), set()) - reached
        reached |= ahead
        waiting += ahead
    return reached


def _merge_all(
    warehouse: DuckDBWarehouse | RuleWarehouse, contract: Contract, batches: Sequence[Batch], chance: Chance
) -> None:
    """In any order, and at most three groups."""
    shuffled = chance.shuffled(batches)
    cuts = sorted(chance.below(len(shuffled) + 1) for _ in range(2))
    turn = Turn(contract.stream.source, 1)
    warehouse.prepare(contract, Side.LIVE, turn=turn)
    for group in (shuffled[: cuts[0]], shuffled[cuts[0] : cuts[1]], shuffled[cuts[1] :]):
        if group:
            merged_at = {batch.name: _ONCE for batch in group}
            warehouse.merge(contract, group, turn=turn, merged_at=merged_at, side=Side.LIVE)


def _unlike(expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> str:
    """Where two differ, in words; "" where they do not."""
    keys = [key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]
    return "; ".join(f"{key}: {expected.get(key)}, and not {found.get(key)}" for key in sorted(keys, key=str)[:3])
