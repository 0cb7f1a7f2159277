"""What tells a build of marts that its inputs moved, in every warehouse: what changes rows changes a stream's word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.test_snowflake_swap import FIRST, NUMBER, SECOND, TEXT, TURN, Cut, Workers, content, worker
from tests.property.test_evolving import told_under
from tests.snowflake import session, snowflake_database, snowflake_server
from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.batch import Batch
from tieout.contract.contract import Contract
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import Engine, Side, Turn, Warehouse
from tieout.run.marts import inputs_of

__all__ = ["snowflake_database", "snowflake_server", "worker"]

OTHER = contract_of("erp.invoice", total="text")


@pytest.fixture(params=list(Engine))
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    if request.param is Engine.DUCKDB:
        made: Warehouse = DuckDBWarehouse(None)
    else:
        server, database = (request.getfixturevalue(name) for name in ("snowflake_server", "snowflake_database"))
        made = SnowflakeWarehouse(lambda: session(server, database), mark="t")
    yield made
    made.close()


def merged(on: Warehouse, contract: Contract, batch: Batch, side: Side = Side.LIVE, turn: Turn = TURN) -> None:
    on.prepare(contract, side, turn=turn)
    on.merge(contract, [batch], turn=turn, merged_at={batch.name: NOON}, side=side)


def live_rows(of: Warehouse) -> int:
    rows: int = of.query("select count(*) as n from latest.erp__account where not _deleted").to_pylist()[0]["n"]
    return rows


def test_a_requirement_that_is_given_up_moves_the_word_without_any_batch(warehouse: Warehouse) -> None:
    strict, lax = contract_of(required=["a"], a="text", b="text"), contract_of(a="text", b="text")
    merged(warehouse, OTHER, batch_of([Say("image", "k1", 1, {"total": "5"})], OTHER))
    merged(warehouse, strict, batch_of([Say("image", "k1", 1, {"b": "x"})], strict))
    before, rows_before = inputs_of(warehouse), live_rows(warehouse)

    warehouse.prepare(strict, Side.LIVE, turn=TURN)
    unmoved = inputs_of(warehouse)
    warehouse.prepare(lax, Side.LIVE, turn=TURN)
    after = inputs_of(warehouse)

    assert (rows_before, live_rows(warehouse)) == (0, 1)
    assert unmoved == before
    assert {table for table in after if after[table] != before[table]} == {"latest.erp__account", "raw.erp__account"}
    assert after.keys() == before.keys()


def test_a_column_that_is_read_back_moves_the_word_without_any_batch(warehouse: Warehouse) -> None:
    bare, wider = contract_of(a="text"), contract_of(a="text", c="text")
    merged(warehouse, bare, told_under([Say("image", "k1", 1, {"a": "x", "c": "told"})], bare, "json"))
    before = inputs_of(warehouse)

    warehouse.prepare(wider, Side.LIVE, turn=TURN)

    assert warehouse.query("select c from latest.erp__account").to_pylist() == [{"c": "told"}]
    assert inputs_of(warehouse)["latest.erp__account"] != before["latest.erp__account"]


def test_what_a_rebuild_has_not_yet_put_in_place_moves_no_word_and_its_swap_does(warehouse: Warehouse) -> None:
    told = contract_of(a="text")
    batch = batch_of([Say("image", "k1", 1, {"a": "x"})], told)
    merged(warehouse, told, batch)
    before = inputs_of(warehouse)

    merged(warehouse, told, batch, Side.SHADOW, Turn(TURN.lane, TURN.fence + 1))
    meanwhile = inputs_of(warehouse)
    warehouse.swap(told, turn=Turn(TURN.lane, TURN.fence + 1))

    assert meanwhile == before
    assert inputs_of(warehouse)["raw.erp__account"] != before["raw.erp__account"]


def test_a_swap_that_is_half_done_has_a_word_of_its_own(worker: Workers) -> None:
    """A mart that was built meanwhile, from rows that were about to be replaced, is built again."""
    first, second = content(FIRST, TEXT), content(SECOND, NUMBER)
    reader, dying = worker(), worker()
    first.fill(reader, Side.LIVE, turn=TURN)
    second.fill(reader, Side.SHADOW)
    before = inputs_of(reader)
    worker.sessions[-1].dies_at = "copy grants"
    with pytest.raises(Cut):
        dying.swap(NUMBER, turn=TURN)
    half = inputs_of(reader)

    worker()

    assert len({words["latest.erp__my account"] for words in (before, half, inputs_of(reader))}) == 3
