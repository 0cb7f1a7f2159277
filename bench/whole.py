"""The whole way, as users have it: `tieout run --once`, from PostgreSQL to current rows. The floors only move them.

The guess, on paper. Load: the floor's client spends 1.3 CPU-s a million rows of twelve columns (one to receive, 0.3 to
insert). We judge them (2 CPU-s), seal them (0.7) and write them twice with their ids and keys (1.7): 4.3 times the
floor's CPU, and with the server's own second on both sides three times its wall.

Certify: the floor receives ten million rows of twelve columns (13 CPU-s), inserts them (3) and joins them with as many
(10). We judge what was received (20), keep it typed and join it (20): 2.2 times the floor's CPU, and 60 s of wall.

Replicate: to receive a million changes costs 2.3 CPU-s. We decode them (1), judge them (2.5), seal them (0.8) and merge
them (4): 10.6 CPU-s, five times the floor.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tieout.base.sql import literal, name
from tieout.sim.server import PostgresServer

from .child import PUBLICATION, SLOT, timed
from .shop import SQL
from .timing import Content, Pair, Trial, Watch

_DATABASE = "bench"
_TRANSACTION_CHANGES = 20
_FILLED_AT_ONCE = 500_000
_PROJECT = "project: bench\nsources:\n  shop: {type: postgres, url: '${BENCH_URL}', tables: [public.sales]}\n"


@contextmanager
def _load(rows: int) -> Iterator[Trial]:
    with _sales(rows) as (server, url, folder):

        def subject(watch: Watch) -> Content:
            with TemporaryDirectory(dir=folder) as project:
                (Path(project) / "tieout.yaml").write_text(_PROJECT)
                timed(watch, _run(Path(project)))
                server.execute(SQL("drop_slot"), database=_DATABASE)
                return _content(Path(project) / ".tieout" / "warehouse.duckdb", "latest_sales")

        def floor(watch: Watch) -> Content:
            with TemporaryDirectory(dir=folder) as copy:
                timed(watch, ["-m", "bench.child", "load", url, str(Path(copy) / "copy.duckdb")])
                return _content(Path(copy) / "copy.duckdb", "sales")

        yield Trial(subject, floor)


@contextmanager
def _replicate(rows: int) -> Iterator[Trial]:
    """Whoever comes first in a turn writes the changes; each side has a slot of its own, and reads them once."""
    with _sales(0) as (server, url, folder):
        (folder / "tieout.yaml").write_text(_PROJECT)
        server.execute(SQL("follow_sales", publication=name(PUBLICATION)), database=_DATABASE)
        server.execute(SQL("make_slot", slot=literal(SLOT)), database=_DATABASE)
        timed(Watch(), _run(folder))
        written = Written(server, rows)

        def subject(watch: Watch) -> Content:
            written.for_side("subject")
            timed(watch, _run(folder))
            latest = _content(folder / ".tieout" / "warehouse.duckdb", "latest_sales")
            assert latest[:4] == _at_source(server), "the warehouse is not what the source is"
            return (rows,)

        def floor(watch: Watch) -> Content:
            written.for_side("floor")
            end = server.execute(SQL("log_end"), database=_DATABASE).strip()
            timed(watch, ["-m", "bench.child", "count", url, end])
            return (rows,)

        yield Trial(subject, floor)


@contextmanager
def _certify(rows: int) -> Iterator[Trial]:
    """One row is another one than at the source, so that both sides have something to find."""
    with _sales(rows) as (_, url, folder):
        (folder / "tieout.yaml").write_text(_PROJECT)
        timed(Watch(), _run(folder))
        path = folder / ".tieout" / "warehouse.duckdb"
        with duckdb.connect(str(path)) as warehouse:
            warehouse.execute(SQL("damage_latest"))

        def subject(watch: Watch) -> Content:
            timed(watch, ["-m", "tieout", "certify", "--project", str(folder)], codes=(3,))
            with duckdb.connect(str(path), read_only=True) as warehouse:
                row = warehouse.execute(SQL("certified")).fetchone()
            assert row is not None
            return tuple(row)

        def floor(watch: Watch) -> Content:
            with TemporaryDirectory(dir=folder) as copy:
                timed(watch, ["-m", "bench.child", "compare", url, str(Path(copy) / "copy.duckdb"), str(path)])
            return (rows, 1)

        yield Trial(subject, floor)


class Written:
    """The turns of changes that were written, and how many of them each side has read."""

    def __init__(self, server: PostgresServer, rows: int) -> None:
        self._server = server
        self._transactions = rows // _TRANSACTION_CHANGES
        self._turns = 0
        self._read = Counter[str]()

    def for_side(self, side: str) -> None:
        """There is one turn that this side has not read."""
        if self._read[side] == self._turns:
            first = self._turns * self._transactions
            changes = SQL("change_wide", first=first, last=first + self._transactions - 1)
            self._server.execute(changes, database=_DATABASE)
            self._turns += 1
        self._read[side] += 1


def _run(project: Path) -> list[str]:
    return ["-m", "tieout", "run", "--once", "--project", str(project)]


def _at_source(server: PostgresServer) -> Content:
    told = server.execute(SQL("source_content"), database=_DATABASE).strip()
    return tuple(int(number) for number in told.split("|"))


@contextmanager
def _sales(rows: int) -> Iterator[tuple[PostgresServer, str, Path]]:
    """A server of our own with so many sales, its URL, and a folder beside it."""
    with TemporaryDirectory(prefix="tieout-bench-") as folder, PostgresServer(Path(folder) / "data") as server:
        url = os.environ["BENCH_URL"] = server.create_database(_DATABASE)
        server.execute(SQL("create_wide"), database=_DATABASE)
        for first in range(0, rows, _FILLED_AT_ONCE):
            filling = SQL("fill_wide", first=first, last=min(first + _FILLED_AT_ONCE, rows) - 1)
            server.execute(filling, database=_DATABASE)
        server.execute("vacuum analyze sales", database=_DATABASE)
        yield server, url, Path(folder)


def _content(path: Path, sales: str) -> Content:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        table = SQL(sales) if sales == "latest_sales" else SQL("sales_table")
        row = connection.execute(SQL("wide_content", sales=table)).fetchone()
    assert row is not None
    return tuple(row)


PAIRS = (
    Pair("load", 5_000_000, 3.0, "ADBC straight into a DuckDB table", _load),
    Pair("certify", 10_000_000, 2.2, "ADBC into a DuckDB table, and a full join with the rows here", _certify),
    Pair("replicate", 1_000_000, 5.0, "psycopg2 receiving the same log and dropping it", _replicate),
)
