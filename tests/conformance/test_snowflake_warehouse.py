"""The promise of a warehouse, kept in Snowflake: through the real driver, against the stand-in for it."""

from __future__ import annotations

import itertools
import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector.errors import OperationalError, ProgrammingError

from tests.conformance.warehouse_promise import CONTRACT, FIRST, SECOND, OpenWarehouse, WarehousePromise, image, merge
from tests.snowflake import connect, snowflake_database, snowflake_server
from tests.snowflake import session as session_of
from tests.telling import Say, batch_of, contract_of
from tieout.base.codec import canonical_json
from tieout.base.errors import Broken, Fenced, Misconfigured, TieoutError, Transient
from tieout.base.sql import Sql
from tieout.base.step import Step
from tieout.base.types import Column, ColumnType
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake import account
from tieout.merge.snowflake.reshape import Reshaping
from tieout.merge.snowflake.session import Session, translated
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import Side, Turn
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server"]

Open = Callable[..., SnowflakeWarehouse]


@pytest.fixture
def session(snowflake_server: SnowflakeServer, snowflake_database: str) -> Callable[[], Session]:
    return lambda: session_of(snowflake_server, snowflake_database)


@pytest.fixture
def opened(session: Callable[[], Session]) -> Iterator[Open]:
    made: list[SnowflakeWarehouse] = []

    def open_(**options: Any) -> SnowflakeWarehouse:
        made.append(SnowflakeWarehouse(session, mark=f"test{len(made)}", **options))
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


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that are opened from now on wait for a lock no longer than a test may take."""
    monkeypatch.setattr(account, "_LOCK_SECONDS", 1)


class TestSnowflakeWarehouse(WarehousePromise):
    @pytest.fixture
    def open_warehouse(self, opened: Open) -> OpenWarehouse:
        return opened


def count(warehouse: SnowflakeWarehouse) -> int:
    return warehouse.reading(CONTRACT).posted()[0]["accepted"].count


def test_a_commit_whose_answer_was_lost_is_looked_up_and_not_made_again(
    opened: Open, fault: Callable[..., None]
) -> None:
    batch, first = batch_of([image("k1", 1)], CONTRACT), opened()
    first.prepare(CONTRACT, Side.LIVE, turn=FIRST)
    fault(pattern="^commit", kind="lose_answer")

    try:
        merge(first, batch)
    except Transient:
        merge(opened(), batch)

    assert count(opened()) == 1


@pytest.mark.parametrize(("turn", "end"), [(FIRST, Transient), (SECOND, Fenced)])
def test_a_commit_that_comes_after_it_was_looked_up_is_not_made_again(
    opened: Open, monkeypatch: pytest.MonkeyPatch, turn: Turn, end: type[TieoutError]
) -> None:
    batch, first = batch_of([image("k1", 1)], CONTRACT), opened()
    merge(opened(), batch)
    monkeypatch.setattr(first, "applied", lambda *of: {})

    with pytest.raises(end) as refused:
        merge(first, batch, turn=turn)

    assert type(refused.value) is end
    assert count(opened()) == 1


def test_a_merge_that_was_cut_off_leaves_nothing(opened: Open, fault: Callable[..., None]) -> None:
    batch, first = batch_of([image("k1", 1)], CONTRACT), opened()
    first.prepare(CONTRACT, Side.LIVE, turn=FIRST)
    fault(pattern="insert into tieout.applied", kind="cancelled")

    with pytest.raises(Transient):
        merge(first, batch)

    assert opened().applied(CONTRACT.stream, Side.LIVE) == {}
    merge(opened(), batch)
    assert count(opened()) == 1


def test_who_takes_a_lane_over_does_not_wait_for_one_that_died_in_its_merge(
    opened: Open, session: Callable[[], Session], impatient: None
) -> None:
    first = opened()
    first.prepare(CONTRACT, Side.LIVE, turn=FIRST)
    merge(first, batch_of([image("k1", 1)], CONTRACT))
    dead = session()
    dead.run(Sql("begin"))
    dead.run(Sql('update tieout."FENCE/ERP" set fence = 1'))

    merge(opened(), batch_of([image("k2", 2)], CONTRACT), turn=SECOND)

    assert count(opened()) == 2
    dead.close()


def test_of_a_merge_that_was_overtaken_in_its_sleep_nothing_stays(opened: Open, impatient: None) -> None:
    """Its transaction was aborted by its successor, and no statement behind that fails."""
    late, next_ = batch_of([image("k1", 1)], CONTRACT), batch_of([image("k2", 2)], CONTRACT)

    def asleep(step: Step) -> None:
        if step is Step.MERGED_UNCOMMITTED:
            merge(opened(), next_, turn=SECOND)

    first = opened(passing=asleep)
    first.prepare(CONTRACT, Side.LIVE, turn=FIRST)
    with pytest.raises(Transient, match="aborted from outside"):
        merge(first, late)

    assert set(opened().applied(CONTRACT.stream, Side.LIVE)) == {next_.name}
    assert count(opened()) == 1
    with pytest.raises(Fenced):
        merge(first, late)


def test_of_a_column_that_was_gained_in_a_sleep_nothing_stays(
    opened: Open, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its successor has the column filled before it wakes up with what it had read."""
    first, gained = opened(), replace(CONTRACT, columns=(*CONTRACT.columns, Column("c", ColumnType.parse("text"))))
    merge(first, batch_of([image("k1", 1)], CONTRACT))
    told, fold = batch_of([Say("image", "k1", 2, {"a": "1", "b": "x", "c": "new"})], gained), Reshaping._fold

    def asleep(reshaping: Reshaping, parts: dict[str, object]) -> None:
        monkeypatch.setattr(Reshaping, "_fold", fold)
        merge(opened(), told, turn=SECOND, contract=gained)
        fold(reshaping, parts)

    monkeypatch.setattr(Reshaping, "_fold", asleep)
    with pytest.raises(Transient, match="aborted from outside"):
        first.prepare(gained, Side.LIVE, turn=FIRST)

    assert opened().query("select c from latest.erp__account").to_pylist() == [{"c": "new"}]
    assert first.query("select c from latest.erp__account").to_pylist() == [{"c": "new"}]


