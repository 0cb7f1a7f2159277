"""Our side of a comparison by sums: which buckets there shall be, in which of them both sides differ, and of those
which rows have to be read at the source and which here have to be looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ..base.sql import Statements, name
from ..base.types import INTEGERS, Column, ColumnType, Kind
from ..capture.sums import Layout
from ..contract.contract import Contract
from .telling import NOTHING, Telling, execute

_SQL = Statements(__package__, "sums.sql")

_SAMPLE_ROWS = 200_000
"""About so many rows decide where buckets end."""
_BUCKET_ROWS = 1_000
_BUCKETS_MAX = 10_000
_LONG_BUCKETS_MAX = 250
"""Of values without a fixed width: the server walks through such bounds one by one."""
_LONG = frozenset({Kind.TEXT, Kind.DECIMAL})
_ORDERED_ALIKE = frozenset({*INTEGERS, Kind.DECIMAL, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.UUID})
"""Kinds of which both sides order the values in the same way, texts by their bytes."""


@dataclass(frozen=True, slots=True)
class Unalike:
    """Buckets that differ; how many rows lie in them, of the side that has more; and how many more the source has."""

    buckets: tuple[int, ...]
    rows: int
    surplus: int


def compared_columns(contract: Contract, tells: Mapping[str, ColumnType | None]) -> tuple[str, ...]:
    """The contract's columns that the source tells, where all of these can be summed; else none, and every row has to
    be read. Where the two give a column different types its values are written in different ways."""
    there = [column for column in contract.columns if column.name in tells]
    if not set(contract.key) <= {column.name for column in there}:
        return ()
    return tuple(one.name for one in there) if all(_is_same(one, tells[one.name]) for one in there) else ()


def _is_same(column: Column, told: ColumnType | None) -> bool:
    return told is not None and (told == column.type or {told.kind, column.type.kind} <= INTEGERS)


class SumsHere:
    """The rows of a telling's stream as they stand here, summed over these columns, in the contract's order."""

    def __init__(self, telling: Telling, columns: Sequence[str]) -> None:
        self._telling = telling
        contract = telling.contract
        self._columns = tuple(columns)
        self._by = contract.key_columns[0]
        self._summed = telling.aside.summed(contract, columns, number=telling.number)
        self._prints = name(f"prints_{telling.number}")
        self._parts = {"prints": self._prints, "scope": telling.scope, "told": telling.table}

    def layout(self) -> Layout:
        """Buckets of about as many rows each, by the first column of the key; only one where that column's values are
        not ordered alike on both sides."""
        rows, kind = self.rows(), self._by.type.kind
        most = min(self._summed.shares_max, _LONG_BUCKETS_MAX if kind in _LONG else _BUCKETS_MAX)
        shares = max(1, min(most, rows // _BUCKET_ROWS)) if kind in _ORDERED_ALIKE else 1
        bounds = self._summed.part(step=max(1, rows // _SAMPLE_ROWS), shares=shares)
        return Layout(self._telling.contract.stream.object, self._columns, self._by.name, bounds, rows)

    def rows(self) -> int:
        """How many are here."""
        return self._telling.aside.rows(self._telling.contract)

    def touched(self, batches: Sequence[str]) -> tuple[int, ...] | None:
        """The buckets of the layout whose rows these batches speak of; None where they may speak of any row."""
        told = {*self._summed.touched(batches)}
        return None if None in told else tuple(sorted(one for one in told if one is not None))

    def unalike(self, summed: pa.Table, within: Sequence[int] | None) -> Unalike:
        """Against what the source has summed in this layout, in these buckets or in all."""
        if within == ():
            return Unalike((), 0, 0)
        told = self._run("unalike", summed=summed, totals=self._summed.totals(within)).to_pylist()
        rows = sum(max(one["source_rows"], one["current_rows"]) for one in told)
        surplus = sum(one["source_rows"] - one["current_rows"] for one in told)
        return Unalike(tuple(one["bucket"] for one in told), rows, surplus)

    def wanted(self, unalike: Unalike, fingerprints: pa.Table) -> list[int]:
        """Of the fingerprints that the source has in these buckets those whose rows have to be read. The rows here that
        have to be looked at are the telling's scope from now on."""
        self._summed.keep_prints(unalike.buckets, self._prints)
        wanted: list[int] = self._run("wanted", fingerprints=fingerprints)["fingerprint"].to_pylist()
        self._run("create_scope", fingerprints=fingerprints)
        return wanted

    def widen(self, obliged: Collection[str]) -> None:
        """All rows that were read are to be compared, and those of the keys `obliged`."""
        self._run("widen_scope", obliged=pa.table({"_key": pa.array(sorted(obliged), pa.string())}))

    def _run(self, statement: str, **tables: pa.Table) -> pa.Table:
        return execute(self._telling.connection, _SQL(statement, **self._parts), NOTHING, tables)
