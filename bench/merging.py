"""Merging: batches become history, current rows and books, in one transaction of a file; the floors only write rows.

The guess, on paper. New rows: the floor inserts eight columns once (1 CPU-s a million). We write the same values four
times (to the rows that arrive, to what they say, to history, to the current rows), beside 90 bytes of token and 32 of
id that do not compress (2 CPU-s each), group by id and by key over text (1 s each), and sum the ids (0.2 s): 11 CPU-s,
eleven times the floor.

Updates, a fifth as many rows as the table has: the floor joins by number, marks and appends (0.4 CPU-s for 200,000).
We do the same by a key that is text, and a fifth of the work above, 2.2 CPU-s, and look up in history which changes
are known (nothing, since their positions are new): seven times the floor.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tieout.base.batch import Batch
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.warehouse import Side, Turn

from .shop import CONTRACT, NOON, SQL, batch_of, content_of, judged
from .timing import Content, Pair, Trial, Watch

_UPDATED_SHARE = 5


@contextmanager
def _new(rows: int) -> Iterator[Trial]:
    with _trial([], batch_of(judged(rows, position=1)), floor=["insert_only"]) as trial:
        yield trial


@contextmanager
def _updates(rows: int) -> Iterator[Trial]:
    held = batch_of(judged(rows * _UPDATED_SHARE, position=1))
    with _trial([held], batch_of(judged(rows, position=2)), floor=["delete_known", "insert_only"]) as trial:
        yield trial


@contextmanager
def _trial(held: Sequence[Batch], batch: Batch, *, floor: Sequence[str]) -> Iterator[Trial]:
    """Both sides as they stand after `held`; every turn adds `batch` to a copy, the floor by these statements."""
    with TemporaryDirectory(prefix="tieout-bench-") as folder:
        merged, inserted = Path(folder) / "merged.duckdb", Path(folder) / "inserted.duckdb"
        with _warehouse(merged) as warehouse:
            for earlier in held:
                _merge(warehouse, earlier)
        with _orders(inserted) as connection:
            connection.execute(SQL("create_orders"))
            for earlier in held:
                _write(connection, earlier, ["insert_only"])
        changes = sum(one.changes.num_rows for one in (*held, batch))

        def subject(watch: Watch) -> Content:
            with _warehouse(_copy(merged)) as warehouse:
                with watch:
                    _merge(warehouse, batch)
                accepted = warehouse.query(SQL("accepted")).column("count").to_pylist()
                assert accepted == [changes], "a change is not in the books"
                return tuple(warehouse.query(SQL("content", orders=SQL("latest_orders"))).to_pylist()[0].values())

        def written(watch: Watch) -> Content:
            with _orders(_copy(inserted)) as connection:
                with watch:
                    _write(connection, batch, floor)
                return content_of(connection.sql(SQL("all_orders")).to_arrow_table())

        yield Trial(subject, written)


def _merge(warehouse: DuckDBWarehouse, batch: Batch) -> None:
    warehouse.merge(CONTRACT, [batch], turn=Turn("shop", 1), merged_at={batch.name: NOON}, side=Side.LIVE)


def _write(connection: duckdb.DuckDBPyConnection, batch: Batch, statements: Sequence[str]) -> None:
    connection.register("incoming", batch.changes)
    connection.execute("begin transaction")
    for statement in statements:
        connection.execute(SQL(statement))
    connection.execute("commit")


@contextmanager
def _warehouse(path: Path) -> Iterator[DuckDBWarehouse]:
    warehouse = DuckDBWarehouse(path)
    warehouse.prepare(CONTRACT, Side.LIVE)
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
    Pair("update", 200_000, 7.0, "DELETE by row and INSERT, of rows that are five times as many", _updates),
)
