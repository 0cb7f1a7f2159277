"""The promise of a dialect: how one engine is asked about the columns of a contract, and what its answers mean.

Pure: nothing is asked here. What the statements of checks have in common, `asking.py` knows; a dialect gives the
engine's own statements, under the same names, and what stands in them for a column, a type and a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..base.sql import Sql, Statements
from ..base.types import Column

Bind = Callable[[Any], Sql]
"""Binds a value and gives its place."""


class Dialect(Protocol):
    @property
    def statements(self) -> Statements: ...

    @property
    def whole(self) -> Sql:
        """The type that holds whole numbers of at least 30 digits."""
        ...

    @property
    def double(self) -> Sql:
        """The type of the machine's fractional numbers."""
        ...

    def name(self, *parts: str) -> Sql:
        """An identifier, as the tables of a stream and their columns have it."""
        ...

    def result(self, word: str) -> Sql:
        """The name of a column of the answer, which `row` gives back as this word."""
        ...

    def comparable(self, column: Column) -> tuple[Sql, Sql]:
        """A column as it is compared with what a contract says of its values, and the type in which it is."""
        ...

    def as_moment(self, column: Column) -> Sql:
        """Its values as microseconds since 1970; an infinite one has none."""
        ...

    def as_double(self, column: Column) -> Sql:
        """Its values as fractional numbers: where it is kept as text, or its type cannot hold the limit."""
        ...

    def as_text(self, column: Column, named: Sql) -> Sql:
        """Its values as text, where they stand under this name."""
        ...

    def among(self, column: Column, texts: Sequence[str], bind: Bind) -> Sql:
        """That its value is one of these, each taken as the column's type has it."""
        ...

    def among_texts(self, column: Column, texts: Sequence[str], bind: Bind) -> Sql:
        """That its value as text is one of these."""
        ...

    def pattern(self, pattern: str) -> str:
        """A regular expression as the statement `is_unmatched` wants it."""
        ...

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of an answer: whole numbers as such, keys as a list, under the words of its columns."""
        ...
