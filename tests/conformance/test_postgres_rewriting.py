"""A table that is emptied or written anew beside a read: neither shows in an older view as it was before."""

from __future__ import annotations

from threading import Thread

import psycopg
import pytest

from tieout.base.errors import Transient
from tieout.capture.postgres.source import PostgresSource
from tieout.run.clock import SystemClock

MADE = """
create table carts (id int primary key);
insert into carts select generate_series(1, 50);
create table parts (id int primary key) partition by range (id);
create table parts_1 partition of parts for values from (0) to (100);
insert into parts select generate_series(1, 50);
"""
REWRITING = ["truncate carts", "truncate parts", "alter table carts alter column id type bigint"]


@pytest.fixture
def source(database: str) -> PostgresSource:
    do(database, MADE)
    tables = {"carts": "public.carts", "parts": "public.parts"}
    return PostgresSource("shop", database, tables, slot="s", publication="p", clock=SystemClock())


def do(database: str, statement: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("statement", REWRITING)
def test_nobody_empties_a_table_while_it_is_read(source: PostgresSource, database: str, statement: str) -> None:
    of = "parts" if "parts" in statement else "carts"
    with source.cut((of,)) as cut:
        told = cut.tell((of,))
        first = next(told)
        with psycopg.connect(database) as other, pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(f"set lock_timeout = '50ms'; {statement}".encode())
        rest = list(told)
        do(database, f"set lock_timeout = '5s'; {statement}")
    source.close()

    assert sum(table.num_rows for captured in [first, *rest] for table in captured.tables.values()) == 50


@pytest.mark.parametrize("statement", REWRITING)
def test_a_table_emptied_between_the_view_and_the_read_is_not_taken_for_empty(
    source: PostgresSource, database: str, statement: str
) -> None:
    with source.cut(("carts", "parts")) as cut:
        do(database, statement)
        with pytest.raises(Transient, match="emptied or written anew"):
            list(cut.tell(("carts", "parts")))
    source.close()


def test_who_waits_to_empty_a_table_that_is_read_does_not_stop_the_reader(
    source: PostgresSource, database: str
) -> None:
    described = source.describe()
    with source.cut(("carts",)) as cut, psycopg.connect(database, autocommit=True) as watching:
        told = cut.tell(("carts",))
        next(told)
        waiting = Thread(target=do, args=(database, "set lock_timeout = '20s'; truncate carts"))
        waiting.start()
        for _ in range(10_000):  # a bound, not a wait: each turn asks the server
            held_up = watching.execute("select count(*) from pg_locks where not granted").fetchone()
            if held_up != (0,):
                break

        again = source.describe()
        list(told)
        waiting.join(timeout=30)
    source.close()

    assert (held_up, again) == ((1,), described)
