"""A stream's rows summed in Snowflake, where they stand: implements `Summed`. What comes here is a row a bucket, and of
the buckets that differ the keys and fingerprints.

Texts are those of `base/fingerprint.py`. Where Snowflake's own form of a value could be that of another value as well,
it is written in a form that no source has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from ...base.codec import canonical_json
from ...base.fingerprint import DIGITS, FORMS, Form
from ...base.sql import Sql, Statements, literal
from ...base.types import INTEGERS, Column, Kind
from ...contract.contract import Contract
from ...contract.key import NEEDS_NO_ESCAPE
from ..summed import TOTALS
from ..warehouse import Side
from .naming import Shapes, folded, tables_of
from .session import Session

_SQL = Statements(__package__, "sums.sql")

_RANGES_MAX = 250
"""Of texts, to which each row is held one by one: Snowflake's ASOF JOIN takes numbers and moments alone."""
_SHARES_MAX = 10_000
_TEXTS = {
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.TIMESTAMP: "moment",
    Kind.TIMESTAMPTZ: "instant",
    Kind.BOOLEAN: "number",
    Kind.DECIMAL: "number",
    **dict.fromkeys(INTEGERS, "number"),
}
"""Kinds whose values are no texts there."""
_STEPPED = frozenset({*INTEGERS, Kind.DECIMAL, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ})
"""Kinds by which an ASOF JOIN goes."""
_DATED = {Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ}

Keep = Callable[[Iterator[pa.Table], Sql], None]
"""Keeps tables of `_key` and `fingerprint` under a name beside the tables that are compared."""


def is_spelled(contract: Contract, columns: Sequence[str]) -> bool:
    """Whether Snowflake can write every value of these columns in the one way that is agreed on: it does not tell the
    bits of a floating number, and its text of one leaves out digits."""
    return all(FORMS[column.type.kind] is not Form.BITS for column in contract.columns if column.name in columns)


class SnowflakeSums:
    """`mark`: the session's own, which what it works with bears."""

    def __init__(
        self, session: Session, contract: Contract, columns: Sequence[str], keep: Keep, *, mark: str, number: int
    ) -> None:
        self._session = session
        self._contract = contract
        self._keep = keep
        by = contract.key_columns[0]
        self._by = by
        self._is_parted = False
        self._parts: dict[str, object] = {
            **tables_of(contract.stream, Side.LIVE),
            "bounds": folded("tieout", f"bounds_{mark}_{number}"),
            "by": folded(by.name),
            "is_stepped": by.type.kind in _STEPPED,
            "is_dated": by.type.kind in _DATED,
            "fingerprint": _fingerprint(contract, columns),
        }

    @property
    def shares_max(self) -> int:
        return _SHARES_MAX if self._by.type.kind in _STEPPED else _RANGES_MAX

    def part(self, *, step: int, shares: int) -> tuple[str, ...]:
        self._is_parted = shares > 1
        if not self._is_parted:
            return ()
        self._session.run(self._sql("create_bounds", step=step, shares=shares))
        text = _text(self._by, Sql("__low"))
        return tuple(str(row["low"]) for row in self._session.rows(self._sql("bounds", text=text)))

    def totals(self, buckets: Sequence[int] | None) -> pa.Table:
        chosen = Sql("") if buckets is None else _SQL("in_buckets")
        bound = {} if buckets is None else {"buckets": canonical_json(list(buckets))}
        told = self._session.rows(self._sql("totals", placed=self._placed("live"), chosen=chosen), bound)
        columns = zip(TOTALS, ("bucket", "counted", "total"), strict=True)
        as_told = (int, int, str)
        arrays = [
            pa.array([of(row[column]) for row in told], field.type)
            for (field, column), of in zip(columns, as_told, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=TOTALS)

    def touched(self, batches: Sequence[str]) -> list[int | None]:
        bound = {"stream": str(self._contract.stream), "batches": canonical_json(list(batches))}
        told = self._session.rows(self._sql("touched", placed=self._placed("said")), bound)
        return [None if row["bucket"] is None else int(row["bucket"]) for row in told]

    def keep_prints(self, buckets: Sequence[int], into: Sql) -> None:
        asked = self._sql("prints", placed=self._placed("live"), chosen=_SQL("in_buckets"))
        self._keep(self._session.tables(asked, {"buckets": canonical_json(list(buckets))}), into)

    def _placed(self, rows: str) -> Sql:
        """Rows, each with its bucket."""
        return self._sql("placed" if self._is_parted else "unplaced", rows=_SQL(rows, **self._parts))

    def _sql(self, statement: str, **parts: object) -> Sql:
        return _SQL(statement, **self._parts, **parts)


def _fingerprint(contract: Contract, columns: Sequence[str]) -> Sql:
    return _SQL(
        "fingerprint",
        required=Shapes.of(contract).required,
        key=[_canonical(column) for column in contract.key_columns],
        cells=[_cell(column) for column in contract.columns if column.name in columns],
        digits=DIGITS,
        form=literal("X" * DIGITS),
    )


def _cell(column: Column) -> Sql:
    value, kind = folded(column.name), column.type.kind
    if kind is Kind.BOOLEAN:
        return _SQL("flag", value=value)
    form = FORMS[kind]
    return _SQL(form.value, value=value if form is not Form.PLAIN else _text(column, value))


def _text(column: Column, value: Sql) -> Sql:
    statement = _TEXTS.get(column.type.kind)
    return value if statement is None else _SQL(statement, value=value)


def _canonical(column: Column) -> Sql:
    """As `contract/key.py` has it, within a string of JSON. What more that would escape makes a row to be looked at."""
    value, kind = folded(column.name), column.type.kind
    if kind in NEEDS_NO_ESCAPE or kind in _TEXTS:
        return _text(column, value)
    return _SQL("escaped", value=_SQL("hex", value=value) if kind is Kind.BINARY else value)
