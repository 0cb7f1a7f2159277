"""The dialect of DuckDB: `checks.sql`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..base.sql import Sql, Statements, name
from ..base.types import Column, Kind
from .dialect import Bind

_SQL = Statements(__package__, "checks.sql")


class DuckDBDialect:
    """Implements `Dialect`."""

    statements = _SQL
    whole = Sql("HUGEINT")
    double = Sql("DOUBLE")

    def name(self, *parts: str) -> Sql:
        return name(*parts)

    def result(self, word: str) -> Sql:
        return name(word)

    def comparable(self, column: Column) -> tuple[Sql, Sql]:
        if column.type.kind is Kind.NUMERIC:
            return self.as_double(column), self.double
        return name(column.name), Sql(column.type.duckdb)

    def as_moment(self, column: Column) -> Sql:
        return _SQL("moment", column=name(column.name))

    def as_double(self, column: Column) -> Sql:
        return _SQL("as_double", column=name(column.name))

    def as_text(self, column: Column, named: Sql) -> Sql:
        return _SQL("as_text", column=named)

    def among(self, column: Column, texts: Sequence[str], bind: Bind) -> Sql:
        value, type_ = self.comparable(column)
        return _SQL("among", texts=bind(list(texts)), value=value, type=type_)

    def among_texts(self, column: Column, texts: Sequence[str], bind: Bind) -> Sql:
        value = self.as_text(column, name(column.name))
        return _SQL("among", texts=bind(list(texts)), value=value, type=Sql("VARCHAR"))

    def pattern(self, pattern: str) -> str:
        return pattern

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return dict(row)
