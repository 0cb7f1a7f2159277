"""What must hold at rest: when nothing strikes any more and all that was due is done.

I2  the batches of each track follow one another without a hole, up to the cursor
I3  the books balance, by count and by sum of ids, and count what landed
I8  what is here is what the source has: every row, every value, and nothing else
I9  the same landing gives the same state: by the rule in plain Python, and merged anew in any order and grouping
I11 nothing is open: no obligation, no hole, no lease, no file in the spool

The certificate has to say the same of it, without being told.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from ...base.batch import Batch
from ...base.change import UNREADABLE
from ...base.sql import Statements, name
from ...base.stream import Stream
from ...contract.contract import Contract
from ...ledger.facts import Landed
from ...merge.aligned import aligned
from ...merge.duckdb import DuckDBWarehouse
from ...merge.readings import StreamReading
from ...merge.rule import State, fold, is_shown
from ...merge.told import changes_of, counted
from ...merge.warehouse import Side, Turn, table_of
from ...quality.certificate import State as Certified
from ...run.certify import certify
from ...run.house import House
from ...run.status import report
from .chance import Chance
from .invariants import Invariants
from .lanes import SimLane
from .oracle import differences
from .process import Process
from .world import LANDING, World

_SQL = Statements(__package__, "world.sql")
_QUIET_SECONDS: Final = 60.0
"""So long nothing has happened anywhere, when one looks."""
_ONCE: Final = datetime(2026, 1, 1, tzinfo=UTC)


def at_rest(world: World, lanes: Mapping[str, SimLane], invariants: Invariants) -> None:
    """Raises Violated for the first that does not hold."""
    process = Process(world.stage, "inspector", 0)
    world.stage.sleep(_QUIET_SECONDS)
    try:
        look = _Look(world, world.house(process), invariants)
        look.chains()
        look.certificates()
        warehouse = world.open_warehouse(process)
        look.books_and_obligations(warehouse)
        for lane in lanes.values():
            look.truth(warehouse, lane)
        for stream in look.streams():
            look.anew(warehouse, stream, world.chance)
        look.leases_and_spool()
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
        """From nothing, span after span, each with all its siblings, one comes to the cursor of each track."""
        tools = self._house.tools
        spans: dict[tuple[str, str], dict[str, set[str]]] = {}
        for stream, batch in tools.landing.names():
            span = tools.landing.footer(stream, batch).span
            steps = spans.setdefault((span.lane, span.track), {})
            steps.setdefault(str(span.before), set()).add(str(span.after))
        for lane, track, before, after in self._invariants.empty:
            spans.setdefault((lane, track), {}).setdefault(str(before), set()).add(str(after))
        for lane in self._house.lanes():
            for track, cursor in tools.ledger.progress(lane).items():
                reached, waiting = {str(None)}, [str(None)]
                while waiting:
                    ahead = spans.get((lane, track), {}).get(waiting.pop(), set()) - reached
                    reached |= ahead
                    waiting += ahead
                self._must("I2", str(cursor) in reached, f"{lane}/{track} stands at {cursor}, which no chain reaches")

    def certificates(self) -> None:
        found = certify(self._house, (), repair=False, may_repair=lambda plan: False)
        for one in found.streams:
            told = f"{one.stream} is certified as {one.state}: {' '.join(one.reasons)} {one.compared.findings}"
            self._must("I8", one.state is Certified.COMPLETE, told)
        self._must("I8", not found.uncertified, f"not certified: {found.uncertified}")

    def books_and_obligations(self, warehouse: DuckDBWarehouse) -> None:
        landed: dict[str, int] = {}
        for entry in self._house.tools.ledger.entries(Landed):
            if isinstance(entry.fact, Landed):
                landed[entry.fact.stream] = landed.get(entry.fact.stream, 0) + self._rows_in(entry.fact)
        for one in report(self._house, warehouse, only=None).streams:
            books, figures = one.books, one.figures
            self._must("I3", books is not None and books.balanced, f"the books of {one.stream} do not balance: {books}")
            if books is None or figures is None:
                continue
            received = landed.get(str(one.stream), 0)
            self._must(
                "I3", books.received.count == received, f"{one.stream}: {books.received.count} of {received} rows"
            )
            self._must("I3", not books.pending.count, f"{one.stream}: {books.pending.count} rows are pending")
            self._must("I11", not figures.open_total, f"{one.stream}: open are {figures.open_keys}")
            self._must("I11", one.unread is None, f"{one.stream}: {one.unread}")

    def _rows_in(self, fact: Landed) -> int:
        return len(self._house.tools.landing.open(Stream.parse(fact.stream), fact.batch).changes)

    def truth(self, warehouse: DuckDBWarehouse, lane: SimLane) -> None:
        for object_, truth in lane.truth().items():
            stream = Stream(lane.name, object_)
            if stream in self.streams():
                latest = _SQL("live_rows_of", latest=name("latest", table_of(stream, Side.LIVE)))
                wrong = differences(truth, warehouse.query(latest).to_pylist())
                self._must("I8", not wrong, f"{stream}: {wrong}")
            else:
                self._must("I8", not truth, f"{stream} has {len(truth)} rows and has never landed")

    def anew(self, warehouse: DuckDBWarehouse, stream: Stream, chance: Chance) -> None:
        """The landing once more, by the rule and by another warehouse."""
        contract, landing = self._house.tools.contracts.of(stream, tuple), self._house.tools.landing
        names = sorted(batch for batch, text in self._house.tools.ledger.landed().items() if text == str(stream))
        batches = [landing.open(stream, batch) for batch in names]
        self._by_the_rule(warehouse, contract, batches)
        other = DuckDBWarehouse(None)
        try:
            other.prepare(contract, Side.LIVE)
            for group in _grouped(chance.shuffled(batches), chance):
                merged_at = {batch.name: _ONCE for batch in group}
                other.merge(contract, group, turn=Turn(stream.source, 1), merged_at=merged_at, side=Side.LIVE)
            ours, theirs = (StreamReading(one, contract).state_hash() for one in (warehouse, other))
        finally:
            other.close()
        self._must("I9", ours == theirs, f"{stream}: merged anew its state is {theirs}, and not {ours}")

    def _by_the_rule(self, warehouse: DuckDBWarehouse, contract: Contract, batches: list[Batch]) -> None:
        fields = [column.name for column in contract.fields]
        required = frozenset(column.name for column in contract.fields if column.required)
        state = State()
        for batch in batches:
            fold(state, changes_of(aligned(batch, contract)), fields=frozenset(fields))
        shown = {
            key: {field: value for field, (_, value) in row.fields.items()}
            for key, row in state.rows.items()
            if is_shown(row, state, required=required)
        }
        latest = _SQL("live_rows_of", latest=name("latest", table_of(contract.stream, Side.LIVE)))
        typed = pa.schema([("_key", pa.string()), *((field.name, field.type.arrow) for field in contract.fields)])
        rows = counted(warehouse.query(latest).select(typed.names).cast(typed)).to_pylist()
        found = {row["_key"]: {field: row[field] for field in fields} for row in rows}
        expected = {key: {field: values.get(field) for field in fields} for key, values in shown.items()}
        self._must("I9", found == expected, f"{contract.stream}: by the rule it is {_unlike(expected, found)}")

    def leases_and_spool(self) -> None:
        with closing(sqlite3.connect(self._world.project.ledger)) as ledger:
            held = ledger.execute("select lane, holder from leases where holder is not null").fetchall()
        self._must("I11", not held, f"leases are held: {held}")
        sealed = [
            path for path in self._world.disk.paths() if path.is_relative_to(LANDING) and path.suffix == ".parquet"
        ]
        spooled = [path for path in self._world.disk.paths() if path not in sealed and path.is_relative_to(LANDING)]
        self._must("I11", not spooled, f"the spool holds {spooled}")


def _grouped(batches: list[Batch], chance: Chance) -> list[list[Batch]]:
    """In at most three groups."""
    cuts = sorted(chance.below(len(batches) + 1) for _ in range(2))
    groups = [batches[: cuts[0]], batches[cuts[0] : cuts[1]], batches[cuts[1] :]]
    return [group for group in groups if group]


def _unlike(expected: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    keys = [key for key in sorted(expected.keys() | found.keys()) if expected.get(key) != found.get(key)]
    return "; ".join(f"{key}: {expected.get(key)}, and not {found.get(key)}" for key in keys[:3])
