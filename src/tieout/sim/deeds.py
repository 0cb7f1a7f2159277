"""What happens in the shop, drawn by a seed: one deed is one transaction, as an application would write it.

Rows are placed, changed, renumbered and deleted; long texts stay beside fields that change; a transaction writes many
tables, or thinks better of it. Which deed comes next, and upon which row, depends on the seed and the deeds before
alone, never on the time.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from ..base.sql import Statements
from .shop import Size

_SQL = Statements(__package__, "deeds.sql")
_OPENS = datetime(2026, 7, 1, 8, tzinfo=UTC)
_STATUSES = ("paid", "packed", "shipped", "returned", 'lost; "found" again', "zurück\tgeschickt")
_LONG_BYTES = 2_700
"""Random bytes of a long text: more than PostgreSQL keeps in a row, and they cannot be compressed."""


class Deeds:
    """Does one deed after the other over one connection (in autocommit)."""

    def __init__(self, connection: psycopg.Connection[Any], size: Size, *, seed: int) -> None:
        self._connection = connection
        self._dice = Random(seed)
        self._customers = size.customers
        self._last_order = size.orders
        self._done = 0
        self._changes = 0

    def next(self) -> int:
        """One deed; returns how many rows its statements changed (not those that a foreign key took along)."""
        self._done += 1
        self._changes = 0
        (deed,) = self._dice.choices(_DEEDS, weights=_WEIGHTS)
        with self._connection.transaction():
            deed(self)
        return self._changes

    def place_order(self) -> None:
        values = {"customer": self._customer(), "ship_by": self._now().replace(tzinfo=None), "note": self._note()}
        row = self._run("place_order", **values, is_gift=self._dice.random() < 0.2).fetchone()
        if row is None:
            return
        self._last_order = row[0]
        for line in range(1, self._dice.randint(1, 4) + 1):
            self._add_line(self._last_order, line)
        self._run("pay", order=self._last_order)

    def advance_order(self) -> None:
        self._run("set_status", order=self._order(), status=self._dice.choice(_STATUSES))

    def settle(self) -> None:
        order = self._order()
        self._run("set_status", order=order, status="paid")
        self._run("settle", order=order)

    def change_quantity(self) -> None:
        self._run("change_quantity", order=self._order())

    def reprice(self) -> None:
        self._run("reprice", order=self._order())

    def drop_line(self) -> None:
        self._run("drop_line", order=self._order(), line=self._dice.randint(1, 3))

    def cancel(self) -> None:
        self._run("cancel", order=self._order())

    def reopen(self) -> None:
        """Deleted and back within one transaction."""
        order = self._order()
        self._run("cancel", order=order)
        self._run("reopen", order=order, customer=self._customer())
        self._add_line(order, 1)

    def greet(self) -> None:
        self._run("greet", customer=self._customer())

    def rewrite(self) -> None:
        self._run("rewrite", customer=self._customer(), text=self._long_text())

    def forget(self) -> None:
        self._run("forget", customer=self._customer())

    def renumber_customer(self) -> None:
        self._run("renumber_customer", customer=self._customer())

    def rewrite_and_renumber(self) -> None:
        """A long text is written, then its row's key changes, which does not send it again."""
        customer = self._customer()
        self._run("rewrite", customer=customer, text=self._long_text())
        self._run("renumber_customer", customer=customer)

    def renumber_line(self) -> None:
        self._run("renumber_line", order=self._order())

    def reissue(self) -> None:
        self._run("reissue", order=self._order())

    def fill_cart(self) -> None:
        self._run("fill_cart", customer=self._customer(), opened_at=self._now().replace(tzinfo=None))
        self._run("update_cart")

    def empty_carts(self) -> None:
        """All carts go, and a new one is there in the same transaction."""
        self._run("empty_carts")
        self.fill_cart()

    def think_again(self) -> None:
        """Much is written, and nothing of it stays."""
        last = self._last_order
        self.place_order()
        self.renumber_customer()
        self._run("cancel", order=self._order())
        self._changes = 0
        self._last_order = last
        raise psycopg.Rollback

    def think_half_again(self) -> None:
        """A part of a transaction is taken back, the rest stays."""
        self.advance_order()
        kept = self._changes
        with self._connection.transaction() as part:
            self.rewrite()
            self.drop_line()
            self._changes = kept
            raise psycopg.Rollback(part)

    def _add_line(self, order: int, line: int) -> None:
        self._run("add_line", order=order, line=line)

    def _run(self, statement: str, **values: object) -> psycopg.Cursor[Any]:
        cursor = self._connection.execute(_SQL(statement), {**self._drawn(), **values})
        self._changes += max(cursor.rowcount, 0)
        return cursor

    def _drawn(self) -> dict[str, object]:
        """A value for each that a statement may ask for; all are drawn, so the dice stand alike after any statement."""
        dice = self._dice
        return {
            "now": self._now(),
            "total": f"{dice.randrange(90_000) / 100:.2f}",
            "price": f"{dice.randrange(30_000) / 100:.2f}",
            "quantity": dice.randint(1, 9),
            "product": f"product-{dice.randrange(900)}",
            "payment": UUID(int=dice.getrandbits(128), version=4),
            "receipt": dice.randbytes(dice.choice((0, 8, 32))),
            "attributes": Jsonb({"colour": f"c{dice.randrange(16)}", "sizes": [dice.randrange(50), None]}),
            "preferences": Jsonb({"news": dice.random() < 0.5, "nick": "„Jo“ 🌵", "score": dice.randrange(10**17)}),
        }

    def _now(self) -> datetime:
        return _OPENS + timedelta(milliseconds=250 * self._done)

    def _customer(self) -> int:
        return self._dice.randint(1, self._customers)

    def _order(self) -> int:
        """Any, but every second time one of the newest, so that some rows change again and again."""
        first = max(1, self._last_order - 500) if self._dice.random() < 0.5 else 1
        return self._dice.randint(first, self._last_order)

    def _note(self) -> str | None:
        if self._dice.random() < 0.05:
            return self._long_text()
        return self._dice.choice((None, "", "ring twice\n“and wait”"))

    def _long_text(self) -> str:
        return base64.b64encode(self._dice.randbytes(_LONG_BYTES)).decode()


_WEIGHTED: dict[Callable[[Deeds], None], int] = {
    Deeds.place_order: 240,
    Deeds.advance_order: 200,
    Deeds.settle: 80,
    Deeds.change_quantity: 80,
    Deeds.reprice: 10,
    Deeds.drop_line: 40,
    Deeds.cancel: 50,
    Deeds.reopen: 15,
    Deeds.greet: 120,
    Deeds.rewrite: 20,
    Deeds.forget: 10,
    Deeds.renumber_customer: 15,
    Deeds.rewrite_and_renumber: 10,
    Deeds.renumber_line: 40,
    Deeds.reissue: 30,
    Deeds.fill_cart: 40,
    Deeds.empty_carts: 2,
    Deeds.think_again: 15,
    Deeds.think_half_again: 15,
}
_DEEDS = tuple(_WEIGHTED)
_WEIGHTS = tuple(_WEIGHTED.values())
