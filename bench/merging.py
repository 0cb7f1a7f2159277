"""Merging: batches become history, current rows and books, in one transaction of a file; the floors only write rows.

Both end with the file closed, and so written whole.

The guess, on paper. New rows: the floor inserts eight columns once (1 CPU-s a million). We write the same values four
times (to the rows that arrive, to what they say, to history, to the current rows), beside 90 bytes of token and 32 of
id that do not compress (2 CPU-s each), group by id and by key over text (1 s each), and sum the ids (0.2 s): 11 CPU-s,
eleven times the floor.

Updates, a tenth as many rows as the table has, spread over all of it: the floor joins by number and writes every row
group that it touches anew, which is all of them (4 CPU-s). We join by a key that is text, mark the old rows, append the
new ones, and keep history and books beside: half of the work above and the join, which makes once or twice the floor.
Into a table ten times as large the same rows touch ten times as many row groups, and the join reads ten times as many
keys: twice the work of ours, and two thirds more of the floor's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tieout.base.batch import Batch
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.warehouse import Side, Turn

from .shop import CONTRACT, NOON, SQL, batch_of, content_of, judged
from .timing import Content, Pair, Trial, Watch

_HELD_BATCH_ROWS = 500_000


@contextmanager
def _new(rows: int) -> Iterator[Trial]:
    with _trial(0, batch_of(judged(rows, position=1)), floor="insert_only") as trial:
        yield trial


def _updates(held_times: int) -> Callable[[int], AbstractContextManager[Trial]]:
    """Of a table with so many times as many rows as are changed."""

    def trial(rows: int) -> AbstractContextManager[Trial]:
        changed = batch_of(judged(rows, position=2, step=held_times))
        return _trial(rows * held_times, changed, floor="merge_unguarded")

    return trial


def _held(rows: int) -> Iterator[Batch]:
    for first in range(0, rows, _HELD_BATCH_ROWS):
        yield batch_of(judged(min(_HELD_BATCH_ROWS, rows - first), position=1, first=first))


@contextmanager
def _trial(held: int, batch: Batch, *, floor: str) -> Iterator[Trial]:
    """Both sides with so many orders; every turn adds `batch` to a copy, the floor by this statement."""
    with TemporaryDirectory(prefix="tieout-bench-") as folder:
        merged, inserted = Path(folder) / "merged.duckdb", Path(folder) / "inserted.duckdb"
        with _warehouse(merged) as warehouse:
            for earlier in _held(held):
                _merge(warehouse, earlier)
        with _orders(inserted) as connection:
            connection.execute(SQL("create_orders"))
            for earlier in _held(held):
                _write(connection, earlier, "insert_only")
        changes = held + batch.changes.num_rows

        def subject(watch: Watch) -> Content:
            copy = _copy(merged)
            with watch, _warehouse(copy) as warehouse:
                _merge(warehouse, batch)
            with _warehouse(copy) as warehouse:
                accepted = warehouse.query(SQL("accepted")).column("count").to_pylist()
                assert accepted == [changes], "a change is not in the books"
                return tuple(warehouse.query(SQL("content", orders=SQL("latest_orders"))).to_pylist()[0].values())

        def written(watch: Watch) -> Content:
            copy = _copy(inserted)
            with watch, _orders(copy) as connection:
                _write(connection, batch, floor)
            with _orders(copy) as connection:
                return content_of(connection.sql(SQL("all_orders")).to_arrow_table())

        yield Trial(subject, written)


def _merge(warehouse: DuckDBWarehouse, batch: Batch) -> None:
    warehouse.merge(CONTRACT, [batch], turn=Turn("shop", 1), merged_at={batch.name: NOON}, side=Side.LIVE)


def _write(connection: duckdb.DuckDBPyConnection, batch: Batch, statement: str) -> None:
    connection.register("incoming", batch.changes)
    connection.execute(SQL(statement))


@contextmanager
def _warehouse(path: Path) -> Iterator[DuckDBWarehouse]:
    warehouse = DuckDBWarehouse(path)
    warehouse.prepare(CONTRACT, Side.LIVE, turn=Turn("shop", 1))
    try:
        yield warehouse
    finally:
        warehouse.close()


@contextmanager
def _orders(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def _copy(path: Path) -> Path:
    return Path(shutil.copyfile(path, path.with_suffix(".copy")))


PAIRS = (
    Pair("merge", 1_000_000, 11.0, "INSERT of the same Arrow table into a DuckDB file", _new),
    Pair("update", 500_000, 2.0, "DuckDB's own unguarded MERGE into ten times as many rows", _updates(10)),
    Pair("update_grown", 500_000, 3.0, "DuckDB's own unguarded MERGE into a hundred times as many rows", _updates(100)),
)
