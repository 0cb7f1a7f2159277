"""Whom a session of the log hears: every table, with what its reading knows of it. Values in, values out.

A reading covers what was before it, and the parts of the table that it has met; the log tells the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...base.cursor import Progress
from .catalogue import Table
from .log.tracked import Tracked
from .log.transactions import Transactions
from .shape import Shape
from .standing import Incarnation, snapshot_track, wal_within
from .tables.reading import parts_known, seen
from .tables.snapshot import Rewritten


def hearing(
    tables: Sequence[Table], shapes: Mapping[str, Shape], known: Progress, incarnation: Incarnation
) -> Transactions:
    """What hears the log from where it was told."""
    tracked = {(table.schema, table.name): _tracked(table, shapes[table.object], known) for table in tables}
    transactions = Transactions(tracked, wal_within(known, incarnation.epoch))
    for table in tables:
        transactions.pass_over(table.object, seen(known.get(snapshot_track(table.object)), incarnation))
    return transactions


def refuse_gone(transactions: Transactions, shapes: Mapping[str, Shape]) -> None:
    """Raises Rewritten when a partition has told of rows that is none any more."""
    for object_, part in transactions.strangers.met:
        if part not in dict(shapes[object_].files):
            raise Rewritten(f"a partition of {object_} came and went.")


def _tracked(table: Table, shape: Shape, known: Progress) -> Tracked:
    parts = parts_known(known.get(snapshot_track(table.object)), shape)
    is_asked = table.partitioned and not table.append_only
    return Tracked(table.object, table.key, table.append_only, parts if is_asked else None)
