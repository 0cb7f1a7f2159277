"""Old names answered from new tables: views in a schema of the warehouse, and old tables put aside, all or nothing.

What stands under a name and is not ours is never touched. A view of ours is known by its comment, so that the same deed
may be done twice. Knows nothing of which names there are, nor why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import pyarrow as pa

from ..base.errors import Misconfigured
from ..base.sql import Sql, Statements, literal, name, written
from .duckdb_file import connect, told

BESIDE = "__before"
"""What is behind the name of an old table that was put aside."""

_MARK = "made by tieout migrate"
_COMMA = written(",")
_NOTHING = written("")
_SQL = Statements("tieout.merge", "names.sql")


@dataclass(frozen=True, slots=True)
class Answer:
    """An old name and what is behind it: `columns` are pairs of the old column and how the new table says it."""

    name: str
    latest: tuple[str, str]
    columns: tuple[tuple[str, Sql], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands under one of the names: nothing, a "table", or a "view"; and whether an old table is put aside."""

    kind: str
    is_ours: bool
    has_aside: bool


class Names:
    """The names of one schema in the warehouse at `path`, which is open for writing until the context ends."""

    def __init__(self, path: Path, schema: str) -> None:
        self._schema = schema
        self._connection = connect(path)

    def __enter__(self) -> Names:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def has(self, schema: str, table: str) -> bool:
        return table.lower() in self._relations(schema)

    def standing(self, old: str) -> Standing:
        found = self._relations(self._schema)
        kind, is_ours = found.get(old.lower(), ("nothing", False))
        return Standing(kind, is_ours, (old + BESIDE).lower() in found)

    def switch(self, answers: Sequence[Answer]) -> tuple[str, ...]:
        """Each of these names is answered from its new table; tells which old tables were put aside for it. One that is
        answered already is answered as it is said now. Raises Misconfigured where something is in the way."""
        standing = {one.name: self.standing(one.name) for one in answers}
        for old, stands in standing.items():
            self._free(old, stands)
        aside = tuple(old for old, stands in standing.items() if stands.kind == "table")
        with self._writing():
            self._connection.execute(_SQL("make_schema", schema=name(self._schema)))
            for old in aside:
                parts = {"table": name(self._schema, old), "aside": name(old + BESIDE)}
                self._connection.execute(_SQL("put_aside", **parts))
            for one in answers:
                self._answer(one)
        return aside

    def restore(self, names: Sequence[str]) -> tuple[str, ...]:
        """Old tables stand under their names again; tells which were put back. A name that is not answered is left as
        it is. Raises Misconfigured where something is in the way."""
        standing = {old: self.standing(old) for old in names}
        for old, stands in standing.items():
            if stands.has_aside and stands.kind != "nothing" and not stands.is_ours:
                raise self._in_the_way(old, stands)
        back = tuple(old for old, stands in standing.items() if stands.has_aside)
        with self._writing():
            for old, stands in standing.items():
                if stands.is_ours:
                    self._connection.execute(_SQL("silence", view=name(self._schema, old)))
            for old in back:
                parts = {"table": name(self._schema, old + BESIDE), "aside": name(old)}
                self._connection.execute(_SQL("put_aside", **parts))
        return back

    def _relations(self, schema: str) -> dict[str, tuple[str, bool]]:
        with told():
            rows = self._connection.execute(_SQL("relations"), {"schema": schema, "mark": _MARK}).fetchall()
        return {name.lower(): (kind, is_ours) for name, kind, is_ours in rows}

    def _free(self, old: str, stands: Standing) -> None:
        if (stands.kind == "view" and not stands.is_ours) or (stands.kind == "table" and stands.has_aside):
            raise self._in_the_way(old, stands)

    def _in_the_way(self, old: str, stands: Standing) -> Misconfigured:
        whole, aside = f"{self._schema}.{old}", f"{self._schema}.{old}{BESIDE}"
        if stands.has_aside and stands.kind != "nothing":
            hint = "One of them is in the way: rename or drop it. Nothing was changed."
            return Misconfigured(f"{whole} is a {stands.kind}, and {aside} is there too.", hint=hint)
        hint = f"Rename or drop it: drop view {whole}. Nothing was changed."
        return Misconfigured(f"{whole} is a view that tieout has not made.", hint=hint)

    def _answer(self, one: Answer) -> None:
        columns = [{"name": name(old), "value": value} for old, value in one.columns]
        parts = {"view": name(self._schema, one.name), "latest": name(*one.latest), "mark": literal(_MARK)}
        for statement in _SQL.each("answer", columns=columns, comma=_COMMA, nothing=_NOTHING, **parts):
            self._connection.execute(statement)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction. After an error DuckDB would take a commit, and have done nothing: so it is rolled back."""
        with told():
            self._connection.execute("begin")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")


def texts_of(rows: pa.Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Of each row its key, kind, fault, and the values of these columns as the warehouse writes them."""
    connection: duckdb.DuckDBPyConnection = connect(None)
    try:
        connection.register("rows", rows)
        statement = _SQL("texts", columns=[name(column) for column in columns], comma=_COMMA, nothing=_NOTHING)
        found: list[dict[str, Any]] = connection.sql(statement).to_arrow_table().to_pylist()
        return found
    finally:
        connection.close()
