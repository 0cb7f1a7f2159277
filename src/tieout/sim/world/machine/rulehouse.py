"""A warehouse that is the rule itself, in dictionaries: fast, and with little to trust but `merge/rule.py`.

Its state is in a `RuleStore`, which outlives the processes that open it. What a process writes is made beside what
there is, and takes its place at once; where another one has written meanwhile, the later one is turned away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa

from ....base.batch import Batch
from ....base.errors import Broken, Fenced, Misconfigured, Transient
from ....base.step import Passing, Step, unobserved
from ....base.stream import Stream
from ....contract.contract import Contract
from ....merge.warehouse import CertificateNote, CheckNote, Engine, Side, Turn
from .rulereading import RuleReading
from .ruletable import Merged, RuleTable, followed


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """All that the store holds at one moment. Nothing of it ever changes: another one takes its place."""

    fences: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[tuple[Stream, Side], RuleTable] = field(default_factory=dict)
    certificates: tuple[tuple[Stream, CertificateNote], ...] = ()
    checks: tuple[CheckNote, ...] = ()


class RuleStore:
    """What stays when a process ends."""

    def __init__(self) -> None:
        self.content = Content()


@dataclass(slots=True)
class _Draft:
    """The content as a transaction has made it so far."""

    fences: dict[str, int]
    tables: dict[tuple[Stream, Side], RuleTable]
    certificates: list[tuple[Stream, CertificateNote]]
    checks: list[CheckNote]

    def take_fence(self, turn: Turn) -> None:
        if self.fences.get(turn.lane, 0) > turn.fence:
            raise Fenced(f"{turn.lane}: a newer worker has written to the warehouse since fence {turn.fence}.")
        self.fences[turn.lane] = turn.fence

    def prepared(self, stream: Stream, side: Side) -> RuleTable:
        if (stream, side) not in self.tables:
            raise Broken(f"{stream} has no {side} tables to write to")
        return self.tables[stream, side]


COMMITTED = "warehouse.commit.after"
"""The point at which what was written stands."""

Reach = Callable[[str], None]
"""Told where a process stands: "warehouse.commit.before". It may wait there, or be stopped by raising anything."""


def _nobody(point: str) -> None:
    return


class RuleWarehouse:
    """Implements `Warehouse`, but for questions in SQL. `reach` is told of the points before and after each commit."""

    engine = Engine.DUCKDB

    def __init__(self, store: RuleStore, *, passing: Passing = unobserved, reach: Reach = _nobody) -> None:
        self._store = store
        self._passing = passing
        self._reach = reach

    def close(self) -> None:
        """What it wrote stays."""

    def answers(self) -> bool:
        return True

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        raise Misconfigured("this warehouse is no database, and answers no SQL.", hint="Ask for a `reading`.")

    def fence_of(self, lane: str) -> int:
        return self._store.content.fences.get(lane, 0)

    def applied(self, stream: Stream, side: Side) -> Mapping[str, datetime]:
        table = self._found(stream, side)
        return {} if table is None else {name: one.at for name, one in table.merged.items()}

    def reading(self, contract: Contract, side: Side = Side.LIVE) -> RuleReading:
        return RuleReading(partial(self._found, contract.stream, side), contract)

    def prepare(self, contract: Contract, side: Side, *, turn: Turn) -> None:
        at = contract.stream, side
        before = self._store.content.tables.get(at)
        after = followed(before, contract)
        if after is not before:
            with self._writing() as draft:
                draft.take_fence(turn)
                draft.tables[at] = after

    def merge(
        self, contract: Contract, batches: Sequence[Batch], *, turn: Turn, merged_at: Mapping[str, datetime], side: Side
    ) -> None:
        self._passing(Step.MERGING)
        applied = self.applied(contract.stream, side)
        fresh = [Merged(batch, turn.fence, merged_at[batch.name]) for batch in batches if batch.name not in applied]
        if not fresh:
            return
        at = contract.stream, side
        with self._writing() as draft:
            draft.take_fence(turn)
            draft.tables[at] = draft.prepared(*at).with_batches(fresh)
            self._passing(Step.MERGED_UNCOMMITTED)
        self._passing(Step.MERGED)

    def note_certificates(self, stream: Stream, notes: Sequence[CertificateNote], *, turn: Turn) -> None:
        with self._writing() as draft:
            draft.take_fence(turn)
            draft.certificates += [(stream, note) for note in notes if (stream, note) not in draft.certificates]

    def is_noted(self, stream: Stream, hash_: str) -> bool:
        return any((of, note.hash) == (stream, hash_) for of, note in self._store.content.certificates)

    def note_checks(self, notes: Sequence[CheckNote]) -> None:
        with self._writing() as draft:
            known = {(note.stream, note.checked_at) for note in draft.checks}
            draft.checks += [note for note in notes if (note.stream, note.checked_at) not in known]

    def swap(self, contract: Contract, *, turn: Turn) -> None:
        live, shadow = (contract.stream, Side.LIVE), (contract.stream, Side.SHADOW)
        with self._writing() as draft:
            draft.take_fence(turn)
            draft.tables[live] = draft.prepared(*shadow)
            del draft.tables[shadow]
            draft.certificates = [(of, note) for of, note in draft.certificates if of != contract.stream]
        self._passing(Step.SWAPPED)

    def drop(self, stream: Stream, side: Side, *, turn: Turn) -> None:
        with self._writing() as draft:
            draft.take_fence(turn)
            draft.tables.pop((stream, side), None)

    def _found(self, stream: Stream, side: Side) -> RuleTable | None:
        return self._store.content.tables.get((stream, side))

    @contextmanager
    def _writing(self) -> Iterator[_Draft]:
        """One transaction: all of it, or after any failure nothing."""
        before = self._store.content
        draft = _Draft(dict(before.fences), dict(before.tables), list(before.certificates), list(before.checks))
        yield draft
        self._reach("warehouse.commit.before")
        if self._store.content is not before:
            raise Transient("another process has written to the warehouse meanwhile.", hint="It is tried again.")
        self._store.content = Content(draft.fences, draft.tables, tuple(draft.certificates), tuple(draft.checks))
        self._reach(COMMITTED)
