"""A telling: what the source has of one stream at the cut, gathered beside the warehouse's tables to be compared.

A source that knows its present state tells the rows themselves. One that only ever tells changes has them folded by the
rule in plain Python, so that what the warehouse's SQL has made of them is checked against their meaning.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import Kind
from ..base.codec import canonical_json
from ..base.errors import Broken
from ..base.sql import Sql, Statements, name
from ..contract.contract import Contract
from ..contract.judge import batch_schema
from ..merge.aside import Aside
from ..merge.columns import Shapes
from ..merge.rule import State, fold, is_shown
from ..merge.told import changes_of

_SQL = Statements(__package__, "telling.sql")

NOTHING: Mapping[str, Any] = MappingProxyType({})
_NOT_FOLDED = frozenset({"_cid", "_position", "_observed_at", "_extra", "_where", "_raw", "_settles"})
"""What a change carries and the rule does not look at."""
_FOLD_ROWS_MAX = 100_000
"""Changes folded at a time: as many Python objects as fit in memory beside all else."""


class Telling:
    """One stream's rows at the cut, in temporary tables of `aside`. `number` tells it apart from others there.

    beside  how many rows the source has beside those that are told, and which are here just so; None: all are told
    scope   where not all are told: the table of the keys, told or here, of which the others are not beside
    moved   the table of the keys that changed at the source after the cut, which are not compared
    """

    def __init__(self, aside: Aside, contract: Contract, number: int) -> None:
        self.aside = aside
        self.connection = aside.connection
        self.contract = contract
        self.number = number
        self.table = name(f"told_{number}")
        self.scope = name(f"scope_{number}")
        self.moved = name(f"moved_{number}")
        self.beside: int | None = None
        self._schema = pa.schema([field for field in batch_schema(contract) if field.name not in _NOT_FOLDED])
        self._parts = {
            **Shapes.of(contract).parts(),
            "told": self.table,
            "scope": self.scope,
            "moved": self.moved,
            "changes": name(f"changes_{number}"),
        }
        self._is_folding = False
        self._covers: set[str] = set()
        self.begin()

    def begin(self) -> None:
        """Nothing is told yet."""
        self.beside = None
        self._run("create_told")
        self._run("create_scope")
        self._run("create_moved")

    def rows(self) -> int:
        """How many are told."""
        (counted,) = self._run("count_told").to_pylist()
        return int(counted["count"])

    def tell_columns(self, columns: Collection[str]) -> None:
        """The source tells these columns, also where it has no row to tell."""
        self._covers.add(canonical_json(sorted(columns)))

    def tell_rows(self, judged: pa.Table) -> None:
        """Rows that are the state itself: images, one a key. Sweeps and marks among them say nothing more."""
        images = judged.filter(pc.equal(judged["_kind"], Kind.IMAGE.value))
        others = set(judged["_kind"].unique().to_pylist()) - {Kind.IMAGE, Kind.SWEEP, Kind.MARK}
        if others:
            raise Broken(f"{self.contract.stream}: the source told {sorted(others)} where only rows can be.")
        self._run("tell_rows", piece=images)
        self._covers.update(images["_cover"].unique().to_pylist())

    def tell_changes(self, judged: pa.Table) -> None:
        """Changes, in any order."""
        if not self._is_folding:
            self._run("create_changes", piece=self._schema.empty_table())
            self._is_folding = True
        known = [column for column in self._schema.names if column in judged.column_names]
        text = _SQL("tell_changes", kept=[name(column) for column in known], **self._parts)
        execute(self.connection, text, NOTHING, {"piece": judged})

    def leave_out(self, keys: Collection[str]) -> None:
        """These canonical keys changed after the cut: they are not compared."""
        if keys:
            self._run("leave_out", keys=pa.table({"_key": pa.array(sorted(keys), pa.string())}))
            self._run("forget_moved")

    def untold(self) -> tuple[str, ...]:
        """The contract's fields of which no row that was told speaks: the source has no such column, or no longer."""
        if not self._covers:
            return ()
        told = set[str]().union(*map(json.loads, self._covers))
        return tuple(column.name for column in self.contract.fields if column.name not in told)

    def end(self) -> None:
        """All is told."""
        if self._is_folding:
            self._fold()
        for twice in self._run("told_twice").to_pylist():
            raise Broken(
                f"{self.contract.stream}: the source tells the key {twice['_key']} twice.",
                hint="The contract's key is not unique at the source; name all columns of the key in the contract.",
            )

    def _fold(self) -> None:
        """Object by key: first what was said of all keys, then share by share of them."""
        fields = frozenset(column.name for column in self.contract.fields)
        of_object = fold(State(), changes_of(self._run("of_object")), fields=fields)
        (counted,) = self._run("count_changes").to_pylist()
        shares = counted["count"] // _FOLD_ROWS_MAX + 1
        for share in range(shares):
            of_share = {"shares": shares, "share": share}
            changes = self._run("of_keys", of_share)
            state = fold(State(floor=of_object.floor, gap=of_object.gap), changes_of(changes), fields=fields)
            self._run("tell_folded", of_share, folded=self._shown(state))

    def _shown(self, state: State) -> pa.Table:
        required = frozenset(column.name for column in self.contract.fields if column.required)
        fields = [pa.field(column.name, column.type.arrow) for column in self.contract.fields]
        rows = [
            {"_key": key, **{name: value for name, (_, value) in row.fields.items()}}
            for key, row in state.rows.items()
            if is_shown(row, state, required=required)
        ]
        return pa.Table.from_pylist(rows, schema=pa.schema([pa.field("_key", pa.string()), *fields]))

    def _run(self, statement: str, parameters: Mapping[str, Any] = NOTHING, **tables: pa.Table) -> pa.Table:
        return execute(self.connection, _SQL(statement, **self._parts), parameters, tables)


def execute(
    connection: duckdb.DuckDBPyConnection, text: Sql, parameters: Mapping[str, Any], tables: Mapping[str, pa.Table]
) -> pa.Table:
    """The rows of a statement that may speak of `tables` by their names; none of one that only writes."""
    for alias, table in tables.items():
        connection.register(alias, table)
    try:
        answer = connection.sql(text, params=dict(parameters))
        return pa.table({}) if answer is None else answer.to_arrow_table()
    finally:
        for alias in tables:
            connection.unregister(alias)
