"""The embedded warehouse: the rule as DuckDB's SQL (`duckdb.sql`), in one file that one process holds at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ..base.batch import Batch
from ..base.errors import Broken, Fenced, Misconfigured
from ..base.sql import Sql, Statements, name
from ..base.step import Passing, Step, unobserved
from ..base.stream import Stream
from ..contract.contract import Contract
from .aligned import aligned, may_be_unfit
from .columns import Shapes, covers_table
from .duckdb_file import connect, told, translated
from .in_place import InPlace
from .readings import StreamReading
from .reshape import reshape, stands
from .warehouse import ENGINE_TYPE, CertificateNote, CheckNote, Engine, Side, Turn, table_of

_SQL = Statements(__package__, "duckdb.sql")
_CHECK_NOTES = pa.schema(
    {
        "stream": pa.string(),
        "checked_at": pa.timestamp("us", tz="UTC"),
        "name": pa.string(),
        "severity": pa.string(),
        "outcome": pa.string(),
        "measured": pa.float64(),
        "told": pa.string(),
    }
)
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class DuckDBWarehouse:
    """Implements `Warehouse`. `path` None keeps it in memory."""

    engine = Engine.DUCKDB

    def __init__(self, path: Path | None, *, passing: Passing = unobserved) -> None:
        self._passing = passing
        self._lock = threading.Lock()
        self._connection = connect(path)
        try:
            with self._writing():
                for statement in _SQL.each("create_bookkeeping"):
                    self._connection.execute(statement)
        except BaseException:
            self._connection.close()  # or the file would stay in our hands, and nobody's
            raise

    def close(self) -> None:
        self._connection.close()

    def answers(self) -> bool:
        """Whether the connection is of use: after a checkpoint that found the disk full, DuckDB wants a new one."""
        try:
            self._connection.execute("select 1").fetchall()
        except duckdb.FatalException:
            return False
        return True

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        cursor = self._connection.cursor()
        try:
            return read_only(cursor, statement, parameters, seconds=seconds)
        finally:
            cursor.close()

    def reading(self, contract: Contract, side: Side = Side.LIVE) -> StreamReading:
        return StreamReading(self, contract, side)

    def fence_of(self, lane: str) -> int:
        return int(self._one("fence_of", {"lane": lane})[0])

    def applied(self, stream: Stream, side: Side) -> Mapping[str, datetime]:
        # As microseconds, since the driver would want a time zone library to make moments of its own.
        rows = self._run("applied", _of(stream, side)).fetchall()
        return {batch: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=merged_at) for batch, merged_at in rows}

    def prepare(self, contract: Contract, side: Side, *, turn: Turn) -> None:
        with self._writing():
            if stands(self._connection, contract, side):
                return
            self._take_fence(turn)
            self._create(contract, side)
            if self._is_of_another_shape(contract, side):
                for statement in _SQL.each("drop_rows", **_tables(contract.stream, side)):
                    self._connection.execute(statement)
                self._run("forget_shape", _of(contract.stream, side))
                self._create(contract, side)
            self._run("seed_floor", _of(contract.stream, side))
            reshape(self._connection, contract, side)

    def merge(
        self, contract: Contract, batches: Sequence[Batch], *, turn: Turn, merged_at: Mapping[str, datetime], side: Side
    ) -> None:
        self._passing(Step.MERGING)
        applied = self.applied(contract.stream, side)
        fresh = [batch for batch in batches if batch.name not in applied]
        if not fresh:
            return
        incoming = _incoming(contract, fresh)
        covers = covers_table(contract, incoming["_cover"].unique().to_pylist())
        with self._registered(incoming=incoming, covers=covers), self._writing():
            self._take_fence(turn)
            if not self.applied(contract.stream, side).keys().isdisjoint(batch.name for batch in fresh):
                raise Fenced(f"{contract.stream}: another worker has merged these batches meanwhile.")
            self._merge_fresh(contract, side)
            if may_be_unfit(fresh, incoming, contract):
                self._run("note_unfit", _of(contract.stream, side, fields=[field.name for field in contract.fields]))
            for batch in fresh:
                noted = _of(contract.stream, side, batch=batch.name, fence=turn.fence, merged_at=merged_at[batch.name])
                noted["encoding"] = batch.footer.encoding
                self._run("note_applied", noted)
            self._passing(Step.MERGED_UNCOMMITTED)
        self._passing(Step.MERGED)

    def note_certificates(self, stream: Stream, notes: Sequence[CertificateNote], *, turn: Turn) -> None:
        with self._writing():
            self._take_fence(turn)
            for note in notes:
                self._run("note_certificate", {"stream": str(stream), **asdict(note)})

    def is_noted(self, stream: Stream, hash_: str) -> bool:
        return bool(self._one("is_noted", {"stream": str(stream), "hash": hash_})[0])

    def note_checks(self, notes: Sequence[CheckNote]) -> None:
        with self.aside() as aside:
            connection = aside.connection
            connection.register("noted", pa.Table.from_pylist([asdict(note) for note in notes], schema=_CHECK_NOTES))
            connection.execute(_SQL("note_checks"))

    @contextmanager
    def aside(self) -> Iterator[InPlace]:
        """A connection of its own to the same tables, for readings that need temporary tables beside them."""
        with told(), self._connection.cursor() as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield InPlace(connection)

    def swap(self, contract: Contract, *, turn: Turn) -> None:
        live, shadow = _tables(contract.stream, Side.LIVE), _tables(contract.stream, Side.SHADOW)
        with self._writing():
            self._take_fence(turn)
            self._drop(contract.stream, Side.LIVE)
            for statement in _SQL.each("promote_tables", shadow=shadow, table=name(contract.stream.table), **live):
                self._connection.execute(statement)
            for statement in _SQL.each("promote_bookkeeping"):
                self._connection.execute(statement, {"stream": str(contract.stream)})
        self._passing(Step.SWAPPED)

    def drop(self, stream: Stream, side: Side, *, turn: Turn) -> None:
        with self._writing():
            self._take_fence(turn)
            self._drop(stream, side)

    def _drop(self, stream: Stream, side: Side) -> None:
        for statement in _SQL.each("drop_tables", **_tables(stream, side)):
            self._connection.execute(statement)
        for statement in _SQL.each("forget_side"):
            self._connection.execute(statement, _of(stream, side))

    def _merge_fresh(self, contract: Contract, side: Side) -> None:
        """The body of a merge: from `incoming` to books, history, quarantine, floors and current rows."""
        parts: dict[str, object] = {**_tables(contract.stream, side), **Shapes.of(contract).parts()}
        parts["retyped"] = _SQL("retyped", **parts)
        where = _of(contract.stream, side)
        for statement in ("meet", "hear_again", "set_apart", "arrive"):
            self._connection.execute(_SQL(statement, **parts))
        self._run("post_books", where)
        self._connection.execute(_SQL("keep_plain_history", **parts))
        self._connection.execute(_SQL("keep_history", **parts))
        self._connection.execute(_SQL("keep_quarantine", **parts))
        for settlement in _SQL.each("settle"):
            self._connection.execute(settlement, where)
        floor = self._raise_floor(where, parts)
        self._connection.execute(_SQL("forget_passed", **parts))
        self._connection.execute(_SQL("write_plain", **parts), {"floor": floor})
        if self._one("count_apart", {})[0]:
            self._write_apart(parts, floor)
        for statement in _SQL.each("forget_working"):
            self._connection.execute(statement)

    def _write_apart(self, parts: dict[str, object], floor: str | None) -> None:
        """The rule in full, for the rows that are not plain."""
        for statement in ("said", "reduce", "touch"):
            self._connection.execute(_SQL(statement, **parts))
        keys, rows = self._one("count_touched", {})
        if rows > keys:
            self._connection.execute(_SQL("forget_doubles", **parts))
            self._connection.execute(_SQL("touch", **parts))
        self._write_rows(parts, floor)

    def _write_rows(self, parts: dict[str, object], floor: str | None) -> None:
        parts = {**parts, "registers": _SQL("registers")}
        self._connection.execute(_SQL("merge_rows", **parts))
        if parts["fields"]:  # a row that is all key has nothing to patch
            self._connection.execute(_SQL("merge_fields", patch=_SQL("patch_of", **parts), **parts))
        self._connection.execute(_SQL("forget_touched", **parts))
        self._connection.execute(_SQL("write_merged", **parts), {"floor": floor})

    def _raise_floor(self, where: dict[str, Any], parts: dict[str, object]) -> str | None:
        """The floor after these batches. When it has risen, the rows that stand below it are buried."""
        before = self._one("floor_of", where)[0]
        self._connection.execute(_SQL("raise_floor", **parts), where)
        after = self._one("floor_of", where)[0]
        if after != before:
            self._connection.execute(_SQL("bury", **parts), {"floor": after})
        return None if after is None else str(after)

    def _take_fence(self, turn: Turn) -> None:
        self._run("seed_fence", {"lane": turn.lane})
        if self._run("take_fence", {"lane": turn.lane, "fence": turn.fence}).fetchone() is None:
            raise Fenced(f"{turn.lane}: a newer worker has written to the warehouse since fence {turn.fence}.")

    def _create(self, contract: Contract, side: Side) -> None:
        tables, parts = _tables(contract.stream, side), Shapes.of(contract).parts()
        for statement in ("create_history", "create_latest", "create_quarantine"):
            self._connection.execute(_SQL(statement, **tables, **parts))

    def _is_of_another_shape(self, contract: Contract, side: Side) -> bool:
        """Whether the tables are still empty, and were made for lines that nobody could read."""
        row = self._connection.execute(_SQL("is_empty", **_tables(contract.stream, side))).fetchone()
        has = self._run("columns_of", {"schema": "latest", "table": table_of(contract.stream, side)}).fetchall()
        ours = {name for name, _ in has if not name.startswith("_")}
        return bool(row and row[0]) and ours != {column.name for column in contract.columns}

    @contextmanager
    def _registered(self, **tables: pa.Table) -> Iterator[None]:
        with told():
            for alias, table in tables.items():
                self._connection.register(alias, table)
            try:
                yield
            finally:
                for alias in tables:
                    self._connection.unregister(alias)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction. After any failure it is rolled back: DuckDB would let a COMMIT pass and keep nothing."""
        with self._lock, told():
            self._connection.execute("begin transaction")
            try:
                yield
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def _run(self, statement: str, parameters: dict[str, Any]) -> duckdb.DuckDBPyConnection:
        with told():
            return self._connection.execute(_SQL(statement), parameters)

    def _one(self, statement: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
        rows = self._run(statement, parameters).fetchall()
        if len(rows) != 1:
            raise Broken(f"the warehouse's own record gave {len(rows)} rows to {statement}, not one")
        return tuple(rows[0])


class DuckDBReader:
    """Implements `Reader` over a file that no worker holds: opened to read, so that several may."""

    engine = Engine.DUCKDB

    def __init__(self, path: Path) -> None:
        self._connection = connect(path, read_only=True)

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        return read_only(self._connection, statement, parameters, seconds=seconds)

    def close(self) -> None:
        self._connection.close()


def read_only(
    connection: duckdb.DuckDBPyConnection, statement: str, parameters: Sequence[Any], *, seconds: float | None
) -> pa.Table:
    """The rows of one statement, in a transaction that cannot write."""
    try:
        parsed = connection.extract_statements(statement)
        if len(parsed) != 1 or parsed[0].type not in _READING:
            raise Misconfigured("this is not one reading statement.", hint="Write one SELECT; tieout alone writes.")
        connection.execute("begin transaction read only")
        try:
            with _limited(connection, seconds):
                return _fetched(connection.sql(statement, params=list(parameters)))
        finally:
            connection.execute("rollback")
    except duckdb.InterruptException as error:
        hint = "Ask for less, or for it in pieces."
        raise Misconfigured(f"the statement had not ended after {seconds:g} seconds.", hint=hint) from error
    except (duckdb.IOException, duckdb.FatalException) as error:
        raise translated(error) from error
    except duckdb.Error as error:
        if type(error) is duckdb.Error:  # none of the kinds that a statement can be to blame for
            raise translated(error) from error
        raise Misconfigured(f"the warehouse cannot answer: {error}") from error


@contextmanager
def _limited(connection: duckdb.DuckDBPyConnection, seconds: float | None) -> Iterator[None]:
    """Whatever the connection does here is broken off after so many seconds."""
    if seconds is None:
        yield
        return
    ending = threading.Timer(seconds, connection.interrupt)
    ending.daemon = True
    ending.start()
    try:
        yield
    finally:
        ending.cancel()


def _fetched(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    """The rows, each column with the engine's own word for its type."""
    types = [str(type_).encode() for type_ in relation.types]
    table = relation.to_arrow_table()
    fields = [field.with_metadata({ENGINE_TYPE: type_}) for field, type_ in zip(table.schema, types, strict=True)]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def _tables(stream: Stream, side: Side) -> dict[str, Sql]:
    table = table_of(stream, side)
    return {schema: name(schema, table) for schema in ("raw", "latest", "quarantine")}


def _of(stream: Stream, side: Side, **more: Any) -> dict[str, Any]:
    return {"stream": str(stream), "side": side.value, **more}


def _incoming(contract: Contract, batches: Sequence[Batch]) -> pa.Table:
    """The batches as one table in the contract's columns, with each row's batch and its ordinal."""
    pieces = []
    for batch in batches:
        piece = aligned(batch, contract)
        pieces.append(piece.append_column("_batch", pa.repeat(batch.name, piece.num_rows)))
    table = pa.concat_tables(pieces)
    return table.append_column("_ordinal", pa.array(range(table.num_rows), pa.int64()))
