"""The marts: built from what moved, then from nothing, and compared row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from ...base.sql import Statements, name
from ...model.built import State
from ...run.house import House
from ...run.modelling import Modelling, model

_SQL = Statements(__package__, "marts.sql")


@dataclass(frozen=True, slots=True)
class Marts:
    """built: their names; failed: tests and models that failed; unequal: those that a build from nothing made another
    one of."""

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
    failed = tuple(dict.fromkeys(_failed(moved) + _failed(whole)))
    return Marts(tuple(sorted(after)), 0 if whole.built is None else whole.built.tests, failed, unequal)


def _failed(built: Modelling) -> tuple[str, ...]:
    if built.built is None:
        return ()
    models = tuple(one.name for one in built.built.models if one.state is not State.BUILT)
    return models + tuple(test.name for test in built.built.failed)


def _hashes(house: House, built: Modelling) -> dict[str, str]:
    """By name, of each mart that holds rows: a sum over its rows."""
    if built.built is None:
        return {}
    with duckdb.connect(str(house.project.warehouse), read_only=True) as connection:
        found = {}
        standing = {one.name for one in built.built.models if one.state is State.BUILT}
        for model_ in built.built.known.values():
            if model_.is_table and model_.name in standing:
                told = connection.sql(_SQL("summed", table=name(*model_.relation))).to_arrow_table().to_pylist()
                found[model_.name] = str(told[0])
        return found
