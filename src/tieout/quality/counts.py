"""Our side of a comparison by counts: per day how many rows are here and what their numbers sum to, of days that differ
which keys do, and which rows have to be compared whole.

A sum of the source's is a floating number, which differs from ours in its last digits though all agree. So it is
rounded to the column's scale first; what differs then is looked at, and only values that differ are called different.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from ..base.sql import Statements, literal, name
from ..base.types import INTEGERS, Column, Kind
from ..capture.counts import Countable, Days
from ..contract.contract import Contract
from ..contract.key import key_text
from ..merge.columns import shape
from .telling import NOTHING, Telling, execute

_SQL = Statements(__package__, "counts.sql")


@dataclass(frozen=True, slots=True)
class Unlike:
    """Days to be looked into, by column; about how many rows lie in them; and how many days of both columns were
    compared."""

    days: Days
    rows: int
    windows: int

    @property
    def windows_read(self) -> int:
        return sum(len(of) for of in self.days.values())


def countable_by(contract: Contract, told: Countable) -> Countable | None:
    """What both sides can count under this contract. None where it has another key, or lacks one of the moments."""
    columns = {column.name: column for column in contract.columns}
    moments = [columns.get(told.created), columns.get(told.stamp)]
    if len(contract.key) != 1 or any(one is None or one.type.kind is not Kind.TIMESTAMPTZ for one in moments):
        return None
    sums = tuple(one for one in told.sums if one in columns and _is_summed(columns[one]))
    return Countable(told.created, told.stamp, sums, told.columns)


def _is_summed(column: Column) -> bool:
    return column.type.kind is Kind.DECIMAL or column.type.kind in INTEGERS


class CountsHere:
    """The rows of a telling's stream as they stand here, but for those that moved."""

    def __init__(self, telling: Telling, by: Countable) -> None:
        self._telling = telling
        self._by = by
        contract = telling.contract
        columns = {column.name: column for column in contract.columns}
        sums = [shape(at, columns[one]) for at, one in enumerate(by.sums)]
        self._scales = pa.table(
            {
                "of": pa.array(["", by.created, by.stamp, *by.sums], pa.string()),
                "scale": pa.array([0, 0, 0, *(columns[one].type.scale for one in by.sums)], pa.int32()),
            }
        )
        self._parts: dict[str, object] = {
            "counts": name(f"counts_{telling.number}"),
            "latest": name("latest", contract.stream.table),
            "scope": telling.scope,
            "moved": telling.moved,
            "created": {"name": name(by.created), "label": literal(by.created)},
            "stamp": {"name": name(by.stamp), "label": literal(by.stamp)},
            "sums": [{"name": one.name, "label": one.label, "type": one.type, "sum": one.told} for one in sums],
            "key_text": key_text(contract, {one: name(one) for one in contract.key}),
        }

    def rows(self) -> tuple[int, date | None]:
        """How many are here, and the day on which the first was made."""
        (counted,) = self._run("live_rows").to_pylist()
        return int(counted["rows"]), counted["first"]

    def unlike(self, counted: pa.Table, *, newest_rows: int) -> Unlike:
        """Against what the source has counted. The last days of changes are looked into in any case, as many as hold no
        more than so many rows: a row that changed twice on a day is one row of that day before and after."""
        self._run("count_here")
        told = self._run("unlike", counted=counted, scales=self._scales).to_pylist()
        newest = self._run("newest", {"rows_max": newest_rows}, counted=counted).to_pylist()
        (windows,) = self._run("windows", counted=counted).to_pylist()
        rows = {(self._by.stamp, one["day"]): one["rows"] for one in newest}
        rows |= {(one["by"], one["day"]): one["rows"] for one in told}
        days: dict[str, list[date]] = {}
        for by, day in sorted(rows):
            days.setdefault(by, []).append(day)
        return Unlike(days, sum(rows.values()), int(windows["windows"]))

    def keys(self, unlike: Unlike, listed: pa.Table | None) -> list[str]:
        """Those whose moments or numbers are not alike on both sides, of the days that differ; and those of rows here
        that lie in no day. `listed`: what the source has of these days; None: it was not asked."""
        found = self._run("in_no_day").to_pylist()
        if listed is not None:
            found += self._run("keys", listed=listed, days=_days(unlike.days)).to_pylist()
        return sorted({one["_key"] for one in found})

    def compare(self, keys: Collection[str]) -> None:
        """These alone are compared; all others are as they are at the source."""
        self._run("create_scope", keys=pa.table({"_key": pa.array(sorted(keys), pa.string())}))

    def beside(self) -> int:
        """How many rows are here that are not compared, and did not move."""
        (counted,) = self._run("beside").to_pylist()
        return int(counted["rows"])

    def _run(self, statement: str, parameters: Mapping[str, int] = NOTHING, **tables: pa.Table) -> pa.Table:
        self._telling.aside.look(self._telling.contract)
        return execute(self._telling.connection, _SQL(statement, **self._parts), parameters, tables)


def _days(days: Days) -> pa.Table:
    pairs = [(by, day) for by, of in days.items() for day in of]
    return pa.table(
        {"by": pa.array([by for by, _ in pairs], pa.string()), "day": pa.array([day for _, day in pairs], pa.date32())}
    )
