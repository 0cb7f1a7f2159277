"""Columns that the source computes when it is asked, apart from all others: how many rows hold an older value of them.

No event and no stamp tells that such a column changed, so what is here is as old as the last time it was read of every
row. That is no sign that anything went wrong; it is measured, and told with the moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import CAPTURED, Kind
from ..base.clock import moment_json
from ..base.codec import canonical_json
from ..base.sql import Sql, Statements, literal, name
from ..merge.columns import Shapes
from .telling import NOTHING, Telling, execute

_SQL = Statements(__package__, "aging.sql")


@dataclass(frozen=True, slots=True)
class Aged:
    """Of the rows that are alike in all other columns: how many were compared in these, in how many one differs, and in
    how many each. `as_of`: the moment as of which the columns were last read of every row; None: never."""

    rows_compared: int
    rows_aged: int
    fields: Mapping[str, int] = field(default_factory=dict)
    as_of: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "rows_compared": self.rows_compared,
            "rows_aged": self.rows_aged,
            "fields": dict(self.fields),
            "as_of": moment_json(self.as_of),
        }


class Aging:
    """The derived `columns` of a telling's stream, those that its contract has."""

    def __init__(self, telling: Telling, columns: Sequence[str]) -> None:
        self._telling = telling
        self._columns = tuple(columns)
        self._is_told = False
        derived = [{"name": name(one), "label": literal(one)} for one in columns]
        self._parts: dict[str, object] = {
            **Shapes.of(telling.contract).parts(),
            "derived": derived,
            "names": [name(one) for one in columns],
            "values": name(f"derived_{telling.number}"),
            "aged": name(f"aged_{telling.number}"),
            "found": name(f"found_in_{telling.number}"),
            "moved": telling.moved,
            "latest": name("latest", telling.contract.stream.table),
        }

    def begin(self) -> None:
        """All rows are going to be told, of these columns alone."""
        self._is_told = True
        self._run("create_values")

    def tell(self, judged: pa.Table) -> None:
        """Patches of these columns, one a key."""
        patches = judged.filter(pc.equal(judged["_kind"], Kind.PATCH.value))
        self._run("tell_values", piece=patches)

    def compare(self, as_of: datetime | None) -> Aged:
        """Behind the comparison of the other columns. Of the rows that were told for it, where not all were."""
        told = self._parts["values"] if self._is_told else self._telling.table
        if self._is_told:
            self._telling.aside.look(self._telling.contract)
        self._run("compare", told=told)
        (rows,) = self._run("rows", told=told).to_pylist()
        fields = {one["field"]: one["count"] for one in self._run("fields").to_pylist()}
        return Aged(rows["compared"], rows["aged"], fields, as_of)

    def repair(self, now: datetime) -> pa.Table:
        """What the source computes now of the rows that aged, where all were told: a captured table of patches, each at
        the watermark at which it was read, behind all reads at that watermark."""
        contract = self._telling.contract
        schema = pa.schema([*CAPTURED, *(pa.field(column.name, column.type.arrow) for column in contract.columns)])
        if not self._is_told:
            return schema.empty_table()
        cover = canonical_json(sorted(self._columns))
        patches = self._run("patches", {"cover": cover, "minor": int(now.timestamp() * 1_000_000)})
        return patches.select(schema.names).cast(schema)

    def _run(self, statement: str, parameters: Mapping[str, Any] = NOTHING, **others: Any) -> pa.Table:
        tables = {key: value for key, value in others.items() if isinstance(value, pa.Table)}
        parts = {key: value for key, value in others.items() if isinstance(value, Sql)}
        return execute(self._telling.connection, _SQL(statement, **self._parts, **parts), parameters, tables)
