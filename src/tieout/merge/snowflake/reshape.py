"""Tables in Snowflake follow their contract: columns that it gained, wider types, what it requires.

As `merge/reshape.py` has it: after it the tables are what a rebuild under the new contract would make of the same
batches. DDL comes first, as it commits: until the shape is noted, in the transaction of the rows, it is all done again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...base.change import is_reserved
from ...base.errors import Retyped, Transient
from ...base.sql import Sql, Statements, escaped_literal
from ...base.types import Column
from ...contract.contract import Contract
from ..aligned import READ_BACK, lifted, quoted
from ..columns import BASE, LIFE, covers_table
from ..reshape import refuse_other_key, shape_of
from ..warehouse import Side, table_of
from .half import Half, unfinished
from .naming import Shape, Shapes, bare, folded, tables_of, type_of
from .session import Session
from .staging import load, stage_of

_SQL = Statements(__package__, "reshape.sql")
_WORKING = ("lifted", "covers", "folded")
_NUMBER = re.compile(r"NUMBER\((\d+),(\d+)\)")

Behind = Callable[[], AbstractContextManager[None]]
"""A transaction behind the lane's fence. Raises Fenced."""


@dataclass(frozen=True, slots=True)
class Reshaping:
    """`mark` is the session's own."""

    session: Session
    contract: Contract
    side: Side
    mark: str

    def noted(self) -> str | None:
        """The shape that the tables were made for last."""
        rows = self.session.rows(_SQL("shape_of"), self._of)
        return None if not rows else str(rows[0]["shape"])

    def note(self, before: str | None, behind: Behind) -> None:
        """Raises Fenced; Transient where somebody else was first."""
        with behind():
            self._refuse_if_changed(before)
            self._note()

    def follow(self, before: str, behind: Behind) -> None:
        """Raises Retyped where only a rebuild can, Misconfigured for another key, Fenced; Transient where the tables
        follow somebody else meanwhile."""
        refuse_other_key(self.contract, before)
        told_before = frozenset(name for name, *_ in json.loads(before)["columns"])
        self.fit_columns()
        new = {column.name for column in self.contract.fields} - told_before
        waiting = {row["field"] for row in self.session.rows(_SQL("unfit_fields"), self._of)}
        asked = [column for column in self.contract.fields if column.name in new | waiting]
        gone = {name for name in told_before if not is_reserved(name)} - {one.name for one in self.contract.columns}
        back = self._kept_apart(asked) if asked else None
        parts = self._parts(asked)
        if asked or gone:
            self._make_working(parts, back)
        with behind():
            self._refuse_if_changed(before)
            if asked:
                self._read_back(parts)
            if asked or gone:
                self._fold(parts)
            self._run("show", **parts)
            self._note()

    def is_empty(self) -> bool:
        return bool(self.session.rows(_SQL("is_empty", **self._tables))[0]["is_empty"])

    def is_of_another_shape(self) -> bool:
        """Whether the tables are still empty, and were made for lines that nobody could read."""
        ours = {bare(shape.name) for shape in Shapes.of(self.contract).columns}
        has = {name for name in self.has()["LATEST"] if not name.startswith("_")}
        return has != ours and self.is_empty()

    def drop_rows(self) -> None:
        for statement in _SQL.each("drop_rows", **self._tables):
            self.session.run(statement)

    def _refuse_if_changed(self, before: str | None) -> None:
        """Not over a swap that has come between: what is done here would be done to the tables that it replaces."""
        noted = self.noted()
        if Half.read(noted) is not None:
            raise unfinished(self.contract.stream)
        if noted != before:
            stream = self.contract.stream
            raise Transient(f"{stream}: its tables were made for another shape meanwhile.", hint="It is tried again.")

    def _note(self) -> None:
        noted = {**self._of, "shape": shape_of(self.contract)}
        self.session.run(_SQL("forget_shape"), noted)
        self.session.run(_SQL("note_shape"), noted)

    def fit_columns(self) -> None:
        """Adds the columns that are missing, and widens those whose type can be widened. Raises Retyped."""
        shapes, has = Shapes.of(self.contract), self.has()
        for schema in ("RAW", "LATEST"):
            table = folded(schema, table_of(self.contract.stream, self.side))
            for column, shape in zip(self.contract.columns, shapes.columns, strict=True):
                there = has[schema].get(bare(shape.name))
                if there is None:
                    self.add_column(table, shape)
                elif there != str(type_of(column.type)):
                    self._refuse_unlike(column, there)
                    self._run("widen_column", table=table, column=shape)

    def add_column(self, table: Sql, column: Shape) -> None:
        self._run("add_column", table=table, column=column)

    def _refuse_unlike(self, column: Column, has: str) -> None:
        """Snowflake makes a number wider, and nothing into something else."""
        was, now = _digits(has), _digits(str(type_of(column.type)))
        if was is None or now is None or was[1] != now[1] or was[0] > now[0]:
            raise Retyped(
                f"{self.contract.stream}: {column.name} is {has} in the warehouse, "
                f"the contract now says {column.type}.",
                hint=f"Run `tieout rebuild {self.contract.stream}`, which makes the tables anew from the landing.",
            )

    def _kept_apart(self, asked: Sequence[Column]) -> pa.Table | None:
        """History that told these columns, as it is with them. None: nothing did."""
        begins = [escaped_literal(quoted(column.name)) for column in asked]
        rows = self.session.rows(_SQL("kept_apart", begins=begins, **self._tables), self._of)
        if not rows:
            return None
        apart = pa.Table.from_pylist(rows, schema=pa.schema([*READ_BACK, pa.field("encoding", pa.string())]))
        pieces = [
            piece
            for encoding in apart["encoding"].unique().to_pylist()
            for piece in lifted(apart.filter(pc.equal(apart["encoding"], encoding)), asked, encoding=encoding)
        ]
        return _with_told(pa.concat_tables(pieces), apart, self._shapes(asked))

    def _make_working(self, parts: dict[str, object], back: pa.Table | None) -> None:
        for table in _WORKING:
            self._run(f"create_{table}", **parts)
        if back is not None:
            load(self.session, back, self._working["lifted"], stage_of(self.contract.stream.source))

    def _read_back(self, parts: dict[str, object]) -> None:
        self._run("read_back", **parts)
        for statement in _SQL.each("note_unfit", **parts):
            self.session.run(statement, self._of)

    def _fold(self, parts: dict[str, object]) -> None:
        said = [row["cover"] for row in self.session.rows(_SQL("covers", **self._tables))]
        names = ["cover", "is_complete", *(str(field.covered) for field in Shapes.of(self.contract).fields)]
        covers = covers_table(self.contract, said).drop_columns("is_empty").rename_columns(names)
        load(self.session, covers, self._working["covers"], stage_of(self.contract.stream.source))
        self._run("fold", **parts)
        self._run("unfold", patch=_SQL("patch_of", **parts), **parts)

    def _parts(self, asked: Sequence[Column]) -> dict[str, object]:
        names = {column.name for column in asked}
        shapes = Shapes.of(self.contract)
        pairs = list(zip(self.contract.fields, shapes.fields, strict=True))
        return {
            "gained": [shape for column, shape in pairs if column.name in names],
            "known": [shape for column, shape in pairs if column.name not in names],
            "fields": shapes.fields,
            "required": shapes.required,
            "life": LIFE,
            "base": BASE,
            **self._tables,
            **self._working,
        }

    def _shapes(self, asked: Sequence[Column]) -> list[tuple[Column, Shape]]:
        names = {column.name for column in asked}
        pairs = zip(self.contract.fields, Shapes.of(self.contract).fields, strict=True)
        return [(column, shape) for column, shape in pairs if column.name in names]

    def has(self) -> dict[str, dict[str, str]]:
        """By schema the columns of the tables, each with its type as we would write it."""
        table = bare(folded(table_of(self.contract.stream, self.side)))
        found: dict[str, dict[str, str]] = {"RAW": {}, "LATEST": {}}
        for row in self.session.rows(_SQL("columns_of"), {"table": table}):
            found[row["table_schema"]][row["column_name"]] = _spelled(row)
        return found

    def _run(self, statement: str, **parts: object) -> int:
        return self.session.run(_SQL(statement, **parts), self._of)

    @property
    def _of(self) -> dict[str, str]:
        return {"stream": str(self.contract.stream), "side": self.side.value}

    @property
    def _tables(self) -> dict[str, Sql]:
        return tables_of(self.contract.stream, self.side)

    @property
    def _working(self) -> dict[str, Sql]:
        return {one: folded("tieout", f"{one}_{self.mark}") for one in _WORKING}


