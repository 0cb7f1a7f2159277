"""The example shop is what its seed says: its rows, and all that happens in it."""

from __future__ import annotations

import psycopg

from tieout.base.sql import name
from tieout.sim.deeds import Deeds
from tieout.sim.server import PostgresServer
from tieout.sim.shop import SMALL, TABLES, count_rows, open_shop

DEEDS = 600


def rows_after(server: PostgresServer, *, database: str, seed: int, deeds: int) -> dict[str, list[str]]:
    """Per table, its rows as text, after so many deeds."""
    url = server.create_database(database)
    open_shop(url, SMALL, seed=seed)
    with psycopg.connect(url, autocommit=True) as connection:
        drawn = Deeds(connection, SMALL, seed=seed)
        for _ in range(deeds):
            drawn.next()
        return {table: [row for (row,) in connection.execute(_rows_of(table))] for table in TABLES}


def _rows_of(table: str) -> str:
    return f"select t::text from {name(table)} as t order by 1"


def test_the_same_seed_gives_the_same_rows_and_the_same_deeds(postgres_server: PostgresServer) -> None:
    first = rows_after(postgres_server, database="shop_first", seed=7, deeds=DEEDS)
    second = rows_after(postgres_server, database="shop_second", seed=7, deeds=DEEDS)

    assert first == second


def test_another_seed_gives_another_shop(postgres_server: PostgresServer) -> None:
    first = rows_after(postgres_server, database="shop_one", seed=1, deeds=0)
    second = rows_after(postgres_server, database="shop_two", seed=2, deeds=0)

    assert all(first[table] != second[table] for table in TABLES)


def test_the_shop_has_rows_whose_text_lies_beside_them(postgres_server: PostgresServer) -> None:
    open_shop(postgres_server.create_database("shop_long"), SMALL, seed=7)

    for table in ("customers", "orders"):
        sizes = f"select pg_relation_size(reltoastrelid) from pg_class where relname = '{table}'"
        beside = postgres_server.execute(sizes, database="shop_long")
        assert int(beside) > 0


def test_a_deed_that_is_thought_better_of_leaves_nothing(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("shop_again")
    open_shop(url, SMALL, seed=7)

    with psycopg.connect(url, autocommit=True) as connection:
        before = count_rows(connection)
        with connection.transaction():
            Deeds(connection, SMALL, seed=7).think_again()
        after = count_rows(connection)

    assert after == before
