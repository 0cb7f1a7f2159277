"""The rows of a query as lines of CSV, written by the database itself: the fast half of a job.

A query without order and limit is read in pieces by its key, as Salesforce does, and the rows of a piece come in no
particular order. All pieces together are one snapshot: the store stays locked while they are read.

The database writes marks where quotes and line endings shall stand. Once a piece is here, the quotes in its values are
doubled all at once, and then the marks give way: so no function is called for a cell, and no object made for a row.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ....base.errors import Broken
from ....base.sql import Sql, Statements, literal, name
from ..errors import OrgError
from ..org import Org
from ..schema import DECIMALS, Field
from ..selecting import Kept, Selection
from ..soql import Query, parse
from ..values import bulk
from .dialect import Dialect

CHUNK_ROWS: Final = 4_000
"""A text of SQLite's has room for 4,000 rows of 250,000 bytes."""

_SQL: Final = Statements(__package__, "rows.sql")
_DECIMAL: Final = "bulk_decimal"
_ALL_ROWS: Final = -1
_CELLS_MAX: Final = 100
"""Cells that one call of SQLite's printf takes; it has room for 127."""
_DIGITS_BEFORE_EXPONENT: Final = 7
_MARKS: Final = (("\x1e", "\x1f"), ("\x1c", "\x1d"), ("\x01", "\x02"))
"""For a quote, and for a line's ending. Where values hold the first pair, the next is tried."""

Piece: TypeAlias = tuple[bytes, npt.NDArray[np.int64]]
"""Lines one behind the other, and the length of each in bytes."""


def checked(soql: str) -> Query:
    """Raises what Bulk refuses, be it good SOQL or not."""
    query = parse(soql)
    if query.is_aggregate or query.is_count:
        raise _unsupported("Aggregate Relationships not supported in Bulk Query")
    if query.offset:
        raise _unsupported("OFFSET clause not supported in Bulk Query")
    return query


def _unsupported(what: str) -> OrgError:
    return OrgError("API_ERROR", what)


class BulkSelection(Selection):
    """What a job asks for. Made when the job is, to refuse what is wrong, and again when it runs."""

    def __init__(self, org: Org, query: Query, *, kept: Kept) -> None:
        super().__init__(org.store, org.schemas, query, now=org.now(), kept=kept)
        self._seed = f"{org.org_id} {query.text}"
        if any(column.field.type == "address" for column in self.columns):
            raise _unsupported("Selecting compound data not supported in Bulk Query")
        with org.store.lock:  # a function cannot be told anew while a statement runs
            org.store.define(_DECIMAL, 2, _decimal)

    @property
    def names(self) -> list[str]:
        """`Account.Name` for what stands behind a lookup."""
        return [".".join(column.names) for column in self.columns]

    def pieces(self, dialect: Dialect) -> Iterator[Piece]:
        """Whoever draws from it holds the store's lock."""
        if self.query.order_by or self.query.limit is not None:
            yield self._marked(dialect, self._ordered)[0]
            return
        chance, last, rows = random.Random(self._seed), "", CHUNK_ROWS
        while rows == CHUNK_ROWS:
            (text, lengths), last = self._marked(dialect, partial(self._chunk, after=last))
            rows = len(lengths)
            turn = chance.randrange(rows) if rows else 0
            begin = int(lengths[:turn].sum())
            yield text[begin:] + text[:begin], np.roll(lengths, -turn)

    def _marked(self, dialect: Dialect, read: Callable[[Sql], tuple[bytes, str, int]]) -> tuple[Piece, str]:
        """What `read` gives for a line of SQL, its marks replaced; and the last id."""
        for quote, end in _MARKS:
            text, last, rows = read(self._line(dialect, quote, end))
            if text.count(quote.encode()) == 2 * rows * len(self.columns) and text.count(end.encode()) == rows:
                return _replaced(text, dialect, quote, end), last
        raise Broken("Values hold each control character that could mark the end of a line.")

    def _parts(self) -> tuple[dict[str, Any], list[Any]]:
        visible, hidden = self._visible()
        where = Sql(f"({self._wanted}) and {visible}")
        return {"table": name(self.sobject.name), "joins": self._paths.joins, "where": where}, [*self._bound, *hidden]

    def _chunk(self, line: Sql, after: str) -> tuple[bytes, str, int]:
        parts, bound = self._parts()
        text, last, rows = self._store.execute(_SQL("chunk", line=line, **parts), [*bound, after, CHUNK_ROWS])[0]
        return text or b"", last or "", rows

    def _ordered(self, line: Sql) -> tuple[bytes, str, int]:
        parts, bound = self._parts()
        order = Sql(", ".join(self._ordering(each) for each in self.query.order_by))
        limit = _ALL_ROWS if self.query.limit is None else self.query.limit
        found = self._store.execute(_SQL("ordered", line=line, order=order, **parts), [*bound, limit])
        return b"".join(row[0] for row in found), "", len(found)

    def _select(self) -> int:
        """No ids beforehand: what is wrong with the conditions shows, and nothing is read."""
        self._wanted = self._conditions.sql(self.query.where)
        self._bound = list(self._conditions.values)
        for each in self.query.order_by:
            self._ordering(each)
        return 0

    def _line(self, dialect: Dialect, quote: str, end: str) -> Sql:
        cells = [_cell(column.field, sql) for column, sql in self._resolved]
        printed = []
        for at in range(0, len(cells), _CELLS_MAX):
            piece = cells[at : at + _CELLS_MAX]
            is_last = at + _CELLS_MAX >= len(cells)
            pattern = literal(dialect.pattern(len(piece), quote, end if is_last else ""))
            printed.append(f"printf({pattern}, {', '.join(piece)})")
        return Sql(" || ".join(printed))


def _replaced(text: bytes, dialect: Dialect, quote: str, end: str) -> Piece:
    """Quotes doubled, and the marks replaced."""
    quoted = text.replace(b'"', b'""').replace(quote.encode(), b'"')
    ends = np.flatnonzero(np.frombuffer(quoted, np.uint8) == ord(end)) + 1
    lengths = np.diff(ends, prepend=0) + (len(dialect.ending) - 1)
    return quoted.replace(end.encode(), dialect.ending.encode()), lengths


def _cell(field: Field, column: Sql) -> str:
    """As `values.bulk` has it; null prints as nothing. A formula stands here once, for it is computed in place."""
    if field.type == "boolean":
        return f"case {column} when 1 then 'true' when 0 then 'false' end"
    if field.type not in DECIMALS or not field.scale:
        return column
    if field.formula is not None:
        return f"{_DECIMAL}({column}, {field.scale})"
    small = field.scale + 1 + _DIGITS_BEFORE_EXPONENT
    return (
        f"case when length({column}) <= {small} then {_shortened(field, column)} "
        f"when {column} is not null then {_DECIMAL}({column}, {field.scale}) end"
    )


def _shortened(field: Field, column: Sql) -> str:
    """Without the zeros behind the first decimal: `45000.0`, `45000.05`."""
    if field.scale == 1:
        return column
    more = field.scale - 1
    return f"substr({column}, 1, length({column}) - {more}) || rtrim(substr({column}, -{more}), '0')"


def _decimal(text: str | None, scale: int) -> str:
    return bulk(Field("", "double", scale=scale), text)
