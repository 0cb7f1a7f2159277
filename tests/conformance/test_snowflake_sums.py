"""The promise of sums, kept in Snowflake: of the same rows they are those of the embedded warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from tests.snowflake import connect, snowflake_database, snowflake_server
from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.batch import Batch
from tieout.base.sql import Sql, name
from tieout.contract.contract import Contract
from tieout.merge.aside import Aside
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake.account import session_parameters
from tieout.merge.snowflake.session import Session
from tieout.merge.snowflake.sums import is_spelled
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import Side, Turn, Warehouse
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server"]

PRINTS = name("prints")
ROWS = 60


def keyed_by(column: str) -> Contract:
    made = contract_of(
        required=["n"], n="integer", d="decimal(12,2)", t="text", b="boolean", at="timestamptz", day="date", x="binary"
    )
    return replace(made, key=(column,))


def image(at: int, position: int = 1) -> Say:
    id_ = f'{at:03} "Ä\\'
    values = {
        "id": id_,
        "n": str(at * 7 - 100),
        "d": f"{at}.50",
        "t": ("", None, f"naïve | {at}:x", 'so "so" \\')[at % 4],
        "b": ("true", "false", None)[at % 3],
        "at": f"2024-02-29 12:00:{at % 60:02}{'.5' if at % 2 else ''}+00",
        "day": None if at % 5 == 0 else f"2024-{at % 12 + 1:02}-01",
        "x": "\\x00ff",
    }
    return Say("image", id_, position, values)


@pytest.fixture
def asides(snowflake_server: SnowflakeServer, snowflake_database: str) -> Iterator[Callable[..., list[Aside]]]:
    """Of Snowflake and of DuckDB, with what was merged into both."""
    options = {"database": snowflake_database, "session_parameters": session_parameters({})}
    there = SnowflakeWarehouse(lambda: Session(lambda: connect(snowflake_server, **options), "there"), mark="test")
    here = DuckDBWarehouse(None)
    with ExitStack() as stack:

        def merged(contract: Contract, *batches: Batch) -> list[Aside]:
            for warehouse in (there, here):
                merge(warehouse, contract, *batches)
            return [stack.enter_context(there.aside()), stack.enter_context(here.aside())]

        yield merged
    there.close()
    here.close()


def merge(warehouse: Warehouse, contract: Contract, *batches: Batch) -> None:
    warehouse.prepare(contract, Side.LIVE, turn=Turn("erp", 1))
    for batch in batches:
        warehouse.merge(contract, [batch], turn=Turn("erp", 1), merged_at={batch.name: NOON}, side=Side.LIVE)


def told(aside: Aside, contract: Contract, batch: Batch) -> dict[str, Any]:
    sums = aside.summed(contract, [column.name for column in contract.columns], number=0)
    bounds = sums.part(step=1, shares=4)
    sums.keep_prints([0, 2], PRINTS)
    return {
        "bounds": bounds,
        "totals": sorted(tuple(row.values()) for row in sums.totals(None).to_pylist()),
        "of some": sorted(tuple(row.values()) for row in sums.totals([0, 3]).to_pylist()),
        "touched": sorted(sums.touched([batch.name]), key=str),
        "prints": sorted(aside.connection.execute(Sql(f"select * from {PRINTS}")).fetchall()),
        "rows": aside.rows(contract),
    }


@pytest.mark.parametrize("key", ["id", "n", "at", "d"])
def test_the_sums_of_the_same_rows_are_the_same(asides: Callable[..., list[Aside]], key: str) -> None:
    contract = keyed_by(key)
    first = batch_of([image(at) for at in range(ROWS)], contract)
    second = batch_of([image(7, 2)], contract)
    there, here = asides(contract, first, second)

    found, known = (told(aside, contract, second) for aside in (there, here))

    assert found == known
    assert len(found["bounds"]) == 3
    assert (found["touched"], found["rows"]) == ([0], ROWS)
    assert all(fingerprint >= 0 for _, fingerprint in found["prints"])


def test_a_row_that_is_not_its_own_has_a_sum_of_its_own(
    asides: Callable[..., list[Aside]], snowflake_server: SnowflakeServer, snowflake_database: str
) -> None:
    contract = keyed_by("id")
    there, _ = asides(contract, batch_of([image(at) for at in range(3)], contract))
    with connect(snowflake_server, database=snowflake_database) as session:
        session.cursor().execute("update latest.erp__account set n = null where n = -100")
        session.cursor().execute("update latest.erp__account set _key = _key || ' ' where n = -86")

    prints = told(there, contract, batch_of([], contract))["prints"]

    assert [fingerprint for _, fingerprint in prints if fingerprint < 0] == [-1, -1]


def test_what_snowflake_cannot_write_is_summed_here(asides: Callable[..., list[Aside]]) -> None:
    contract = contract_of(f="double", t="text")
    said = [Say("image", f"k{at}", 1, {"f": f"{at}.25", "t": "x"}) for at in range(ROWS)]
    batch = batch_of(said, contract)
    there, here = asides(contract, batch)

    assert told(there, contract, batch) == told(here, contract, batch)
    assert not is_spelled(contract, ["id", "f"])
    assert is_spelled(contract, ["id", "t"])
