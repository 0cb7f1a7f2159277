"""A swap in Snowflake that is cut off at any statement is done or not done; whoever comes next goes on from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.snowflake import connect, snowflake_database, snowflake_server
from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.batch import Batch
from tieout.base.errors import Broken, Fenced, Misconfigured, Transient
from tieout.base.sql import Sql
from tieout.contract.contract import Contract
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.readings import StreamReading
from tieout.merge.snowflake.account import session_parameters
from tieout.merge.snowflake.session import NOTHING, Session
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import Side, Turn, Warehouse
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server"]

TURN, LATER = Turn("erp", 5), Turn("erp", 6)
TEXT = contract_of("erp.my account", required=["a"], a="text", b="text")
NUMBER = contract_of("erp.my account", required=["a"], a="integer", c="text")


class Cut(Exception):
    """The process is gone."""


class Dying(Session):
    """Its connection is cut before one of its statements, and nothing is said on it any more."""

    left: int | None = None
    """How many statements there are still; None is any number."""

    dies_at: str = ""
    """What stands in the one before which it is cut."""

    def __init__(self, *arguments: Any) -> None:
        self.said: list[str] = []
        super().__init__(*arguments)

    def run(self, statement: Sql, values: Mapping[str, Any] = NOTHING) -> int:
        self._live(statement)
        return super().run(statement, values)

    def rows(self, statement: Sql, values: Mapping[str, Any] = NOTHING) -> list[dict[str, Any]]:
        self._live(statement)
        return super().rows(statement, values)

    def _live(self, statement: Sql) -> None:
        self.said.append(statement)
        if self.left == 0 or (self.dies_at and self.dies_at in statement):
            self.left = 0
            self.close()
            raise Cut
        if self.left is not None:
            self.left -= 1


class Workers:
    """Each has a session of its own with the one database of a test."""

    def __init__(self, server: SnowflakeServer, database: str) -> None:
        self._server = server
        self._options = {"database": database, "session_parameters": session_parameters({}), "autocommit": False}
        self.sessions: list[Dying] = []
        self.left: int | None = None
        """Of the sessions that are opened from now on."""

    def __call__(self, **options: Any) -> SnowflakeWarehouse:
        return SnowflakeWarehouse(self._session, mark=f"cut{len(self.sessions)}", **options)

    def _session(self) -> Dying:
        self.sessions.append(Dying(lambda: connect(self._server, **self._options), "the stand-in"))
        self.sessions[-1].left = self.left
        return self.sessions[-1]


@pytest.fixture
def worker(snowflake_server: SnowflakeServer, snowflake_database: str) -> Iterator[Workers]:
    workers = Workers(snowflake_server, snowflake_database)
    yield workers
    for session in workers.sessions:
        session.close()


@dataclass(frozen=True)
class Content:
    """What one of two rebuilds would put into the tables, and what is said of it then."""

    contract: Contract
    batch: Batch

    def fill(self, warehouse: Warehouse, side: Side, turn: Turn = TURN) -> None:
        warehouse.drop(self.contract.stream, side, turn=TURN)
        warehouse.prepare(self.contract, side, turn=TURN)
        merged_at = {self.batch.name: NOON}
        warehouse.merge(self.contract, [self.batch], turn=turn, merged_at=merged_at, side=side)

    def told(self, warehouse: Warehouse) -> dict[str, Any]:
        reading = warehouse.reading(self.contract)
        return {
            "applied": warehouse.applied(self.contract.stream, Side.LIVE),
            "hash": reading.state_hash(),
            "books": reading.posted(),
            "open": reading.obligations(limit=99),
        }


FAULTY = Say("image", "k9", 7, {"a": None, "b": None})
FIRST = [Say("image", "k1", 1, {"a": "1", "b": "x"}), Say("gap", "k2", 3), FAULTY]
SECOND = [
    Say("image", "k1", 1, {"a": "7", "b": "y"}),
    Say("patch", "k2", 9, {"a": "7"}),
    Say("truncate", None, 4),
    Say("image", "k3", 5, {"a": "3", "b": None}),
    Say("gap", None, 8),
]


def content(said: list[Say], contract: Contract) -> Content:
    names = {column.name for column in contract.columns}
    within = [
        Say(one.kind, one.key, one.position, {name: value for name, value in one.fields.items() if name in names})
        for one in said
    ]
    return Content(contract, batch_of(within, contract))


def expected(first: Content, second: Content) -> dict[str, Any]:
    """What DuckDB says after its swap."""
    warehouse = DuckDBWarehouse(None)
    first.fill(warehouse, Side.LIVE)
    second.fill(warehouse, Side.SHADOW)
    warehouse.swap(second.contract, turn=TURN)
    told = second.told(warehouse)
    warehouse.close()
    return told


def cut_at(worker: Workers, first: Content, second: Content, *, everywhere: bool) -> int:
    """One of them is swapped in after the other, each time by a session that is cut off a statement later; unless
    `everywhere`, from the commit on and where the transaction begins. Returns how many statements a swap has."""
    told = {one.batch.name: expected(other, one) for one, other in ((first, second), (second, first))}
    second.fill(worker(), Side.LIVE)
    first.fill(worker(), Side.SHADOW)
    dying = worker()
    said = worker.sessions[-1].said
    said.clear()
    dying.swap(first.contract, turn=TURN)
    begin = next(at for at, text in enumerate(said) if text.splitlines()[-1].startswith("begin"))
    commit = said.index("commit")
    is_filled, dying = False, worker()
    for at in range(len(said)):
        if not (everywhere or at in (begin, begin + 1) or at >= commit):
            continue
        if not is_filled:
            second.fill(dying, Side.SHADOW)
            dying = worker()
        session = worker.sessions[-1]
        session.said.clear()
        session.left = at
        with pytest.raises(Cut):
            dying.swap(second.contract, turn=TURN)
        dying = worker()
        (live,) = dying.applied(first.contract.stream, Side.LIVE)
        is_filled = live == first.batch.name
        if not is_filled:
            first, second = second, first
        assert first.told(dying) == told[live], f"cut off before statement {at}, {said[at][:40]!r}"
        assert is_filled == ("commit" not in session.said[:-1])
    if not is_filled:
        second.fill(dying, Side.SHADOW)
    dying.swap(second.contract, turn=TURN)  # the next whole one takes away what the others have left
    return len(said)


@pytest.mark.parametrize(
    ("other", "everywhere"),
    [
        pytest.param(TEXT, False, id="the same types"),
        pytest.param(TEXT, True, id="the same types, everywhere", marks=pytest.mark.campaign),
        pytest.param(NUMBER, True, id="a column of another type, everywhere", marks=pytest.mark.campaign),
    ],
)
def test_a_swap_that_is_cut_off_at_any_statement_is_done_or_not(
    worker: Workers, other: Contract, everywhere: bool
) -> None:
    statements = cut_at(worker, content(FIRST, TEXT), content(SECOND, other), everywhere=everywhere)

    assert statements > 30
    assert tables(worker()) <= {"ERP__MY ACCOUNT", "ERP__MY ACCOUNT/SHADOW"}


def tables(warehouse: SnowflakeWarehouse) -> set[str]:
    found = warehouse.query("select table_name from information_schema.tables where table_schema in ('RAW', 'LATEST')")
    return {row["table_name"] for row in found.to_pylist()}


def test_a_swap_of_other_types_is_finished_by_those_who_come_next_each_cut_off_a_statement_later(
    worker: Workers,
) -> None:
    first, second = content(FIRST, TEXT), content(SECOND, NUMBER)
    reader, dying = worker(), worker()
    first.fill(reader, Side.LIVE)
    second.fill(reader, Side.SHADOW)
    worker.sessions[1].dies_at = "copy grants"
    with pytest.raises(Cut):
        dying.swap(NUMBER, turn=TURN)
    seen, cuts = [], 0
    while True:
        seen.append(reader.query('select count(*) as n from latest."ERP__MY ACCOUNT" where not _deleted').to_pylist())
        worker.left = 3 + cuts
        try:
            following = worker()
        except Cut:
            cuts += 1
        else:
            worker.sessions[-1].left = worker.left = None
            break

    assert second.told(following) == expected(first, second)
    assert cuts > 2
    assert [one[0]["n"] for one in seen] == sorted((one[0]["n"] for one in seen), reverse=True)
    assert {one[0]["n"] for one in seen} == {rows_of(first), rows_of(second)}
    assert tables(following) == {"ERP__MY ACCOUNT", "ERP__MY ACCOUNT/SHADOW"}


def after(*contents: Content) -> StreamReading:
    """What DuckDB says when it has merged all of it."""
    warehouse, contract = DuckDBWarehouse(None), contents[-1].contract
    warehouse.prepare(contract, Side.LIVE, turn=TURN)
    batches = [one.batch for one in contents]
    merged_at = dict.fromkeys((batch.name for batch in batches), NOON)
    warehouse.merge(contract, batches, turn=TURN, merged_at=merged_at, side=Side.LIVE)
    return warehouse.reading(contract)


def rows_of(of: Content) -> int:
    warehouse = DuckDBWarehouse(None)
    of.fill(warehouse, Side.LIVE)
    return warehouse.reading(of.contract).live_rows()


def swapped(worker: Workers, content_: Content, turn: Turn = TURN, **options: Any) -> SnowflakeWarehouse:
    warehouse = worker(**options)
    content_.fill(warehouse, Side.SHADOW, turn)
    warehouse.swap(content_.contract, turn=turn)
    return warehouse


def test_a_worker_that_was_overtaken_swaps_nothing(worker: Workers) -> None:
    first, second = content(FIRST, TEXT), content(SECOND, NUMBER)
    late = worker()
    first.fill(late, Side.LIVE)
    second.fill(late, Side.SHADOW)
    worker().note_certificates(TEXT.stream, [], turn=LATER)

    with pytest.raises(Fenced):
        late.swap(NUMBER, turn=TURN)

    assert list(late.applied(TEXT.stream, Side.LIVE)) == [first.batch.name]
    assert late.reading(TEXT).live_rows() == 1


def test_nothing_is_merged_into_tables_that_are_about_to_be_replaced(worker: Workers) -> None:
    """Who has prepared the tables before the swap, and comes behind it with a newer turn."""
    first, second, more = content(FIRST, TEXT), content(SECOND, NUMBER), content(FIRST[:1], NUMBER)
    first.fill(worker(), Side.LIVE)
    second.fill(worker(), Side.SHADOW)
    other, dying = worker(), worker()
    worker.sessions[-1].dies_at = "copy grants"
    with pytest.raises(Cut):
        dying.swap(NUMBER, turn=TURN)
    merging = (NUMBER, [more.batch])
    at = {more.batch.name: NOON}

    with pytest.raises(Transient):
        other.merge(*merging, turn=LATER, merged_at=at, side=Side.LIVE)
    other.prepare(NUMBER, Side.LIVE, turn=TURN)
    other.merge(*merging, turn=LATER, merged_at=at, side=Side.LIVE)

    assert set(other.applied(NUMBER.stream, Side.LIVE)) == {second.batch.name, more.batch.name}
    assert other.reading(NUMBER).state_hash() == after(second, more).state_hash()


def test_who_comes_late_to_the_end_of_a_swap_does_nothing(worker: Workers) -> None:
    """Its session was cut off, but for its last word, which reaches Snowflake when the next one has done it all."""
    first, second, more = content(FIRST, TEXT), content(SECOND, NUMBER), content(FIRST[:1], NUMBER)
    first.fill(worker(), Side.LIVE)
    second.fill(worker(), Side.SHADOW)
    dying = worker()
    session = worker.sessions[-1]
    session.dies_at = "copy grants"
    with pytest.raises(Cut):
        dying.swap(NUMBER, turn=TURN)
    following = worker()
    following.merge(NUMBER, [more.batch], turn=LATER, merged_at={more.batch.name: NOON}, side=Side.LIVE)
    before = following.reading(NUMBER).posted()

    with pytest.raises(Misconfigured, match="not exist"):
        worker()._session.run(Sql(session.said[-1]))

    assert following.reading(NUMBER).posted() == before
    assert following.reading(NUMBER).state_hash() == after(second, more).state_hash()


def test_a_swap_without_a_shadow_changes_nothing(worker: Workers) -> None:
    first, second = content(FIRST, TEXT), content(SECOND, TEXT)
    first.fill(worker(), Side.LIVE)
    warehouse = swapped(worker, second)

    with pytest.raises(Broken):
        warehouse.swap(TEXT, turn=TURN)

    assert second.told(warehouse) == expected(first, second)
