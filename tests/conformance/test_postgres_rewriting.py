"""A table that is emptied or written anew beside a read: neither shows in an older view as it was before."""

from __future__ import annotations

import psycopg
import pytest

from tieout.base.errors import Transient
from tieout.capture.postgres import source as source_module
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
    with source.cut(("carts", "parts")) as cut:
        with psycopg.connect(database) as other, pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(f"set lock_timeout = '50ms'; {statement}".encode())
        told = [table.num_rows for captured in cut.told for table in captured.tables.values()]
    source.close()

    assert sum(told) == 100


@pytest.mark.parametrize("statement", REWRITING)
def test_a_table_emptied_just_before_it_was_held_is_read_again_later(
    source: PostgresSource, database: str, statement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    join = source_module.snapshot_at

    def join_late(*arguments: object) -> object:
        do(database, statement)
        return join(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(source_module, "snapshot_at", join_late)

    with pytest.raises(Transient, match="emptied or written anew"), source.cut(("carts", "parts")):
        pass
    source.close()
