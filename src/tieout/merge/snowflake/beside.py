"""Tables of Snowflake brought beside this program, to be compared in DuckDB with what a source says.

Of a stream its rows are brought whole, in Arrow, piece by piece; of its history only what is asked for. What the driver
may spell in its own way travels as a number or as text, and is what its contract says once it is here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from ...base.codec import canonical_json
from ...base.sql import Sql, Statements, name
from ...contract.contract import Contract
from .. import columns
from ..duckdb_file import connect, told
from ..warehouse import Side
from .naming import carried, folded, tables_of, travels_as
from .session import NOTHING, Session

_THERE = Statements(__package__, "beside.sql")
_HERE = Statements(__package__, "beside_here.sql")

_KEYS_AT_A_TIME = 10_000
_KEYS_MAX = 100_000
"""Of more keys than these the history is not asked for piece by piece: all of it is brought."""
_OURS = {"_key": pa.string(), "_deleted": pa.bool_()}
_OF_HISTORY = {"_key": pa.string(), "_cover": pa.string(), "_order": pa.string(), "_batch": pa.string()}
_OF_BOOKS = {
    "stream": pa.string(),
    "side": pa.string(),
    "batch": pa.string(),
    "account": pa.string(),
    "count": pa.int64(),
}


@contextmanager
def beside(session: Session) -> Iterator[Beside]:
    """Kept in a file, which goes with the context: what does not fit in memory may be many rows."""
    with TemporaryDirectory(prefix="tieout-") as folder, told():
        connection = connect(Path(folder) / "beside.duckdb")
        try:
            yield Beside(session, connection)
        finally:
            connection.close()


class Beside:
    """Implements `Aside`."""

    def __init__(self, session: Session, connection: duckdb.DuckDBPyConnection) -> None:
        self._session = session
        self._connection = connection
        for statement in _HERE.each("create_schemas"):
            connection.execute(statement)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self._connection

    def look(self, contract: Contract) -> None:
        here = self._parts(contract)
        for statement in _HERE.each("create_rows", **here):
            self._connection.execute(statement)
        self._bring("rows", contract, here["latest"], _OURS)

    def recall(self, contract: Contract, keys: Sql) -> None:
        self._connection.execute(_HERE("create_history", **self._parts(contract)))
        wanted = [
            row[0] for row in self._connection.execute(_HERE("keys", keys=keys, keys_max=_KEYS_MAX + 1)).fetchall()
        ]
        if len(wanted) > _KEYS_MAX:
            self._history(contract, "history")
            return
        for start in range(0, len(wanted), _KEYS_AT_A_TIME):
            self._history(
                contract, "history_of_keys", {"keys": canonical_json(wanted[start : start + _KEYS_AT_A_TIME])}
            )

    def recall_batches(self, contract: Contract, batches: Sequence[str]) -> None:
        self._connection.execute(_HERE("create_history", **self._parts(contract)))
        self._connection.execute(_HERE("create_books"))
        asked = {"stream": str(contract.stream), "batches": canonical_json(list(batches))}
        self._history(contract, "history_of_batches", asked)
        self._keep(name("tieout", "books"), self._session.tables(_THERE("books"), asked), _OF_BOOKS, {})

    def _history(self, contract: Contract, statement: str, values: Mapping[str, Any] = NOTHING) -> None:
        self._bring(statement, contract, self._parts(contract)["raw"], _OF_HISTORY, values)

    def _bring(
        self,
        statement: str,
        contract: Contract,
        into: object,
        ours: Mapping[str, pa.DataType],
        values: Mapping[str, Any] = NOTHING,
    ) -> None:
        there = tables_of(contract.stream, Side.LIVE)
        asked = _THERE(statement, **there, carried=_carried(contract))
        of_contract = {column.name: travels_as(column.type) for column in contract.columns}
        types = {column.name: column.type.arrow for column in contract.columns}
        self._keep(into, self._session.tables(asked, values), {**of_contract, **ours}, types)

    def _keep(
        self,
        into: object,
        pieces: Iterable[pa.Table],
        travels: Mapping[str, pa.DataType],
        types: Mapping[str, pa.DataType],
    ) -> None:
        """Columns are told apart by their places: names are folded there."""
        for piece in pieces:
            arrays = [
                piece.column(at).cast(type_).cast(types.get(column, type_))
                for at, (column, type_) in enumerate(travels.items())
            ]
            self._connection.register("piece", pa.table(arrays, names=list(travels)))
            try:
                self._connection.execute(_HERE("keep", table=into))
            finally:
                self._connection.unregister("piece")

    def _parts(self, contract: Contract) -> dict[str, object]:
        table = contract.stream.table
        shapes = columns.Shapes.of(contract)
        return {"latest": name("latest", table), "raw": name("raw", table), "columns": shapes.columns}


def _carried(contract: Contract) -> list[Sql]:
    return [carried(column.type, folded(column.name)) for column in contract.columns]
