"""Tables of Snowflake brought beside this program, to be compared in DuckDB with what a source says.

Of its rows and of its history only what is asked for is brought, in Arrow, piece by piece. What the driver may spell in
its own way travels as a number or as text, and is what its contract says once it is here.
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
from ...base.stream import Stream
from ...contract.contract import Contract
from .. import columns
from ..duckdb_file import connect, told
from ..duckdb_sums import DuckDBSums
from ..summed import Summed
from ..warehouse import Side
from .naming import carried, folded, tables_of, travels_as
from .session import NOTHING, Session
from .sums import SnowflakeSums, is_spelled

_THERE = Statements(__package__, "beside.sql")
_HERE = Statements(__package__, "beside_here.sql")

_KEYS_AT_A_TIME = 10_000
_KEYS_MAX = 100_000
"""Of more keys than these nothing is asked for piece by piece: all of it is brought."""
_OURS = {"_key": pa.string(), "_deleted": pa.bool_()}
_OF_PRINTS = {"_key": pa.string(), "fingerprint": pa.int64()}
_OF_HISTORY = {"_key": pa.string(), "_cover": pa.string(), "_order": pa.string(), "_batch": pa.string()}
_OF_BOOKS = {
    "stream": pa.string(),
    "side": pa.string(),
    "batch": pa.string(),
    "account": pa.string(),
    "count": pa.int64(),
}


@contextmanager
def beside(session: Session, *, mark: str) -> Iterator[Beside]:
    """Kept in a file, which goes with the context: what does not fit in memory may be many rows. `mark` is the
    session's own: what it works with there bears it."""
    with TemporaryDirectory(prefix="tieout-") as folder, told():
        connection = connect(Path(folder) / "beside.duckdb")
        try:
            yield Beside(session, connection, mark=mark)
        finally:
            connection.close()


class Beside:
    """Implements `Aside`."""

    def __init__(self, session: Session, connection: duckdb.DuckDBPyConnection, *, mark: str) -> None:
        self._session = session
        self._connection = connection
        self._mark = mark
        self._counted: dict[Stream, int] = {}
        self._whole: set[Stream] = set()
        for statement in _HERE.each("create_schemas"):
            connection.execute(statement)

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        return self._connection

    def rows(self, contract: Contract) -> int:
        stream = contract.stream
        if stream not in self._counted:
            (counted,) = self._session.rows(_THERE("live_rows", **tables_of(stream, Side.LIVE)))
            self._counted[stream] = int(counted["counted"])
        return self._counted[stream]

    def look(self, contract: Contract) -> None:
        if contract.stream not in self._whole:
            self._begin_rows(contract)
            self._rows(contract, "rows")
            self._whole.add(contract.stream)

    def look_at(self, contract: Contract, keys: Sql) -> None:
        if contract.stream in self._whole:
            return
        wanted = self._keys(keys)
        if len(wanted) > _KEYS_MAX:
            self.look(contract)
            return
        self._begin_rows(contract)
        for some in _pieces(wanted):
            self._rows(contract, "rows_of_keys", {"keys": some})

    def forget(self, contract: Contract) -> None:
        self._counted.pop(contract.stream, None)
        self._whole.discard(contract.stream)

    def summed(self, contract: Contract, columns: Sequence[str], *, number: int) -> Summed:
        """There, or of all rows that are brought for it, where Snowflake cannot write a value as it is agreed on."""
        if not is_spelled(contract, columns):
            return DuckDBSums(self, contract, columns, number=number)
        return SnowflakeSums(self._session, contract, columns, self._keep_prints, mark=self._mark, number=number)

    def recall(self, contract: Contract, keys: Sql) -> None:
        self._connection.execute(_HERE("create_history", **self._parts(contract)))
        wanted = self._keys(keys)
        if len(wanted) > _KEYS_MAX:
            self._history(contract, "history")
            return
        for some in _pieces(wanted):
            self._history(contract, "history_of_keys", {"keys": some})

    def recall_batches(self, contract: Contract, batches: Sequence[str]) -> None:
        self._connection.execute(_HERE("create_history", **self._parts(contract)))
        self._connection.execute(_HERE("create_books"))
        asked = {"stream": str(contract.stream), "batches": canonical_json(list(batches))}
        self._history(contract, "history_of_batches", asked)
        self._keep(name("tieout", "books"), self._session.tables(_THERE("books"), asked), _OF_BOOKS, {})

    def _keys(self, keys: Sql) -> list[str]:
        asked = _HERE("keys", keys=keys, keys_max=_KEYS_MAX + 1)
        return [row[0] for row in self._connection.execute(asked).fetchall()]

    def _begin_rows(self, contract: Contract) -> None:
        for statement in _HERE.each("create_rows", **self._parts(contract)):
            self._connection.execute(statement)

    def _rows(self, contract: Contract, statement: str, values: Mapping[str, Any] = NOTHING) -> None:
        self._bring(statement, contract, self._parts(contract)["latest"], _OURS, values)

    def _keep_prints(self, pieces: Iterable[pa.Table], into: Sql) -> None:
        self._connection.execute(_HERE("create_prints", prints=into))
        self._keep(into, pieces, _OF_PRINTS, {})

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


def _pieces(keys: Sequence[str]) -> Iterator[str]:
    """Some at a time, as JSON."""
    return (canonical_json(keys[start : start + _KEYS_AT_A_TIME]) for start in range(0, len(keys), _KEYS_AT_A_TIME))
