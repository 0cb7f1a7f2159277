"""A stream's rows summed in DuckDB, where they stand or were brought: implements `Summed`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from ..base.fingerprint import DIGITS, FORMS
from ..base.sql import Sql, Statements, name
from ..base.types import Column, Kind
from ..contract.contract import Contract
from ..contract.key import key_text
from .aside import Aside
from .columns import Shapes
from .summed import TOTALS

_SQL = Statements(__package__, "duckdb_sums.sql")

_SHARES_MAX = 1_000_000


class DuckDBSums:
    """Of all rows of the stream, which the aside has looked at when they are asked for."""

    def __init__(self, aside: Aside, contract: Contract, columns: Sequence[str], *, number: int) -> None:
        self._aside = aside
        self._contract = contract
        self._parts: dict[str, object] = {
            "bounds": name(f"bounds_{number}"),
            "latest": name("latest", contract.stream.table),
            "raw": name("raw", contract.stream.table),
            "by": name(contract.key_columns[0].name),
            "fingerprint": _fingerprint(contract, columns),
        }

    @property
    def shares_max(self) -> int:
        return _SHARES_MAX

    def part(self, *, step: int, shares: int) -> tuple[str, ...]:
        self._run("create_bounds", {"step": step, "shares": shares})
        return tuple(self._rows("bounds")["low"].to_pylist())

    def totals(self, buckets: Sequence[int] | None) -> pa.Table:
        chosen, bound = Sql(""), dict[str, Any]()
        if buckets is not None:
            chosen, bound = self._sql("in_buckets"), {"buckets": list(buckets)}
        return self._rows("totals", bound, chosen=chosen).cast(TOTALS)

    def touched(self, batches: Sequence[str]) -> list[int | None]:
        self._aside.recall_batches(self._contract, batches)
        bound = {"stream": str(self._contract.stream), "batches": list(batches)}
        touched: list[int | None] = self._rows("touched", bound)["bucket"].to_pylist()
        return touched

    def keep_prints(self, buckets: Sequence[int], into: Sql) -> None:
        self._run("keep_prints", {"buckets": list(buckets)}, into=into, chosen=self._sql("in_buckets"))

    def _rows(self, statement: str, bound: Mapping[str, Any] | None = None, **parts: Sql) -> pa.Table:
        self._aside.look(self._contract)
        return self._aside.connection.sql(self._sql(statement, **parts), params=bound or {}).to_arrow_table()

    def _run(self, statement: str, bound: Mapping[str, Any], **parts: Sql) -> None:
        self._aside.look(self._contract)
        self._aside.connection.execute(self._sql(statement, **parts), bound)

    def _sql(self, statement: str, **parts: Sql) -> Sql:
        return _SQL(statement, **self._parts, **parts)


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