def test_who_wakes_before_his_contract_is_followed_finds_that_it_was(opened: Open) -> None:
    """The tables were made for what the other worker's contract says, also where that is of the same turn."""
    first, other = opened(), opened()
    merge(first, batch_of([image("k1", 1)], CONTRACT))
    gained = replace(CONTRACT, columns=(*CONTRACT.columns, Column("c", ColumnType.parse("text"))))
    fitted = Reshaping.fit_columns

    with pytest.MonkeyPatch.context() as patch:

        def late(reshaping: Reshaping) -> None:
            patch.undo()
            other.prepare(contract_of(required=["a"], a="integer", b="text", c="text", d="text"), Side.LIVE, turn=FIRST)
            fitted(reshaping)

        patch.setattr(Reshaping, "fit_columns", late)
        with pytest.raises(Transient, match="another shape"):
            first.prepare(gained, Side.LIVE, turn=FIRST)


def test_a_row_that_somebody_wrote_twice_is_one_again_after_a_merge(
    opened: Open, snowflake_server: SnowflakeServer, snowflake_database: str
) -> None:
    warehouse = opened()
    merge(warehouse, batch_of([image("k1", 1), image("k2", 2)], CONTRACT))
    with connect(snowflake_server, database=snowflake_database) as hand:
        hand.cursor().execute("insert into latest.erp__account select * from latest.erp__account where id = 'k1'")
    assert warehouse.reading(CONTRACT).live_rows() == 3

    merge(warehouse, batch_of([image("k1", 3)], CONTRACT))

    untouched = DuckDBWarehouse(None)
    merge(untouched, batch_of([image("k1", 1), image("k2", 2)], CONTRACT), batch_of([image("k1", 3)], CONTRACT))
    assert warehouse.reading(CONTRACT).live_rows() == 2
    assert warehouse.reading(CONTRACT).state_hash() == untouched.reading(CONTRACT).state_hash()


def test_what_a_merge_costs_is_billed_to_its_stream_and_run(tmp_path: Path) -> None:
    with SnowflakeServer(record=tmp_path / "record") as server:
        with connect(server) as made:
            made.cursor().execute("create database billed")
        warehouse = SnowflakeWarehouse(lambda: session_of(server, "BILLED"), mark="billed")
        merge(warehouse, batch_of([image("k1", 1)], CONTRACT), turn=SECOND)
        warehouse.close()

    lines = [json.loads(line) for line in (tmp_path / "record").read_text().splitlines()]
    tags = [line["parameters"]["QUERY_TAG"] for line in lines if 'update "TIEOUT"."FENCE' in line["statement"]]
    copied = [line["parameters"]["QUERY_TAG"] for line in lines if "copy into" in line["statement"]]
    assert {canonical_json(json.loads(tag)) for tag in (*tags, *copied)} == {
        canonical_json({"tool": "tieout", "step": step, "stream": "erp.account", "lane": "erp", "run": "2"})
        for step in ("prepare", "merge")
    }


def test_who_wakes_late_does_not_end_the_merge_of_its_successor(opened: Open, impatient: None) -> None:
    first, late, next_ = opened(), batch_of([image("k1", 1)], CONTRACT), batch_of([image("k2", 2)], CONTRACT)
    first.prepare(CONTRACT, Side.LIVE, turn=FIRST)

    def while_it_merges(step: Step) -> None:
        if step is Step.MERGED_UNCOMMITTED:
            with pytest.raises(Transient):
                merge(first, late)

    merge(opened(passing=while_it_merges), next_, turn=SECOND)

    assert set(opened().applied(CONTRACT.stream, Side.LIVE)) == {next_.name}
    with pytest.raises(Fenced):
        merge(first, late)


