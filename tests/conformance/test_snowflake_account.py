"""A real account takes the stand-in's place where the environment names one. That it would is held against the
stand-in, reached by its address as an account is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from snowflake.connector.errors import DatabaseError

from tests.golden.statements import CONTRACTS, QUESTIONS, story
from tests.snowflake import address, connect, own_database, session, snowflake_database, snowflake_server
from tests.snowflake_account import NAMED_BY, NONE_NAMED, AccountServer, named
from tests.telling import NOON
from tieout.base.types import Column, Kind
from tieout.contract.contract import Contract
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import Side, Turn
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server"]

GAPS_OF_NAMES = frozenset({'"quoted"', "back\\"})
"""Keys that the stand-in cannot ask an OBJECT for (`manners/gaps.py`)."""
SAID_IN_ALL = ("accounts", "superseded", "ambiguous", "live_rows", "keyless", "quarantine_reasons", "lacking")


@pytest.fixture
def warehouse(snowflake_server: SnowflakeServer, snowflake_database: str) -> Iterator[SnowflakeWarehouse]:
    made = SnowflakeWarehouse(lambda: session(snowflake_server, snowflake_database), mark="t")
    yield made
    made.close()


def test_an_account_is_asked_where_one_is_named(snowflake_server: SnowflakeServer) -> None:
    if not os.environ.get(NAMED_BY):
        pytest.skip(NONE_NAMED)

    assert isinstance(snowflake_server, AccountServer)
    with connect(snowflake_server) as connection:
        told = connection.cursor().execute("select current_warehouse()").fetchall()
    assert told == [(snowflake_server.account.warehouse.upper(),)]


def test_an_account_that_is_named_takes_the_place_of_the_stand_in_and_is_left_as_it_was(
    snowflake_server: SnowflakeServer, snowflake_database: str, tmp_path: Path
) -> None:
    account = named({NAMED_BY: address(snowflake_server, snowflake_database, tmp_path / "key.p8")})
    assert account is not None

    with own_database(account) as database:
        warehouse = SnowflakeWarehouse(lambda: session(account, database), mark="t")
        warehouse.prepare(CONTRACTS["simple"], Side.LIVE, turn=Turn("erp", 1))
        assert warehouse.reading(CONTRACTS["simple"]).live_rows() == 0
        warehouse.close()
        assert database.startswith("TIEOUT_TEST_")

    with pytest.raises(DatabaseError):
        connect(snowflake_server).cursor().execute(f"use database {database}")
    with pytest.raises(pytest.skip.Exception):
        address(account, database, tmp_path / "key.p8")


def test_no_account_is_named_by_an_empty_environment() -> None:
    assert named({}) is None


@pytest.mark.parametrize("name", [*CONTRACTS, "no_floats"])
def test_all_that_the_golden_files_hold_is_taken_and_comes_to_what_duckdb_says(
    snowflake_server: SnowflakeServer, warehouse: SnowflakeWarehouse, name: str
) -> None:
    """Each merge of the files and each question, one after another in the same tables."""
    written = CONTRACTS.get(name) or without(CONTRACTS["every_type"], is_float)
    contract, duckdb = known_to(snowflake_server, written), DuckDBWarehouse(None)

    for one in (warehouse, duckdb):
        one.prepare(contract, Side.LIVE, turn=Turn("erp", 1))
    for batch in story(contract):
        for one in (warehouse, duckdb):
            one.merge(contract, [batch], turn=Turn("erp", 1), merged_at={batch.name: NOON}, side=Side.LIVE)

    ours, theirs = warehouse.reading(contract), duckdb.reading(contract)
    for ask in QUESTIONS.values():
        ask(ours, contract)
    for what in SAID_IN_ALL:
        assert getattr(ours, what)() == getattr(theirs, what)(), what
    assert ours.posted() == theirs.posted()
    assert ours.obligations(limit=10) == theirs.obligations(limit=10)
    if name != "every_type":
        assert ours.state_hash() == theirs.state_hash()


def known_to(server: SnowflakeServer, contract: Contract) -> Contract:
    if isinstance(server, AccountServer):
        return contract
    return without(contract, lambda column: column.name in GAPS_OF_NAMES)


def without(contract: Contract, left: Callable[[Column], bool]) -> Contract:
    return replace(contract, columns=tuple(column for column in contract.columns if not left(column)))


def is_float(column: Column) -> bool:
    """Their digits are each engine's own."""
    return column.type.kind in (Kind.FLOAT32, Kind.FLOAT64)
