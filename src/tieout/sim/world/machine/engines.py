"""The two warehouses of the simulation: DuckDB's file, and the rule itself in dictionaries. Each as one process has it.

Most runs have the rule, which is fast; the others have the database, and at rest both must hold the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ....base.batch import Batch
from ....base.errors import Fenced
from ....base.step import Passing, Step, unobserved
from ....base.stream import Stream
from ....contract.contract import Contract
from ....merge.duckdb import DuckDBWarehouse
from ....merge.warehouse import CertificateNote, Side, Turn, Warehouse
from . import shown
from .process import Process, Registers, Witness
from .rulehouse import COMMITTED, RuleStore, RuleWarehouse

Gone = Callable[[], None]
"""Told when a process has let go of the warehouse."""


class SimWarehouse(Warehouse, Protocol):
    """A warehouse that can be looked into."""

    def rows(self, contract: Contract) -> dict[str, dict[str, Any]]:
        """The rows that are shown, by key: the contract's columns, with Python's values."""
        ...

    def registers(self, contract: Contract) -> Registers:
        """By key (None: the whole object) the tokens of its registers."""
        ...


class _Telling:
    """Tells the witness of a merge at the moment of its commit: whoever did it may stand still right behind that."""

    def __init__(self, witness: Witness, registers: Callable[[Contract], Registers]) -> None:
        self._witness = witness
        self._registers = registers
        self._merge: tuple[Contract, Sequence[Batch], Turn, Side] | None = None

    @contextmanager
    def of(self, contract: Contract, batches: Sequence[Batch], turn: Turn, side: Side) -> Iterator[None]:
        self._merge = contract, batches, turn, side
        try:
            yield
        except Fenced:
            self._witness.refused(turn)
            raise
        finally:
            self._merge = None

    def committed(self) -> None:
        if self._merge is None:
            return
        (contract, batches, turn, side), self._merge = self._merge, None
        self._witness.merged(contract, batches, turn)
        if side is Side.LIVE:
            self._witness.stands(contract, self._registers(contract))


class OneThread(DuckDBWarehouse):
    """With one thread: more would do the same in another order, which a run that is repeated must not show."""

    def __init__(self, path: Path | None, *, passing: Passing = unobserved) -> None:
        super().__init__(path, passing=passing)
        self._connection.execute("set threads = 1")


class SimDuckDB(OneThread):
    """In a file, as users have it."""

    def __init__(self, path: Path, process: Process, witness: Witness, gone: Gone) -> None:
        self._process = process
        self._telling = _Telling(witness, self.registers)
        self._gone = gone
        super().__init__(path, passing=self._passed)
        process.holds(self.close)

    def merge(
        self, contract: Contract, batches: Sequence[Batch], *, turn: Turn, merged_at: Mapping[str, datetime], side: Side
    ) -> None:
        with self._process.at("warehouse.merge"), self._telling.of(contract, batches, turn, side):
            super().merge(contract, batches, turn=turn, merged_at=merged_at, side=side)

    def prepare(self, contract: Contract, side: Side, *, turn: Turn) -> None:
        with self._process.at("warehouse.prepare"):
            super().prepare(contract, side, turn=turn)

    def swap(self, contract: Contract, *, turn: Turn) -> None:
        with self._process.at("warehouse.swap"):
            super().swap(contract, turn=turn)

    def note_certificates(self, stream: Stream, notes: Sequence[CertificateNote], *, turn: Turn) -> None:
        with self._process.at("warehouse.certificate"):
            super().note_certificates(stream, notes, turn=turn)

    def rows(self, contract: Contract) -> dict[str, dict[str, Any]]:
        return shown.rows(self, contract)

    def registers(self, contract: Contract) -> Registers:
        return shown.registers(self, contract)

    def close(self) -> None:
        super().close()
        self._gone()

    def _passed(self, step: Step) -> None:
        if step is Step.MERGED:
            self._telling.committed()
        self._process.passing(step)


class SimRule(RuleWarehouse):
    """In a store that outlives the processes."""

    def __init__(self, store: RuleStore, process: Process, witness: Witness, gone: Gone) -> None:
        super().__init__(store, passing=process.passing, reach=self._reached)
        self._process = process
        self._telling = _Telling(witness, self.registers)
        self._gone = gone
        process.holds(self.close)

    def merge(
        self, contract: Contract, batches: Sequence[Batch], *, turn: Turn, merged_at: Mapping[str, datetime], side: Side
    ) -> None:
        with self._process.at("warehouse.merge"), self._telling.of(contract, batches, turn, side):
            super().merge(contract, batches, turn=turn, merged_at=merged_at, side=side)

    def note_certificates(self, stream: Stream, notes: Sequence[CertificateNote], *, turn: Turn) -> None:
        with self._process.at("warehouse.certificate"):
            super().note_certificates(stream, notes, turn=turn)

    def rows(self, contract: Contract) -> dict[str, dict[str, Any]]:
        return self.reading(contract).rows()

    def registers(self, contract: Contract) -> Registers:
        return self.reading(contract).registers()

    def close(self) -> None:
        super().close()
        self._gone()

    def _reached(self, point: str) -> None:
        if point == COMMITTED:
            self._telling.committed()
        self._process.reach(point)
