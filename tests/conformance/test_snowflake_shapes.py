"""Tables in Snowflake at the ends of what a contract may be: no field at all, and names beyond ASCII."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.property.test_evolving import told_under
from tests.snowflake import session, snowflake_database, snowflake_server
from tests.telling import NOON, Say, batch_of, contract_of
from tieout.contract.contract import Contract
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import Side, Turn
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server"]


@pytest.fixture
def warehouse(snowflake_server: SnowflakeServer, snowflake_database: str) -> Iterator[SnowflakeWarehouse]:
    made = SnowflakeWarehouse(lambda: session(snowflake_server, snowflake_database), mark="t")
    yield made
    made.close()


def merge(on: SnowflakeWarehouse | DuckDBWarehouse, contract: Contract, *said: Say) -> None:
    batch = batch_of(said, contract)
    on.prepare(contract, Side.LIVE, turn=Turn("erp", 1))
    on.merge(contract, [batch], turn=Turn("erp", 1), merged_at={batch.name: NOON}, side=Side.LIVE)


def test_a_contract_may_lose_its_only_field_and_gain_it_again(warehouse: SnowflakeWarehouse) -> None:
    duckdb = DuckDBWarehouse(None)
    bare, told = contract_of(), contract_of(a="text")

    for contract in (told, bare, told):
        for one in (warehouse, duckdb):
            merge(one, contract, Say("image", "k1", 1, {"a": "x"}), Say("patch", "k2", 2, {"a": "y"}))
        ours, theirs = warehouse.reading(contract), duckdb.reading(contract)
        assert ours.state_hash() == theirs.state_hash()
        assert ours.obligations(limit=9) == theirs.obligations(limit=9)


UNFIT = "select key, field from tieout.unfit order by key, field"


def test_what_a_gained_column_does_not_admit_is_noted(warehouse: SnowflakeWarehouse) -> None:
    duckdb = DuckDBWarehouse(None)
    before, after = contract_of(a="integer"), contract_of(a="integer", c="decimal(9,2)")
    said = [Say("patch", "k1", 1, {"c": "no number"}), Say("patch", "k2", 2, {"c": "1.50"})]
    batch = told_under(said, before, "json")

    for one in (warehouse, duckdb):
        one.prepare(before, Side.LIVE, turn=Turn("erp", 1))
        one.merge(before, [batch], turn=Turn("erp", 1), merged_at={batch.name: NOON}, side=Side.LIVE)
        one.prepare(after, Side.LIVE, turn=Turn("erp", 1))

    assert warehouse.query(UNFIT).to_pylist() == duckdb.query(UNFIT).to_pylist() == [{"key": '["k1"]', "field": "c"}]


def test_a_table_whose_name_is_beyond_ascii_is_found(warehouse: SnowflakeWarehouse) -> None:
    contract = contract_of("erp.größe", **{"straße": "text"})
    merge(warehouse, contract, Say("image", "k1", 1, {"straße": "x"}))

    reading = warehouse.reading(contract)

    assert reading.exists()
    assert reading.lacking() == ()
