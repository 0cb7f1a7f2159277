"""Old names answered from new tables in the embedded warehouse: each deed is one transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from ..base.sql import Statements, literal, name, written
from .duckdb_file import connect, told
from .names import BESIDE, MARK, Answer, Standing, refuse_to_restore, refuse_to_switch

_COMMA = written(",")
_NOTHING = written("")
_SQL = Statements("tieout.merge", "duckdb_names.sql")


class DuckDBNames:
    """Implements `Names` for the file at `path`, which is open for writing until the context ends."""

    def __init__(self, path: Path, schema: str) -> None:
        self._schema = schema
        self._connection = connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def has(self, schema: str, table: str) -> bool:
        return table.lower() in self._relations(schema)

    def switch(self, answers: Sequence[Answer]) -> tuple[str, ...]:
        standing = self._standing([one.name for one in answers])
        refuse_to_switch(self._schema, standing)
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
        standing = self._standing(names)
        refuse_to_restore(self._schema, standing)
        back = tuple(old for old, stands in standing.items() if stands.has_aside)
        with self._writing():
            for old, stands in standing.items():
                if stands.is_ours:
                    self._connection.execute(_SQL("silence", view=name(self._schema, old)))
            for old in back:
                parts = {"table": name(self._schema, old + BESIDE), "aside": name(old)}
                self._connection.execute(_SQL("put_aside", **parts))
        return back

    def _standing(self, names: Sequence[str]) -> dict[str, Standing]:
        found = self._relations(self._schema)
        return {
            old: Standing(*found.get(old.lower(), ("nothing", False)), (old + BESIDE).lower() in found) for old in names
        }

    def _relations(self, schema: str) -> dict[str, tuple[str, bool]]:
        with told():
            rows = self._connection.execute(_SQL("relations"), {"schema": schema, "mark": MARK}).fetchall()
        return {name.lower(): (kind, is_ours) for name, kind, is_ours in rows}

    def _answer(self, one: Answer) -> None:
        columns = [{"name": name(column.name), "value": column.value(name(column.field))} for column in one.columns]
        parts = {"view": name(self._schema, one.name), "latest": name(*one.latest), "mark": literal(MARK)}
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
