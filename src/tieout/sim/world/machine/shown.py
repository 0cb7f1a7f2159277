"""What a database's tables show of a stream, in the words of `rulereading.py`: so one check serves both warehouses."""

from __future__ import annotations

from typing import Any

from ....base.sql import Statements, name
from ....contract.contract import Contract
from ....merge.columns import BASE, LIFE
from ....merge.rule import Token
from ....merge.warehouse import Reader

_SQL = Statements(__package__, "shown.sql")


def rows(reader: Reader, contract: Contract) -> dict[str, dict[str, Any]]:
    """The rows that are shown, by key: the contract's columns in its order, with Python's values."""
    columns = [name(column.name) for column in contract.columns]
    shown = reader.query(_SQL("shown", columns=columns, latest=_latest(contract))).to_pylist()
    return {row.pop("_key"): row for row in shown}


def registers(reader: Reader, contract: Contract) -> dict[str | None, dict[str, Token]]:
    """By key (None: the whole object) the tokens of its registers. Under one contract none of them ever falls."""
    found: dict[str | None, dict[str, Token]] = {}
    for row in reader.query(_SQL("registers", life=LIFE, base=BASE, latest=_latest(contract))).to_pylist():
        newer = dict(row["fields"] or ())
        tokens = {kind: row[kind] for kind in ("life", "image", "gap")}
        tokens |= {f"field {one.name}": newer.get(one.name) or row["image"] for one in contract.fields}
        found[row["_key"]] = {register: token for register, token in tokens.items() if token}
    for row in reader.query(_SQL("of_object"), [str(contract.stream)]).to_pylist():
        found[None] = {register: token for register, token in row.items() if token}
    return found


def history(reader: Reader, contract: Contract) -> tuple[int, int]:
    """How many rows of history a stream has, and of how many different changes."""
    (row,) = reader.query(_SQL("history", raw=name("raw", contract.stream.table))).to_pylist()
    return row["rows"], row["ids"]


def _latest(contract: Contract) -> object:
    return name("latest", contract.stream.table)