def _with_told(back: pa.Table, apart: pa.Table, gained: Iterable[tuple[Column, Shape]]) -> pa.Table:
    """What was read back, and of each column that is gained whether a row tells it that did not before."""
    before = dict(zip(apart["_cid"].to_pylist(), apart["_cover"].to_pylist(), strict=True))
    covers = [
        (set(json.loads(cover)), set(json.loads(before[cid])))
        for cid, cover in zip(back["_cid"].to_pylist(), back["_cover"].to_pylist(), strict=True)
    ]
    for column, shape in gained:
        told = pa.array([column.name in now and column.name not in then for now, then in covers], pa.bool_())
        back = back.append_column(str(shape.told), told)
    return back


_SPELLED = {"TEXT": "VARCHAR", "FLOAT": "FLOAT", "BOOLEAN": "BOOLEAN", "DATE": "DATE", "BINARY": "BINARY"}


def _spelled(row: dict[str, Any]) -> str:
    """A type of the catalogue as we write it."""
    word = str(row["data_type"])
    if word == "NUMBER":
        return f"NUMBER({row['numeric_precision']},{row['numeric_scale']})"
    return _SPELLED.get(word, f"{word}(6)")


def _digits(type_: str) -> tuple[int, int] | None:
    match = _NUMBER.fullmatch(type_)
    return None if match is None else (int(match[1]) - int(match[2]), int(match[2]))
