"""The marts: built from what moved, then from nothing, and compared row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...base.codec import sha256_hex
from ...base.sql import Sql, Statements, name
from ...merge.warehouse import Reader
from ...model.built import State
from ...run.house import House
from ...run.marts import ground
from ...run.modelling import Modelling, model

_SQL = Statements(__package__, "marts.sql")


@dataclass(frozen=True, slots=True)
class Marts:
    """built: their names; failed: models that failed, and tests that block; unequal: those that a build from nothing
    made another one of."""

    built: tuple[str, ...] = ()
    tests: int = 0
    failed: tuple[str, ...] = ()
    unequal: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "built": list(self.built),
            "tests": self.tests,
            "failed": list(self.failed),
            "equal": bool(self.built) and not self.unequal,
            "unequal": list(self.unequal),
        }


def compared(house: House, environ: Mapping[str, str]) -> Marts:
    """After a build of what moved, a full one. Raises Misconfigured where dbt is not installed."""
    moved = model(house, environ)
    before = _hashes(house, moved)
    whole = model(house, environ, full=True)
    after = _hashes(house, whole)
    unequal = tuple(sorted(one for one, hash_ in after.items() if before.get(one) != hash_))
    failed = tuple(dict.fromkeys(failed_of(moved) + failed_of(whole)))
    return Marts(tuple(sorted(after)), 0 if whole.built is None else whole.built.tests, failed, unequal)


def failed_of(built: Modelling) -> tuple[str, ...]:
    """A deal that was won without an amount is one that people make: of that a test only warns."""
    if built.built is None:
        return ()
    models = tuple(one.name for one in built.built.models if one.state is not State.BUILT)
    return models + tuple(test.name for test in built.built.failed if test.blocks)


def _hashes(house: House, built: Modelling) -> dict[str, str]:
    """By name, of each mart that holds rows: a hash of its rows."""
    if built.built is None:
        return {}
    standing = {one.name for one in built.built.models if one.state is State.BUILT}
    tables = [one for one in built.built.known.values() if one.is_table and one.name in standing]
    there = ground(house).there
    with house.reader() as reader:
        return {one.name: _hash(reader, name(*there.get(one.relation, one.relation))) for one in tables}


def _hash(reader: Reader, table: Sql) -> str:
    """Of all rows, in whatever order they come."""
    rows = reader.query(_SQL("rows", table=table)).to_pylist()
    return sha256_hex("\n".join(sorted(repr(sorted(row.items())) for row in rows)).encode())
