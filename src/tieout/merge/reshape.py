"""Tables that stand follow their contract: columns that it gained, wider types, what it requires.

One rule: after it the tables are what a rebuild under the new contract would make of the same batches. So what a column
was told before anybody knew it is read back from the history, and the registers are folded anew where they must be.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ..base.change import is_reserved
from ..base.codec import canonical_json
from ..base.errors import Misconfigured, Retyped
from ..base.sql import Sql, Statements, literal, name
from ..base.types import Column, ColumnType
from ..contract.contract import Contract
from ..contract.widening import holds_all_of, keeps_key
from .aligned import lifted, quoted
from .columns import BASE, LIFE, Shape, Shapes, covers_table
from .warehouse import Side, table_of

_SQL = Statements(__package__, "reshape.sql")


def stands(connection: duckdb.DuckDBPyConnection, contract: Contract, side: Side) -> bool:
    """Whether the tables are what this contract wants already."""
    table = table_of(contract.stream, side)
    wanted = {"stream": str(contract.stream), "side": side.value, "shape": shape_of(contract), "table": table}
    row = connection.execute(_SQL("stands"), wanted).fetchone()
    return bool(row and row[0])


def reshape(connection: duckdb.DuckDBPyConnection, contract: Contract, side: Side) -> None:
    """Within the transaction that is open. Raises Retyped where only a rebuild can, Misconfigured for another key."""
    reshaping = _Reshaping(connection, contract, side)
    before, now = reshaping.noted(), shape_of(contract)
    if before == now:
        return
    if before is not None:
        refuse_other_key(contract, before)
    told_before = reshaping.told(before)
    reshaping.fit_columns()
    if not reshaping.is_empty():
        reshaping.refold(told_before)
    reshaping.note(now)


def shape_of(contract: Contract) -> str:
    """What of a contract the tables depend on, as text: its columns, and the key."""
    columns = [[column.name, str(column.type), column.required] for column in contract.columns]
    return canonical_json({"columns": columns, "key": list(contract.key)})


def refuse_other_key(contract: Contract, before: str) -> None:
    """Raises Misconfigured when the tables hold rows by another key: what is one row there would be another here."""
    was = json.loads(before)
    types = {name: type_ for name, type_, _ in was["columns"]}
    now = contract.key_columns
    kept = tuple(was["key"]) == contract.key and all(
        keeps_key(ColumnType.parse(types[column.name]), column.type) for column in now
    )
    if not kept:
        told = ", ".join(f"{name} {types[name]}" for name in was["key"])
        raise Misconfigured(
            f"{contract.stream}: its rows have landed under the key ({told}), "
            f"the contract now says ({', '.join(f'{column.name} {column.type}' for column in now)}).",
            hint="Write the key as it was, or give the object another name, under which it is read anew.",
        )


def refuse_other_case(contract: Contract, column: Column, has: Iterable[str]) -> None:
    """Raises Retyped when the tables have a column that only upper and lower case tell from this one, which no database
    does."""
    if other := next((name for name in has if name.lower() == column.name.lower()), None):
        raise Retyped(
            f"{contract.stream}: the warehouse has the column {other}, beside which {column.name} cannot stand.",
            hint=f"Run `tieout rebuild {contract.stream}`, which makes the tables anew from the landing.",
        )


@dataclass(frozen=True, slots=True)
class _Reshaping:
    connection: duckdb.DuckDBPyConnection
    contract: Contract
    side: Side

    def noted(self) -> str | None:
        row = self.connection.execute(_SQL("shape_of"), self._of).fetchone()
        return None if row is None else str(row[0])

    def note(self, shape: str) -> None:
        for statement in _SQL.each("note_shape"):
            used = {**self._of, "shape": shape} if "$shape" in statement else self._of
            self.connection.execute(statement, used)

    def told(self, before: str | None) -> frozenset[str]:
        """The columns that the tables have followed until now."""
        if before is None:
            return frozenset(self._has("latest"))
        return frozenset(name for name, *_ in json.loads(before)["columns"])

    def is_empty(self) -> bool:
        row = self.connection.execute(_SQL("is_empty", **self._tables)).fetchone()
        return bool(row and row[0])

    def fit_columns(self) -> None:
        """Adds the columns that are missing, and widens those whose type can be widened."""
        shapes = Shapes.of(self.contract)
        for schema in ("raw", "latest"):
            has, table = self._has(schema), name(schema, table_of(self.contract.stream, self.side))
            for column, shape in zip(self.contract.columns, shapes.columns, strict=True):
                if column.name not in has:
                    refuse_other_case(self.contract, column, has)
                    self.connection.execute(_SQL("add_column", table=table, column=shape))
                elif has[column.name] != column.type.duckdb:
                    self._refuse_other_type(column, has[column.name])
                    self.connection.execute(_SQL("widen_column", table=table, column=shape))

    def refold(self, told_before: frozenset[str]) -> None:
        """Reads back what was kept apart, and folds what follows from it."""
        new = {column.name for column in self.contract.fields} - told_before
        waiting = {field for (field,) in self.connection.execute(_SQL("unfit_fields"), self._of).fetchall()}
        asked = [column for column in self.contract.fields if column.name in new | waiting]
        gone = {name for name in told_before if not is_reserved(name)} - {one.name for one in self.contract.columns}
        if asked:
            self._read_back(asked)
        if asked or gone:
            self._fold({column.name for column in asked})
        required = Shapes.of(self.contract).required
        self.connection.execute(_SQL("show", required=required, life=LIFE, **self._tables), self._of)

    def _read_back(self, asked: Sequence[Column]) -> None:
        begins = [literal(quoted(column.name)) for column in asked]
        apart = self.connection.sql(_SQL("kept_apart", begins=begins, **self._tables), params=self._of).to_arrow_table()
        for encoding in apart["encoding"].unique().to_pylist():
            rows = apart.filter(pc.equal(apart["encoding"], encoding))
            for piece in lifted(rows, asked, encoding=encoding):
                self._put_back(piece, asked)
        noted = {**self._of, "fields": [column.name for column in asked]}
        for statement in _SQL.each("note_unfit", begins=begins, **self._tables):
            self.connection.execute(statement, noted if "$fields" in statement else self._of)

    def _put_back(self, piece: pa.Table, asked: Sequence[Column]) -> None:
        gained = [
            {"name": shape.name, "type": shape.type, "quoted": literal(json.dumps(column.name, ensure_ascii=False))}
            for column, shape in self._shapes({column.name for column in asked})
        ]
        self.connection.register("lifted", piece)
        try:
            self.connection.execute(_SQL("read_back", gained=gained, **self._tables))
        finally:
            self.connection.unregister("lifted")

    def _fold(self, asked: set[str]) -> None:
        gained = [shape for _, shape in self._shapes(asked)]
        known = [shape for column, shape in self._shapes() if column.name not in asked]
        parts = {"gained": gained, "known": known, "base": BASE, **self._tables}
        covers = [cover for (cover,) in self.connection.execute(_SQL("covers", **self._tables)).fetchall()]
        self.connection.register("covers", covers_table(self.contract, covers))
        try:
            for statement in ("fold", "unfold", "forget_folded"):
                self.connection.execute(_SQL(statement, **parts))
        finally:
            self.connection.unregister("covers")

    def _shapes(self, names: set[str] | None = None) -> list[tuple[Column, Shape]]:
        """The fields of the contract (those of these names) with their shapes."""
        pairs = zip(self.contract.fields, Shapes.of(self.contract).fields, strict=True)
        return [(column, shape) for column, shape in pairs if names is None or column.name in names]

    def _refuse_other_type(self, column: Column, has: str) -> None:
        if not holds_all_of(column.type, has):
            raise Retyped(
                f"{self.contract.stream}: {column.name} is {has} in the warehouse, "
                f"the contract now says {column.type}.",
                hint=f"Run `tieout rebuild {self.contract.stream}`, which makes the tables anew from the landing.",
            )

    def _has(self, schema: str) -> dict[str, str]:
        asked = {"schema": schema, "table": table_of(self.contract.stream, self.side)}
        return dict(self.connection.execute(_SQL("columns_of"), asked).fetchall())

    @property
    def _of(self) -> dict[str, str]:
        return {"stream": str(self.contract.stream), "side": self.side.value}

    @property
    def _tables(self) -> dict[str, Sql]:
        table = table_of(self.contract.stream, self.side)
        return {"raw": name("raw", table), "latest": name("latest", table)}
