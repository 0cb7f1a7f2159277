"""The law of the merge in Snowflake's SQL: the same registers, hash, books and open keys as DuckDB's, of any history.

DuckDB's are held to the rule itself beside this (`test_merge.py`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.property.test_evolving import told_under
from tests.property.test_merge import CONTRACT, TURN, grouped, histories
from tests.snowflake import own_database, session, snowflake_server
from tests.telling import NOON, Say, batch_of, contract_of, dear
from tieout.base.batch import Batch
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import Side
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_server"]

SAID_IN_ALL = ("accounts", "superseded", "ambiguous", "live_rows", "state_hash", "keyless", "quarantine_reasons")


@pytest.fixture(scope="module")
def snowflake(snowflake_server: SnowflakeServer) -> Iterator[SnowflakeWarehouse]:
    with own_database(snowflake_server) as database:
        warehouse = SnowflakeWarehouse(lambda: session(snowflake_server, database), mark="law")
        yield warehouse
        warehouse.close()


def merge(warehouse: SnowflakeWarehouse | DuckDBWarehouse, batches: list[Batch]) -> None:
    warehouse.prepare(CONTRACT, Side.LIVE, turn=TURN)
    for batch in batches:
        warehouse.merge(CONTRACT, [batch], turn=TURN, merged_at={batch.name: NOON}, side=Side.LIVE)


@settings(dear(16), phases=[Phase.explicit, Phase.generate])
@given(histories, st.randoms(use_true_random=False))
def test_both_warehouses_say_the_same(snowflake: SnowflakeWarehouse, said: list[Say], dice: random.Random) -> None:
    batches = [batch_of(group, CONTRACT) for group in grouped(said, dice)]
    duckdb = DuckDBWarehouse(None)
    snowflake.drop(CONTRACT.stream, Side.LIVE, turn=TURN)
    for one in (snowflake, duckdb):
        merge(one, batches)

    ours, theirs = (one.reading(CONTRACT) for one in (snowflake, duckdb))

    for what in SAID_IN_ALL:
        assert getattr(ours, what)() == getattr(theirs, what)(), what
    assert ours.obligations(limit=100) == theirs.obligations(limit=100)
    assert ours.posted() == theirs.posted()


GROWING = [
    contract_of(),
    contract_of(a="integer"),
    contract_of(a="integer", b="text"),
    contract_of(a="bigint", b="text", c="decimal(9,2)"),
    contract_of(required=["a"], a="bigint", b="text", c="decimal(12,2)"),
]
UNFIT = "select key, field, max(token) as token from tieout.unfit group by key, field order by key, field"


@settings(dear(16), phases=[Phase.explicit, Phase.generate])
@given(histories, st.lists(st.integers(0, len(GROWING) - 1), min_size=2, max_size=3), st.sampled_from(["json", "text"]))
def test_tables_that_followed_their_contract_are_the_same_in_both(
    snowflake: SnowflakeWarehouse, said: list[Say], chosen: list[int], encoding: str
) -> None:
    contracts = [GROWING[at] for at in sorted(chosen)]
    cut = len(said) // len(contracts) + 1
    parts = [said[at * cut : (at + 1) * cut] for at in range(len(contracts))]
    told = [(contract, told_under(part, contract, encoding)) for contract, part in zip(contracts, parts, strict=True)]
    duckdb = DuckDBWarehouse(None)
    snowflake.drop(CONTRACT.stream, Side.LIVE, turn=TURN)

    for contract, batch in told:
        for one in (snowflake, duckdb):
            one.prepare(contract, Side.LIVE, turn=TURN)
            one.merge(contract, [batch], turn=TURN, merged_at={batch.name: NOON}, side=Side.LIVE)

    ours, theirs = (one.reading(contracts[-1]) for one in (snowflake, duckdb))
    assert ours.state_hash() == theirs.state_hash()
    assert ours.obligations(limit=100) == theirs.obligations(limit=100)
    assert snowflake.query(UNFIT).to_pylist() == duckdb.query(UNFIT).to_pylist()
