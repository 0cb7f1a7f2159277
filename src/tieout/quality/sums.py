"""Our side of a comparison by sums: which buckets there shall be, in which of them both sides differ, and of those
which rows have to be read at the source and which here have to be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ..base.fingerprint import DIGITS, FORMS
from ..base.sql import Sql, Statements, name
from ..base.types import INTEGERS, Column, ColumnType, Kind
from ..capture.sums import Layout
from ..contract.contract import Contract
from ..contract.key import key_text
from ..merge.columns import Shapes
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
        by = contract.key_columns[0]
        self._columns = tuple(columns)
        self._by = by
        self._parts: dict[str, object] = {
            "bounds": name(f"bounds_{telling.number}"),
            "prints": name(f"prints_{telling.number}"),
            "scope": telling.scope,
            "told": telling.table,
            "latest": name("latest", contract.stream.table),
            "raw": name("raw", contract.stream.table),
            "by": name(by.name),
            "fingerprint": _fingerprint(contract, self._columns),
        }

    def layout(self) -> Layout:
        """Buckets of about as many rows each, by the first column of the key; only one where that column's values are
        not ordered alike on both sides."""
        rows, kind = self.rows(), self._by.type.kind
        most = _LONG_BUCKETS_MAX if kind in _LONG else _BUCKETS_MAX
        shares = max(1, min(most, rows // _BUCKET_ROWS)) if kind in _ORDERED_ALIKE else 1
        self._run("create_bounds", bound={"step": max(1, rows // _SAMPLE_ROWS), "shares": shares})
        bounds = self._run("bounds")["low"].to_pylist()
        return Layout(self._telling.contract.stream.object, self._columns, self._by.name, tuple(bounds), rows)

    def rows(self) -> int:
        """How many are here."""
        (counted,) = self._run("live_rows").to_pylist()
        return int(counted["rows"])

    def touched(self, batches: Sequence[str]) -> tuple[int, ...] | None:
        """The buckets of the layout whose rows these batches speak of; None where they may speak of any row."""
        self._telling.aside.recall_batches(self._telling.contract, batches)
        of = {"stream": str(self._telling.contract.stream)}
        told = self._run("touched", bound=of, batches=pa.table({"batch": pa.array(batches, pa.string())}))["bucket"]
        return None if told.null_count else tuple(sorted(told.to_pylist()))

    def unalike(self, summed: pa.Table, within: Sequence[int] | None) -> Unalike:
        """Against what the source has summed in this layout, in these buckets or in all."""
        if within == ():
            return Unalike((), 0, 0)
        chosen = "" if within is None else self._sql("in_buckets")
        told = self._run("unalike", {"chosen": chosen}, summed=summed, buckets=_numbers(within or ())).to_pylist()
        rows = sum(max(one["source_rows"], one["current_rows"]) for one in told)
        surplus = sum(one["source_rows"] - one["current_rows"] for one in told)
        return Unalike(tuple(one["bucket"] for one in told), rows, surplus)

    def wanted(self, unalike: Unalike, fingerprints: pa.Table) -> list[int]:
        """Of the fingerprints that the source has in these buckets those whose rows have to be read. The rows here that
        have to be looked at are the telling's scope from now on."""
        self._run("create_prints", {"chosen": self._sql("in_buckets")}, buckets=_numbers(unalike.buckets))
        wanted: list[int] = self._run("wanted", fingerprints=fingerprints)["fingerprint"].to_pylist()
        self._run("create_scope", fingerprints=fingerprints)
        return wanted

    def widen(self) -> None:
        """All rows that were read are to be compared."""
        self._run("widen_scope")

    def _run(
        self,
        statement: str,
        parts: Mapping[str, str] = NOTHING,
        *,
        bound: Mapping[str, int | str] = NOTHING,
        **tables: pa.Table,
    ) -> pa.Table:
        return execute(self._telling.connection, self._sql(statement, parts), bound, tables)

    def _sql(self, statement: str, parts: Mapping[str, str] = NOTHING) -> Sql:
        return _SQL(statement, **self._parts, **parts)


def _numbers(buckets: Sequence[int]) -> pa.Table:
    return pa.table({"bucket": pa.array(buckets, pa.int32())})


def _fingerprint(contract: Contract, columns: Sequence[str]) -> Sql:
    return _SQL(
        "fingerprint",
        required=Shapes.of(contract).required,
        key_text=key_text(contract, {one: name(one) for one in contract.key}),
        cells=[_cell(column) for column in contract.columns if column.name in columns],
        digits=DIGITS,
    )


def _cell(column: Column) -> Sql:
    statement = "flag" if column.type.kind is Kind.BOOLEAN else FORMS[column.type.kind].value
    return _SQL(statement, value=name(column.name))
