"""The whole way, as users have it: `tieout run --once`, from PostgreSQL to current rows. The floors only move them.

The guess, on paper. Load: the floor's client spends 1.3 CPU-s a million rows of twelve columns (one to receive, 0.3 to
insert). We judge them (2 CPU-s), seal them (0.7) and write them twice with their ids and keys (1.7): 4.3 times the
floor's CPU, and with the server's own second on both sides three times its wall.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tieout.sim.server import PostgresServer

from .child import timed
from .shop import SQL
from .timing import Content, Pair, Trial, Watch

_DATABASE = "bench"
_PROJECT = "project: bench\nsources:\n  shop: {type: postgres, url: '${BENCH_URL}', tables: [public.sales]}\n"


@contextmanager
def _load(rows: int) -> Iterator[Trial]:
    with _sales(rows) as (server, url, folder):

        def subject(watch: Watch) -> Content:
            with TemporaryDirectory(dir=folder) as project:
                (Path(project) / "tieout.yaml").write_text(_PROJECT)
                timed(watch, ["-m", "tieout", "run", "--once", "--project", project])
                server.execute(SQL("drop_slot"), database=_DATABASE)
                return _content(Path(project) / ".tieout" / "warehouse.duckdb", "latest_sales")

        def floor(watch: Watch) -> Content:
            with TemporaryDirectory(dir=folder) as copy:
                timed(watch, ["-m", "bench.child", "load", url, str(Path(copy) / "copy.duckdb")])
                return _content(Path(copy) / "copy.duckdb", "sales")

        yield Trial(subject, floor)


@contextmanager
def _sales(rows: int) -> Iterator[tuple[PostgresServer, str, Path]]:
    """A server of our own with so many sales, its URL, and a folder beside it."""
    with TemporaryDirectory(prefix="tieout-bench-") as folder, PostgresServer(Path(folder) / "data") as server:
        url = os.environ["BENCH_URL"] = server.create_database(_DATABASE)
        server.execute(SQL("create_wide"), database=_DATABASE)
        server.execute(SQL("fill_wide", first=0, last=rows - 1), database=_DATABASE)
        server.execute("vacuum analyze sales", database=_DATABASE)
        yield server, url, Path(folder)


def _content(path: Path, sales: str) -> Content:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        table = SQL(sales) if sales == "latest_sales" else SQL("sales_table")
        row = connection.execute(SQL("wide_content", sales=table)).fetchone()
    assert row is not None
    return tuple(row)


PAIRS = (Pair("load", 5_000_000, 3.0, "ADBC straight into a DuckDB table", _load),)
