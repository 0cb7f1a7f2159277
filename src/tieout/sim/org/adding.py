"""What a roll-up comes to, as the transaction that moves it sees the children."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from .schema import Field, Stored
from .schemas import Schemas
from .transaction import Transaction


def added_up(deed: Transaction, schemas: Schemas, field: Field, parent: str, moved: Collection[str]) -> Stored:
    """Exact; 0 where there is nothing to add. `moved` are the children that the transaction changed."""
    rollup = field.rollup
    assert rollup is not None
    rows = {str(row["Id"]): row for row in deed.org.store.children(schemas[rollup.child], rollup.through, parent)}
    rows |= {record: deed.drafts[record].after for record in moved}
    total = Decimal(0)
    for row in rows.values():
        counts = row[rollup.through] == parent and (rollup.only is None or row[rollup.only[0]] == rollup.only[1])
        if counts and not row["IsDeleted"] and row[rollup.sums] is not None:
            total += Decimal(str(row[rollup.sums]))
    return f"{total.quantize(Decimal(1).scaleb(-field.scale)):f}"
