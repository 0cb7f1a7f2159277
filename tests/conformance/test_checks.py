"""Every kind of check, measured in every warehouse: what fails is counted and named, and what is none of it is not.

DuckDB is the real one; Snowflake's driver asks the stand-in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pytest

from tests.snowflake import connect, own_database, snowflake_server
from tests.telling import NOON, Say, batch_of, contract_of
from tieout.base.change import Kind
from tieout.base.stream import Stream
from tieout.contract.checks import (
    NONE,
    Check,
    Demand,
    Duplicates,
    Freshness,
    Invalid,
    Missing,
    NullRate,
    Nulls,
    Query,
    Range,
    Reference,
    RowCount,
    Rule,
    Unit,
    Volume,
)
from tieout.contract.contract import Contract
from tieout.merge.duckdb import DuckDBWarehouse
from tieout.merge.snowflake.account import session_parameters
from tieout.merge.snowflake.session import Session
from tieout.merge.snowflake.warehouse import SnowflakeWarehouse
from tieout.merge.warehouse import CheckNote, Engine, Side, Turn
from tieout.quality.asking import noted
from tieout.quality.measuring import Measuring
from tieout.quality.outcome import Outcome, State, Verdict
from tieout.sim.snowflake.server import SnowflakeServer
from tieout.sim.world.machine.rulehouse import RuleStore, RuleWarehouse

__all__ = ["snowflake_server"]

ORDERS = contract_of(
    "shop.order",
    account="text",
    number="integer",
    amount="decimal(10,2)",
    exact="numeric",
    share="double",
    day="date",
    at="timestamptz",
    paid="boolean",
)
ACCOUNTS = contract_of("crm.account", name="text")
OF = {column.name: column for column in ORDERS.columns}
NOW = int(NOON.timestamp()) * 1_000_000
"""It is noon on Friday, 20 November 2026."""


Tables = DuckDBWarehouse | SnowflakeWarehouse


@contextmanager
def in_duckdb() -> Iterator[DuckDBWarehouse]:
    with closing(DuckDBWarehouse(None)) as opened:
        yield opened


@contextmanager
def in_snowflake(server: SnowflakeServer) -> Iterator[SnowflakeWarehouse]:
    """A warehouse in a new database, whose sessions may be told statements that people wrote."""
    with own_database(server) as database:
        options = {"database": database, "session_parameters": session_parameters({}), "autocommit": False}
        open_ = partial(Session, lambda: connect(server, **options), "the stand-in")
        with closing(SnowflakeWarehouse(open_, mark="checks")) as opened:
            yield opened


@pytest.fixture(scope="module")
def snowflake(snowflake_server: SnowflakeServer) -> Iterator[SnowflakeWarehouse]:
    with in_snowflake(snowflake_server) as opened:
        yield opened


@pytest.fixture(params=Engine)
def warehouse(request: pytest.FixtureRequest) -> Iterator[Tables]:
    """One without tables."""
    if request.param is Engine.DUCKDB:
        with in_duckdb() as opened:
            yield opened
        return
    emptied = request.getfixturevalue("snowflake")
    for contract in (ORDERS, ACCOUNTS):
        emptied.drop(contract.stream, Side.LIVE, turn=Turn("shop", 1))
    yield emptied


@pytest.fixture(scope="module", params=Engine)
def many(request: pytest.FixtureRequest) -> Iterator[Tables]:
    """The rows of MANY, for tests that only read. Snowflake has no moment without an end."""
    is_here = request.param is Engine.DUCKDB
    rows = MANY if is_here else MANY | {"c": MANY["c"] | {"day": "9999-12-31", "at": "9999-12-31T23:59:59Z"}}
    with in_duckdb() if is_here else in_snowflake(request.getfixturevalue("snowflake_server")) as opened:
        merged(opened, rows, at=NOON - timedelta(days=1))
        merged(opened, {"1": {}, "2": {}}, ACCOUNTS)
        yield opened


def merged(
    warehouse: Tables,
    rows: Mapping[str, Mapping[str, Any]],
    contract: Contract = ORDERS,
    *,
    at: datetime = NOON,
    position: int = 1,
) -> None:
    """These rows are told in full, and were merged at that moment."""
    fields = [column.name for column in contract.fields]
    said = [
        Say(Kind.IMAGE, key, position, {name: row.get(name) for name in fields}) for key, row in sorted(rows.items())
    ]
    batch = batch_of(said, contract)
    warehouse.prepare(contract, Side.LIVE, turn=Turn("shop", 1))
    turn = Turn(contract.stream.source, 1)
    warehouse.merge(contract, [batch], turn=turn, merged_at={batch.name: at}, side=Side.LIVE)


def outcomes_of(warehouse: Tables, checks: Sequence[Check], *, backtest_days: int = 0) -> list[Outcome]:
    parents = {"crm.account": ACCOUNTS}
    measuring = Measuring(warehouse, ORDERS, parents, now=NOW, backtest_days=backtest_days)
    return list(measuring.checkup(checks).outcomes)


def of(warehouse: Tables, rule: Rule, *demands: Demand, unit: str = Unit.ROWS) -> Verdict:
    (outcome,) = outcomes_of(warehouse, [Check("it", rule, demands or NONE, unit)])
    return outcome.verdict


def keys(*names: str) -> tuple[str, ...]:
    return tuple(f'["{name}"]' for name in names)


MANY: dict[str, dict[str, Any]] = {
    "a": {"account": "A1", "number": "1", "amount": "0.00", "exact": "1.0", "share": "0.5", "paid": "true"},
    "b": {"account": "", "number": "2", "amount": "10.50", "exact": "1e3", "share": "NaN", "day": "2026-11-20"},
    "c": {"account": "A1", "number": "-3", "amount": "-0.01", "exact": "-7", "day": "infinity", "at": "infinity"},
    "d": {"account": "N/A", "amount": "99999999.99", "day": "2020-01-01", "at": "2020-01-01T00:00:00Z"},
}


@pytest.mark.parametrize(
    ("rule", "failing"),
    [
        (Nulls(OF["number"]), keys("d")),
        (Missing(OF["account"], ("", "N/A"), False), keys("b", "d")),
        (Missing(OF["paid"], (), True), keys("b", "c", "d")),
        (Invalid(OF["account"], ("A1", ""), None), keys("d")),
        (Invalid(OF["account"], None, "^A[0-9]$"), keys("b", "d")),
        (Invalid(OF["account"], ("A1", "N/A"), "/"), keys("a", "b", "c")),
        (Invalid(OF["account"], None, "'; drop table x --"), keys("a", "b", "c", "d")),
        (Invalid(OF["number"], ("1", "2", "two"), None), keys("c")),
        (Invalid(OF["amount"], ("0", "10.5", "-0.01"), None), keys("d")),
        (Invalid(OF["exact"], ("1", "1000"), None), keys("c")),
        (Invalid(OF["paid"], ("false",), None), keys("a")),
        (Invalid(OF["day"], ("2020-01-01",), None), keys("b", "c")),
        (Range(OF["number"], Decimal("0"), Decimal("1.5"), ""), keys("b", "c")),
        (Range(OF["number"], Decimal("0"), Decimal("1e40"), ""), keys("c")),
        (Range(OF["amount"], Decimal("0"), None, ""), keys("c")),
        (Range(OF["amount"], Decimal("-0.01"), Decimal("99999999.98"), ""), keys("d")),
        (Range(OF["amount"], None, Decimal("0.001"), ""), keys("b", "d")),
        (Range(OF["exact"], Decimal("0"), Decimal("999"), ""), keys("b", "c")),
        (Range(OF["share"], Decimal("0"), Decimal("1"), ""), keys("b")),
        (Range(OF["day"], Decimal(1_600_000_000_000_000), None, ""), keys("d")),
        (Range(OF["at"], Decimal(1_600_000_000_000_000), None, ""), keys("d")),
        (Duplicates((OF["account"],)), keys("a", "c")),
    ],
)
def test_the_rows_that_fail_are_counted_and_named(many: Tables, rule: Rule, failing: tuple[str, ...]) -> None:
    found = of(many, rule)

    assert (found.state, found.keys) == (State.FAILED, failing)
    assert found.failing == (1 if isinstance(rule, Duplicates) else len(failing))


@pytest.mark.parametrize(
    "rule",
    [
        Nulls(OF["account"]),
        Missing(OF["account"], ("none",), True),
        Invalid(OF["number"], ("1", "2", "-3"), None),
        Range(OF["number"], Decimal("-3"), Decimal("2"), ""),
        Duplicates((OF["number"],)),
        Duplicates((OF["account"], OF["number"])),
        Duplicates((OF["paid"],)),
    ],
)
def test_where_no_row_fails_the_check_passes(many: Tables, rule: Rule) -> None:
    found = of(many, rule)

    assert (found.state, found.failing, found.keys) == (State.PASSED, 0, ())


def test_rows_that_are_gone_are_not_looked_at(warehouse: Tables) -> None:
    merged(warehouse, {"a": {}, "b": {"number": "1"}})
    gone = batch_of([Say(Kind.DELETE, "a", 2)], ORDERS)
    warehouse.merge(ORDERS, [gone], turn=Turn("shop", 1), merged_at={gone.name: NOON}, side=Side.LIVE)

    assert of(warehouse, Nulls(OF["number"])).state is State.PASSED
    assert of(warehouse, RowCount(), Demand("mustBe", (1,))).state is State.PASSED
    assert of(warehouse, Query("select count(*) from {object}", None), Demand("mustBe", (1,))).state is State.PASSED


def test_a_share_is_of_all_rows(many: Tables) -> None:
    quarter = of(many, Nulls(OF["number"]), Demand("mustBeLessOrEqualTo", (25,)), unit=Unit.PERCENT)
    less = of(many, Nulls(OF["number"]), Demand("mustBeLessThan", (25,)), unit=Unit.PERCENT)

    assert (quarter.state, quarter.measured, less.state) == (State.PASSED, 25.0, State.FAILED)
    assert less.told == "in 1 of 4 rows (25 percent), number is null; must be less than 25 percent"


def test_no_more_keys_are_named_than_a_person_would_look_at(warehouse: Tables) -> None:
    merged(warehouse, {f"k{number:02}": {} for number in range(40)})

    found = of(warehouse, Nulls(OF["number"]))

    assert (found.failing, len(found.keys), found.keys[0]) == (40, 10, '["k00"]')


def test_a_table_without_rows_keeps_what_is_said_of_its_rows_but_is_not_fresh(warehouse: Tables) -> None:
    warehouse.prepare(ORDERS, Side.LIVE, turn=Turn("shop", 1))

    assert of(warehouse, Nulls(OF["number"]), Demand("mustBeLessThan", (1,)), unit=Unit.PERCENT).state is State.PASSED
    assert of(warehouse, RowCount(), Demand("mustBeGreaterThan", (0,))).state is State.FAILED
    assert of(warehouse, Freshness(OF["at"], 3600)).state is State.FAILED


def test_a_stream_without_tables_is_unknown(warehouse: Tables) -> None:
    found = of(warehouse, Nulls(OF["number"]))

    assert (found.state, found.told) == (State.UNKNOWN, "nothing has been merged yet")


def test_a_column_that_the_table_has_yet_to_gain_is_unknown_and_the_others_are_measured(
    warehouse: Tables,
) -> None:
    before = contract_of("shop.order", account="text")
    merged(warehouse, {"a": {"account": None}}, before)

    found = outcomes_of(warehouse, [Check("x", Nulls(OF["number"]), NONE), Check("y", Nulls(OF["account"]), NONE)])

    assert [one.verdict.state for one in found] == [State.UNKNOWN, State.FAILED]
    assert found[0].verdict.told == "its table has yet to gain number, at the next run"


REFERENCE = Reference((OF["account"],), Stream("crm", "account"), 3600)


def test_a_late_parent_is_waited_for_and_then_missed(warehouse: Tables) -> None:
    merged(warehouse, {"A1": {}}, ACCOUNTS)
    merged(warehouse, {"old": {"account": "A2"}, "good": {"account": "A1"}, "none": {}}, at=NOON - timedelta(hours=1))
    merged(warehouse, {"new": {"account": "A3"}}, at=NOON - timedelta(minutes=59), position=2)

    found = of(warehouse, REFERENCE)

    assert (found.state, found.failing, found.pending, found.keys) == (State.FAILED, 1, 1, keys("old"))


def test_rows_that_only_wait_are_pending_and_pass_once_the_parent_is_there(warehouse: Tables) -> None:
    merged(warehouse, {}, ACCOUNTS)
    merged(warehouse, {"new": {"account": "A3"}})

    waiting = of(warehouse, REFERENCE)
    merged(warehouse, {"A3": {}}, ACCOUNTS, position=2)
    after = of(warehouse, REFERENCE)

    assert (waiting.state, waiting.failing, waiting.pending) == (State.PENDING, 0, 1)
    assert (after.state, after.pending) == (State.PASSED, 0)


def test_what_else_changes_in_a_row_does_not_make_it_young_again(warehouse: Tables) -> None:
    merged(warehouse, {}, ACCOUNTS)
    merged(warehouse, {"a": {"account": "A9", "number": "1"}}, at=NOON - timedelta(days=2))
    merged(warehouse, {"a": {"account": "A9", "number": "2"}}, position=2)

    found = of(warehouse, REFERENCE)
    merged(warehouse, {"a": {"account": "A8", "number": "2"}}, position=3)
    other = of(warehouse, REFERENCE)

    assert (found.state, other.state) == (State.FAILED, State.PENDING)


def test_a_parent_without_tables_leaves_it_unknown(warehouse: Tables) -> None:
    merged(warehouse, {"a": {"account": "A1"}})

    assert of(warehouse, REFERENCE).told == "nothing of crm.account has been merged yet"


def test_columns_of_other_types_are_compared_as_text(many: Tables) -> None:
    assert of(many, Reference((OF["number"],), Stream("crm", "account"), 0)).keys == keys("c")


def test_freshness_is_of_the_newest_moment_that_is_not_ahead_of_us(warehouse: Tables) -> None:
    told = {"a": "2026-11-20T10:00:00Z", "b": "2031-01-01T00:00:00Z", "c": "infinity", "d": None}
    merged(warehouse, {key: {"at": at} for key, at in told.items()})

    assert of(warehouse, Freshness(OF["at"], 7200)).state is State.PASSED
    assert (
        of(warehouse, Freshness(OF["at"], 5400)).told == "the newest at is 2 hours old; must be at most 90 minutes old"
    )


def test_freshness_of_the_merge_is_of_the_last_one(warehouse: Tables) -> None:
    merged(warehouse, {"a": {}}, at=NOON - timedelta(hours=3))
    merged(warehouse, {"b": {}}, at=NOON - timedelta(hours=2), position=2)

    assert of(warehouse, Freshness(None, 7200)).measured == 7200
    assert of(warehouse, Freshness(None, 7199)).state is State.FAILED


def days_of_rows(rows_of_the_last: int, *, lacking: int = 0) -> dict[str, dict[str, Any]]:
    """Eighty rows a day for sixty days, perhaps fewer on the last, some of which lack an account."""
    found: dict[str, dict[str, Any]] = {}
    for ago in range(60, 0, -1):
        count = rows_of_the_last if ago == 1 else 80
        for number in range(count):
            at = datetime(2026, 11, 20, tzinfo=UTC) - timedelta(days=ago) + timedelta(minutes=number)
            account = None if ago == 1 and number < lacking else "A1"
            found[f"{ago:02}-{number:03}"] = {"at": at.isoformat(), "account": account}
    return found


VOLUME = Check("volume", Volume(OF["at"], 8, 4, 0.3, 0))
RATE = Check("rate", NullRate(OF["account"], OF["at"], 28, 14, 0.02, 0))


def test_half_a_day_and_a_spike_of_nulls_are_caught_and_told_of_the_past(warehouse: Tables) -> None:
    merged(warehouse, days_of_rows(40, lacking=12))

    fresh = Check("fresh", Freshness(OF["at"], 2 * 86_400))
    found = outcomes_of(warehouse, [VOLUME, RATE, fresh], backtest_days=30)

    assert [one.verdict.state for one in found] == [State.FAILED, State.FAILED, State.PASSED]
    assert [one.verdict.measured for one in found][:2] == [40, 30.0]
    cried = [[day.isoformat() for day in one.backtest.cried] for one in found if one.backtest is not None]
    assert cried == [["2026-11-19"], ["2026-11-19"], []]
    assert [one.backtest.judged for one in found if one.backtest is not None] == [30, 30, 30]


def test_a_day_as_the_others_passes_and_a_short_history_says_nothing(warehouse: Tables) -> None:
    rows = days_of_rows(78)
    merged(warehouse, rows)

    assert [one.verdict.state for one in outcomes_of(warehouse, [VOLUME, RATE])] == [State.PASSED, State.PASSED]

    gone = batch_of([Say(Kind.DELETE, key, 2) for key in rows if int(key[:2]) > 14], ORDERS)
    warehouse.merge(ORDERS, [gone], turn=Turn("shop", 1), merged_at={gone.name: NOON}, side=Side.LIVE)

    assert [one.verdict.state for one in outcomes_of(warehouse, [VOLUME, RATE])] == [State.UNKNOWN, State.UNKNOWN]


def test_a_pause_of_the_past_is_found_by_the_backtest(warehouse: Tables) -> None:
    rows = {key: row for key, row in days_of_rows(80).items() if not 5 <= int(key[:2]) <= 7}
    merged(warehouse, rows)

    (found,) = outcomes_of(warehouse, [Check("fresh", Freshness(OF["at"], 2 * 86_400))], backtest_days=30)

    assert found.verdict.state is State.PASSED
    assert found.backtest is not None
    assert [day.isoformat() for day in found.backtest.cried] == ["2026-11-14", "2026-11-15"]


@pytest.mark.parametrize(
    ("text", "state", "told"),
    [
        ("select count(*) from {object} where {property} is null -- none", State.PASSED, "returned 0;"),
        ("with x as (select * from ${table}) select count(${column}) - 4 from x", State.PASSED, "returned 0;"),
        ("select count(*) > 4 from latest.shop__order", State.PASSED, "returned 0;"),
        ("select sum(amount) from {object}", State.FAILED, "returned 1e+08;"),
        ("select null", State.FAILED, "returned null;"),
        ("select 'nought'", State.FAILED, "no number"),
        ("select 'nan'::double", State.FAILED, "no number"),
        ("select 0 where false", State.FAILED, "no row"),
        ("select * from (values (1), (2), (3))", State.FAILED, "more than one row"),
        ("select 0, 0", State.FAILED, "2 columns"),
        ("select nought from {object}", State.FAILED, "could not be asked"),
        ("select $1 from {object}", State.FAILED, "could not be asked"),
        ("delete from latest.shop__order", State.FAILED, "could not be asked"),
        ("select 0); delete from latest.shop__order; select (0", State.FAILED, "could not be asked"),
    ],
)
def test_a_statement_of_ones_own_returns_one_number_and_writes_nothing(
    many: Tables, text: str, state: State, told: str
) -> None:
    found = of(many, Query(text, OF["account"]), unit="")

    assert (found.state, told in found.told) == (state, True), found.told
    assert of(many, RowCount(), Demand("mustBe", (4,))).state is State.PASSED


ENDLESS = {
    Engine.DUCKDB: "select count(*) from range(1000000) a, range(1000000) b where hash(a, b) = 1",
    Engine.SNOWFLAKE: "with a as (select seq4() as n from table(generator(rowcount => 1000000)))"
    " select count(*) from a, a as b where hash(a.n, b.n) = 1",
}


def test_a_statement_without_an_end_is_broken_off(many: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tieout.quality.measuring.QUERY_SECONDS", 0.1)
    found = of(many, Query(ENDLESS[many.engine], None))

    assert found.told.startswith("it could not be asked: the statement had not ended after 0.1 seconds")
    assert of(many, RowCount(), Demand("mustBe", (4,))).state is State.PASSED


def test_a_pattern_that_is_none_is_blamed_and_the_others_are_measured(many: Tables) -> None:
    checks = [
        Check("x", Nulls(OF["number"]), NONE),
        Check("y", Invalid(OF["account"], None, "("), NONE),
        Check("z", RowCount(), (Demand("mustBe", (4,)),)),
    ]

    found = outcomes_of(many, checks)

    assert [one.verdict.state for one in found] == [State.FAILED, State.FAILED, State.PASSED]
    assert found[0].verdict.failing == 1
    assert found[1].verdict.told.startswith("it could not be asked: ")
    assert "Invalid Input Error: missing )" in found[1].verdict.told


FIRST = [CheckNote("shop.order", NOON, name, "block", "passed", 1.5, "") for name in ("x", "y")]
LATER = CheckNote("shop.order", NOON + timedelta(microseconds=1), "x", "warn", "failed", None, "why")


def test_what_came_of_a_stream_at_one_moment_is_kept_once(warehouse: Tables) -> None:
    warehouse.note_checks(FIRST)
    warehouse.note_checks([*FIRST, LATER])

    rows = warehouse.query("select stream, name, outcome, measured, told from tieout.checks order by checked_at, name")
    found = [tuple(row.values()) for row in rows.to_pylist()]
    assert found == [(one.stream, one.name, one.outcome, one.measured, one.told) for one in [*FIRST, LATER]]
    known = {(row["stream"], int(row["moment"])) for row in warehouse.query(noted(warehouse.engine)).to_pylist()}
    assert known == {("shop.order", NOW), ("shop.order", NOW + 1)}


def test_a_warehouse_by_the_rule_keeps_it_once_too() -> None:
    kept = RuleWarehouse(RuleStore())

    kept.note_checks(FIRST)
    kept.note_checks([*FIRST, LATER])

    assert kept._store.content.checks == (*FIRST, LATER)


class Counting:
    """A reader that counts what it is asked."""

    def __init__(self, reader: Tables) -> None:
        self._reader = reader
        self.engine = reader.engine
        self.asked: list[str] = []

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        self.asked.append(statement)
        return self._reader.query(statement, parameters, seconds=seconds)

    def close(self) -> None:
        self._reader.close()


def test_the_checks_of_rows_are_one_pass_over_the_table_and_those_of_days_another(warehouse: Tables) -> None:
    merged(warehouse, days_of_rows(80))
    reader = Counting(warehouse)
    rules: list[Rule] = [Nulls(one) for one in ORDERS.fields]
    rules += [Duplicates((OF["id"],)), Range(OF["amount"], Decimal(0), None, ""), Freshness(OF["at"], 10**6)]
    checks = [Check(f"check {at}", rule, NONE) for at, rule in enumerate(rules)]

    Measuring(reader, ORDERS, {}, now=NOW).checkup([*checks, VOLUME, RATE])

    assert len([one for one in reader.asked if '"latest"."shop__order"' in one.lower()]) == 2
