"""What somebody does by hand to the rows of a warehouse, to see whether a certificate finds it. And how much history
there is, which nobody shows."""

from __future__ import annotations

from ...base.sql import Statements, name
from ...base.stream import Stream
from ...contract.contract import Contract
from ...merge.warehouse import Side, table_of
from .chance import Chance
from .engines import SimDuckDB

_SQL = Statements(__package__, "damage.sql")


def damaged(warehouse: SimDuckDB, contract: Contract, chance: Chance) -> int:
    """How many rows of the stream are not what they were, by now: one is added, one has lost a value, one is lost."""
    rows = warehouse.rows(contract)
    keys = chance.shuffled(sorted(rows))[:2]
    if keys:
        _do(warehouse, contract.stream, "add_row", keys[0], contract.key[0])
    for key, deed in zip(keys, ("lose_value", "lose_row"), strict=False):
        told = [column.name for column in contract.fields if rows[key][column.name] is not None]
        _do(warehouse, contract.stream, deed if told else "lose_row", key, chance.pick(told or [contract.key[0]]))
    return len(keys) + bool(keys)


def history(warehouse: SimDuckDB, stream: Stream) -> tuple[int, int]:
    """The rows of a stream's history, and how many different changes they are."""
    (row,) = warehouse.query(_SQL("history", raw=name("raw", table_of(stream, Side.LIVE)))).to_pylist()
    return row["rows"], row["ids"]


def _do(warehouse: SimDuckDB, stream: Stream, deed: str, key: str, column: str) -> None:
    latest = name("latest", table_of(stream, Side.LIVE))
    warehouse.by_hand(_SQL(deed, latest=latest, column=name(column)), key)
