"""The promise of a warehouse, kept in Snowflake: through the real driver, against the stand-in for it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.snowflake import connect, snowflake_database, snowflake_server
from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.batch import Batch
from tieout.base.errors import Broken, Fenced, Misconfigured, Transient
from tieout.base.sql import Sql
from tieout.contract.contract import Contract
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake.account import session_parameters
from tieout.merge.snowflake.session import Session
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import CertificateNote, Side, Turn, Warehouse
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server"]

CONTRACT = contract_of(required=["a"], a="integer", b="text")
FIRST, SECOND = Turn("erp", 1), Turn("erp", 2)

Open = Callable[[], SnowflakeWarehouse]


@pytest.fixture
def session(snowflake_server: SnowflakeServer, snowflake_database: str) -> Callable[[], Session]:
    options = {"database": snowflake_database, "session_parameters": session_parameters({})}
    return lambda: Session(lambda: connect(snowflake_server, **options), "the stand-in")


@pytest.fixture
def opened(session: Callable[[], Session]) -> Iterator[Open]:
    made: list[SnowflakeWarehouse] = []

    def open_() -> SnowflakeWarehouse:
        made.append(SnowflakeWarehouse(session, mark=f"test{len(made)}"))
        return made[-1]

    yield open_
    for warehouse in made:
        warehouse.close()


@pytest.fixture
def fault(snowflake_server: SnowflakeServer) -> Iterator[Callable[..., None]]:
    url = f"http://{snowflake_server.host}:{snowflake_server.port}/stand-in/faults"

    def ask(method: str, **said: object) -> None:
        asked = urllib.request.Request(url, json.dumps(said).encode(), method=method)
        urllib.request.urlopen(asked, timeout=10).close()

    yield lambda **said: ask("POST", **said)
    ask("DELETE")


def image(key: str, position: int, a: str = "1") -> Say:
    return Say("image", key, position, {"a": a, "b": "x"})


def merge(warehouse: Warehouse, *batches: Batch, turn: Turn = FIRST, contract: Contract = CONTRACT) -> None:
    warehouse.prepare(contract, Side.LIVE)
    merged_at = dict.fromkeys((batch.name for batch in batches), NOON)
    warehouse.merge(contract, batches, turn=turn, merged_at=merged_at, side=Side.LIVE)


def count(warehouse: SnowflakeWarehouse) -> int:
    return warehouse.reading(CONTRACT).posted()[0]["accepted"].count


def test_a_batch_that_is_merged_twice_is_merged_once(opened: Open) -> None:
    batch = batch_of([image("k1", 1)], CONTRACT)
    first, second = opened(), opened()
    merge(first, batch)
    merge(second, batch)

    assert count(second) == 1
    assert second.applied(CONTRACT.stream, Side.LIVE) == {batch.name: NOON}


def test_a_worker_that_was_overtaken_changes_nothing(opened: Open) -> None:
    late, batch = opened(), batch_of([image("k1", 1)], CONTRACT)
    merge(opened(), batch_of([image("k2", 1)], CONTRACT), turn=SECOND)

    with pytest.raises(Fenced):
        merge(late, batch)

    assert late.applied(CONTRACT.stream, Side.LIVE).keys().isdisjoint({batch.name})
    assert (count(late), late.fence_of("erp")) == (1, 2)


def test_a_commit_whose_answer_was_lost_is_looked_up_and_not_made_again(
    opened: Open, fault: Callable[..., None]
) -> None:
    batch, first = batch_of([image("k1", 1)], CONTRACT), opened()
    first.prepare(CONTRACT, Side.LIVE)
    fault(pattern="^commit", kind="lose_answer")

    try:
        merge(first, batch)
    except Transient:
        merge(opened(), batch)

    assert count(opened()) == 1


def test_a_merge_that_was_cut_off_leaves_nothing(opened: Open, fault: Callable[..., None]) -> None:
    batch, first = batch_of([image("k1", 1)], CONTRACT), opened()
    first.prepare(CONTRACT, Side.LIVE)
    fault(pattern="insert into tieout.applied", kind="cancelled")

    with pytest.raises(Transient):
        merge(first, batch)

    assert opened().applied(CONTRACT.stream, Side.LIVE) == {}
    merge(opened(), batch)
    assert count(opened()) == 1


def test_ddl_within_a_transaction_is_refused_before_it_would_commit_half(session: Callable[[], Session]) -> None:
    mine = session()
    with pytest.raises(Broken), mine.writing():
        mine.run(Sql("-- a table\ncreate table t (a int)"))
    mine.close()


def test_a_certificate_is_kept_once_and_only_by_whose_turn_it_is(opened: Open) -> None:
    warehouse, note = opened(), CertificateNote(1, "h", NOON, "complete", "{}")
    for _ in range(2):
        warehouse.note_certificates(CONTRACT.stream, [note], turn=SECOND)

    with pytest.raises(Fenced):
        warehouse.note_certificates(CONTRACT.stream, [note], turn=FIRST)

    assert warehouse.is_noted(CONTRACT.stream, "h")
    assert warehouse.query("select count(*) as n from tieout.certificates").to_pylist() == [{"n": 1}]


def test_who_only_asks_cannot_write(opened: Open) -> None:
    warehouse = opened()
    for statement in ("create table t (a int)", "-- a note\ndelete from tieout.books", "drop table tieout.books"):
        with pytest.raises(Misconfigured):
            warehouse.query(statement)


def test_names_that_are_words_of_sql_or_hold_its_signs_are_names(opened: Open) -> None:
    contract = contract_of(
        "erp.my order", **{"select": "text", "a b": "text", "it's": "integer", "back\\slash": "text"}
    )
    said = Say("patch", "k1", 1, {"select": "s", "a b": "b", "it's": "1", "back\\slash": "c"})
    warehouse, duckdb = opened(), DuckDBWarehouse(None)
    batch = batch_of([said], contract)
    for one in (warehouse, duckdb):
        merge(one, batch, contract=contract)

    assert warehouse.reading(contract).state_hash() == duckdb.reading(contract).state_hash()


VALUES = {
    "boolean": ["true", "false", None],
    "smallint": ["-32768", "32767"],
    "bigint": ["-9223372036854775808", "9223372036854775807"],
    "decimal(38,9)": ["12345678901234567890123456789.123456789", "-0.000000001", "0"],
    "numeric": ["123456789012345678901234567890123456789012345.1"],
    "text": ["", "it's", "\\ back", "é € 😀", "line\nbreak", None],
    "date": ["1969-12-31", "2024-02-29", "9999-12-31"],
    "time": ["00:00:00", "23:59:59.999999"],
    "timestamp": ["1969-12-31 23:59:59.999999", "2024-02-29 12:00:00", "9999-12-31 23:59:59.999999"],
    "timestamptz": ["1969-12-31T23:59:59.999999Z", "2024-02-29T12:00:00+02:00"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": ['{"a": [1, null, 1.10]}'],
}


@pytest.mark.parametrize("type_", VALUES)
def test_every_type_comes_in_exactly_and_hashes_as_elsewhere(opened: Open, type_: str) -> None:
    contract = contract_of(v=type_)
    warehouse, duckdb = opened(), DuckDBWarehouse(None)
    said = [Say("image", f"k{at}", 1, {"v": value}) for at, value in enumerate(VALUES[type_])]
    batch = batch_of(said, contract)
    for one in (warehouse, duckdb):
        merge(one, batch, contract=contract)

    ours, theirs = warehouse.reading(contract), duckdb.reading(contract)
    assert ours.quarantine_reasons() == theirs.quarantine_reasons() == []
    assert ours.state_hash() == theirs.state_hash()
