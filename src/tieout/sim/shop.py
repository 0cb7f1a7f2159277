"""The example shop: five tables in a real PostgreSQL, filled by a seed within seconds.

Customers, orders, order lines, payments and carts; between them every kind of key and column that a shop has, rows too
long for their page among them. The same size and seed give the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from ..base.sql import Statements
from .examples import SHOP

SOURCE = SHOP
"""The source's name in the project, and the database's in the server."""
TABLES = ("customers", "orders", "order_lines", "payments", "carts")

_SQL = Statements(__package__, "shop.sql")
_SEEDS = 2**31


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows the shop opens with; an order has two lines on average, and four of five are paid for."""

    customers: int
    orders: int
    carts: int


FULL = Size(customers=40_000, orders=100_000, carts=2_000)
"""Some four hundred thousand rows in all."""
SMALL = Size(customers=400, orders=1_200, carts=60)
"""Some five thousand rows in all, for tests."""


def open_shop(url: str, size: Size, *, seed: int) -> None:
    """Makes and fills the tables in the empty database at `url`."""
    numbers = {"customers": size.customers, "orders": size.orders, "carts": size.carts}
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _SQL.each("tables"):
            connection.execute(statement)
        for function in ("dice", "long_text"):
            connection.execute(_SQL(function, seed=seed % _SEEDS))
        for table in TABLES:
            connection.execute(_SQL(f"fill_{table}"), numbers)
        for statement in _SQL.each("settle"):
            connection.execute(statement)


def count_rows(connection: psycopg.Connection[tuple[str, int]]) -> dict[str, int]:
    """Per table, the rows it has now; all tables at one moment."""
    return dict(connection.execute(_SQL("counts")).fetchall())