def test_a_merge_that_was_aborted_on_the_very_way_to_its_commit_is_not_called_done(
    opened: Open, impatient: None
) -> None:
    one, first = batch_of([image("k1", 1)], CONTRACT), opened()
    first.prepare(CONTRACT, Side.LIVE, turn=FIRST)
    other = opened()
    looked = first._session._transaction

    def aborted_behind() -> str:
        seen = looked()
        other._session.free(Sql('"TIEOUT"."FENCE/ERP"'), lambda name: name == "erp/1")
        return seen

    merge_once = iter([looked, aborted_behind])
    first._session._transaction = lambda: next(merge_once)()  # type: ignore[method-assign]
    with pytest.raises(Transient, match="aborted from outside"):
        merge(first, one)

    assert opened().applied(CONTRACT.stream, Side.LIVE) == {}


def test_a_contract_is_followed_where_somebody_wrote_a_row_twice(
    opened: Open, snowflake_server: SnowflakeServer, snowflake_database: str
) -> None:
    warehouse = opened()
    merge(warehouse, batch_of([image("k1", 1), image("k2", 2)], CONTRACT))
    with connect(snowflake_server, database=snowflake_database) as hand:
        hand.cursor().execute("insert into latest.erp__account select * from latest.erp__account where id = 'k1'")

    gained = replace(CONTRACT, columns=(*CONTRACT.columns, Column("c", ColumnType.parse("text"))))
    merge(warehouse, batch_of([image("k1", 3)], CONTRACT), contract=gained)

    assert warehouse.reading(gained).live_rows() == 2


@pytest.mark.parametrize(
    ("errno", "words"),
    [
        (100090, "Duplicate row detected during DML action Row Values: [\"a@b.de\", 'Ada']"),
        (100038, "Numeric value 'O'Ada' is not recognized"),
        (100039, "Number out of representable range: type FIXED[SB16](38,0){nullable}, value Ada"),
    ],
)
def test_what_snowflake_says_of_values_is_not_carried_on(errno: int, words: str) -> None:
    told = translated(ProgrammingError(msg=words, errno=errno, sfqid="01b2-query"), "there")

    assert str(errno) in str(told)
    assert "01b2-query" in str(told)
    assert "Ada" not in str(told)
    assert "a@b.de" not in str(told)


def test_what_snowflake_says_of_values_that_somebody_asked_for_is_not_carried_on(opened: Open) -> None:
    with pytest.raises(Misconfigured, match="a value was refused") as refused:
        opened().query("select 'O''Ada'::int as one")

    assert "Ada" not in f"{refused.value} {refused.value.__cause__}"


def test_no_statement_stands_behind_a_pipe(opened: Open) -> None:
    with pytest.raises(Misconfigured, match="begins another statement"):
        opened().query("select 1 ->> drop table latest.erp__account")


def test_who_cannot_be_reached_is_told_what_to_look_at() -> None:
    told = translated(OperationalError(msg="Could not connect to Snowflake backend", errno=250001), "there")

    assert isinstance(told, Transient)
    assert "the account's identifier" in told.hint


def test_a_decimal_that_no_column_can_hold_is_refused(opened: Open) -> None:
    tiny = contract_of(a="decimal(38,38)")

    with pytest.raises(Misconfigured, match="37 digits") as refused:
        opened().prepare(tiny, Side.LIVE, turn=FIRST)

    assert "decimal(38,37)" in refused.value.hint


def test_what_a_dead_worker_had_staged_does_not_lie_there_for_ever(
    opened: Open, fault: Callable[..., None], session: Callable[[], Session]
) -> None:
    first = opened()
    first.prepare(CONTRACT, Side.LIVE, turn=FIRST)
    fault(pattern="copy into", kind="cancelled")
    with pytest.raises(Transient):
        merge(first, batch_of([image("k1", 1)], CONTRACT))
    first.close()
    assert session().rows(Sql("list @tieout.incoming"))

    merge(opened(), batch_of([image("k2", 2)], CONTRACT), turn=SECOND)

    assert not session().rows(Sql("list @tieout.incoming"))


def test_ddl_within_a_transaction_is_refused_before_it_would_commit_half(session: Callable[[], Session]) -> None:
    mine = session()
    with pytest.raises(Broken), mine.writing():
        mine.run(Sql("-- a table\ncreate table t (a int)"))
    mine.close()


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


def test_every_type_comes_in_exactly_and_hashes_as_elsewhere(opened: Open) -> None:
    contract = contract_of(**{f"v{at}": type_ for at, type_ in enumerate(VALUES)})
    warehouse, duckdb = opened(), DuckDBWarehouse(None)
    rows = itertools.zip_longest(*VALUES.values())
    said = [
        Say("image", f"k{at}", 1, {f"v{place}": value for place, value in enumerate(row)})
        for at, row in enumerate(rows)
    ]
    batch = batch_of(said, contract)
    for one in (warehouse, duckdb):
        merge(one, batch, contract=contract)

    ours, theirs = warehouse.reading(contract), duckdb.reading(contract)
    assert ours.quarantine_reasons() == theirs.quarantine_reasons() == []
    assert ours.state_hash() == theirs.state_hash()
