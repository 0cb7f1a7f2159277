"""A worker of a real PostgreSQL under live change, killed with SIGKILL at every step: the tables agree to the row."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.killed import kill_at, run_once
from tieout.base.step import Step
from tieout.base.stream import Stream
from tieout.contract import odcs
from tieout.merge.duckdb import DuckDBReader
from tieout.merge.readings import StreamReading
from tieout.run.project import load_project

ROUTE = [step for step in Step if step not in (Step.SHADOWED, Step.SWAPPED)]
TABLES = {"orders": "id, status, amount, note", "lines": "order_id, line_no, qty"}

MADE = """
create table orders (id bigint primary key, status text not null, amount numeric(12,2), note text);
create table lines (order_id bigint, line_no int, qty int not null, primary key (order_id, line_no));
insert into orders select n, 'new', n * 1.25, null from generate_series(1, 200) n;
insert into lines select n, 1, n from generate_series(1, 200) n;
"""
NOTE = "(select string_agg(md5(random()::text), '') from generate_series(1, 200))"
DEEDS = (
    "insert into orders values ({n} + 1000, 'late', 1, " + NOTE + "); insert into lines values ({n} + 1000, 1, 1)",
    "update orders set status = 'paid' where id % 10 = {n} % 10",
    "update orders set id = id + 100000 where id = {n} + 999 + 1",
    "delete from lines where order_id = {n} + 1; delete from orders where id = {n} + 1",
    "truncate lines; insert into lines select id, 1, 5 from orders where id < 50",
)


@pytest.fixture
def root(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PG_URL", database)
    (tmp_path / "tieout.yaml").write_text(
        'project: kills\nsources:\n  shop: {type: postgres, url: "${PG_URL}", tables: [public.orders, public.lines]}\n'
    )
    do(database, MADE)
    return tmp_path


def do(database: str, statements: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statements.encode())


def ours(root: Path, object_: str) -> set[tuple[Any, ...]]:
    columns = TABLES[object_]
    return rows_of(root, f"select {columns} from latest.shop__{object_} where not _deleted")


def rows_of(root: Path, statement: str) -> set[tuple[Any, ...]]:
    reader = DuckDBReader(load_project(root, environ=os.environ).warehouse)
    try:
        return {tuple(row.values()) for row in reader.query(statement).to_pylist()}
    finally:
        reader.close()


def theirs(database: str, object_: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        return set(connection.execute(f"select {TABLES[object_]} from {object_}".encode()).fetchall())


def obligations(root: Path) -> int:
    reader = DuckDBReader(load_project(root, environ=os.environ).warehouse)
    streams = [Stream("shop", object_) for object_ in TABLES]
    contracts = [odcs.load(odcs.find(root, stream), stream) for stream in streams]
    found = sum(StreamReading(reader, contract).obligations(limit=10)[0] for contract in contracts)
    reader.close()
    return found


def test_killed_at_each_step_in_turn_while_the_source_changes(root: Path, database: str) -> None:
    deaths = 0
    for n, step in enumerate([*ROUTE, *reversed(ROUTE)]):
        do(database, DEEDS[n % len(DEEDS)].format(n=n))
        deaths += kill_at(root, step) == -signal.SIGKILL

    (outcome,) = run_once(root)

    assert outcome.outcome == "complete"
    assert deaths >= len(ROUTE)
    for object_ in TABLES:
        assert ours(root, object_) == theirs(database, object_)
    assert obligations(root) == 0


def test_the_source_is_acknowledged_only_what_is_registered(root: Path, database: str) -> None:
    run_once(root)
    do(database, DEEDS[0].format(n=1))

    kill_at(root, Step.REGISTERING)
    unregistered = still_told(database)
    run_once(root)

    assert unregistered
    assert not still_told(database)
    assert ours(root, "orders") == theirs(database, "orders")


def still_told(database: str) -> int:
    """How many messages the server would send again to whoever asks next."""
    with psycopg.connect(database) as connection:
        # The server reads what a client said last, and then that it is gone, in its own time; until then nobody else
        # may ask.
        end = time.monotonic() + 60
        is_active = "select from pg_replication_slots where active and database = current_database()"
        while connection.execute(is_active).fetchone() is not None:
            assert time.monotonic() < end
        found = connection.execute(
            "with ours as materialized (select * from pg_replication_slots where database = current_database())"
            " select count(*) from ours, pg_publication, pg_logical_slot_peek_binary_changes("
            "slot_name, null, null, 'proto_version', '1', 'publication_names', pubname)"
        ).fetchone()
    assert found is not None
    return int(found[0])
