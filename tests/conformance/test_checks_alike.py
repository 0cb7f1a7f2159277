"""The same checks of the same rows come to the same outcomes in every warehouse, at the edges of every type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.test_checks import Tables, in_duckdb, in_snowflake, merged
from tests.snowflake import snowflake_server
from tests.telling import NOON, contract_of
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
from tieout.merge.warehouse import Side, Turn
from tieout.quality.measuring import Measuring
from tieout.quality.outcome import Outcome, State
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_server"]

NOW = int(NOON.timestamp()) * 1_000_000
HUGE, SMALL = "9" * 38, "-" + "9" * 38

VALUES: dict[str, list[str]] = {
    "boolean": ["true", "false"],
    "smallint": ["-32768", "32767", "0"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "9007199254740993"],
    "decimal(38,0)": [HUGE, SMALL, "99999999999999999999999999999999999998"],
    "decimal(38,9)": ["12345678901234567890123456789.123456789", "-0.000000001", "0"],
    "numeric": ["123456789012345678901234567890123456789012345.1", "1e3", "NaN", "0.1"],
    "real": ["0.1", "-3.5", "16777216"],
    "double": ["0.1", "NaN", "1e300", "-0.0"],
    "text": ["", "it's", '"quoted"', "\\ back", "é € 😀", "line\nbreak", "null", "A1", " "],
    "date": ["1969-12-31", "2024-02-29", "9999-12-31"],
    "time": ["00:00:00", "23:59:59.999999", "10:00:00.5"],
    "timestamp": ["1969-12-31 23:59:59.999999", "2024-02-29 12:00:00", "2026-11-20 11:59:59.5"],
    "timestamptz": ["1969-12-31T23:59:59.999999Z", "2024-02-29T12:00:00+02:00", "2026-11-20T23:00:00Z"],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": ['{"a": [1, null, 1.10]}', "[]"],
}
TOLD: dict[str, list[str]] = {
    "boolean": ["T", "1"],
    "numeric": ["1000", "0.10"],
    "decimal(38,9)": ["0.0000000000", "-1e-9", "x"],
    "timestamptz": ["2024-02-29 10:00:00+00", "2026-11-20 23:00:00"],
    "uuid": ["A0EEBC999C0B4EF8BB6D6BB9BD380A11"],
}
"""How a contract may write values of a type besides, and what is none."""
LIMITS: dict[str, list[tuple[str | None, str | None]]] = {
    "smallint": [("0", None), (None, "0.5"), ("-32768", "32767")],
    "bigint": [("9007199254740993", None), (None, "9007199254740992"), (None, "1e40")],
    "decimal(38,0)": [(HUGE, None), (None, "99999999999999999999999999999999999998"), (SMALL, HUGE), (None, "0.5")],
    "decimal(38,9)": [("0", None), ("-0.000000001", "12345678901234567890123456789.123456788"), (None, "1E+3")],
    "numeric": [("0", "1000"), (None, "0.1")],
    "real": [("0", "0.1"), ("-3.5", "0.2")],
    "double": [("0", None), (None, "1e300")],
    "date": [("-86400000000", "0"), ("1709164800000000", None)],
    "timestamp": [("0", None), (None, "1709208000000000"), ("-1", "1709207999999999")],
    "timestamptz": [("-1", None), ("0", "1709200800000000")],
}
PATTERNS = ["[0-9]{4}-02-29", "^$", "[.]", "^A[0-9]$", "é", "a.b", "e.b", "^line", "break$", "\\\\", "'|\"", "", "x*"]

NAMES = {f"{''.join(letter for letter in type_ if letter.isalnum())}": type_ for type_ in VALUES}
EDGES = contract_of("erp.edges", **{f"of_{name}": type_ for name, type_ in NAMES.items()}, back="text")
PEOPLE = contract_of("crm.account", name="text")
DAYS = contract_of("shop.order", at="timestamp", day="date", instant="timestamptz", account="text", rows="integer")
OF = {column.name.removeprefix("of_"): column for column in EDGES.fields}


def rows_of_edges() -> dict[str, dict[str, Any]]:
    """Each value in one row, the first one of each type in one more, and a row without any."""
    rows: dict[str, dict[str, Any]] = {"none": {}, 'it\'s "é" 😀\\': {"of_text": "A1"}}
    for at in range(max(len(values) for values in VALUES.values())):
        row = {f"of_{name}": VALUES[type_][at] for name, type_ in NAMES.items() if at < len(VALUES[type_])}
        rows[f"k{at}"] = {**row, "back": f"k{at % 2}"}
    return rows | {"again": rows["k0"]}


def rows_of_days() -> dict[str, dict[str, Any]]:
    """Forty rows a day for forty days but for a pause, half as many on the last, some of them without an account."""
    rows: dict[str, dict[str, Any]] = {"old": {"at": "1969-12-31 23:00:00"}, "late": {"at": "2030-01-01 00:00:00"}}
    for ago in (ago for ago in range(40, 0, -1) if not 20 <= ago <= 22):
        for number in range(20 if ago == 1 else 40):
            at = datetime(2026, 11, 20, tzinfo=UTC) - timedelta(days=ago) + timedelta(minutes=number, microseconds=ago)
            said = {"at": f"{at:%Y-%m-%d %H:%M:%S.%f}", "instant": at.isoformat(), "day": f"{at:%Y-%m-%d}"}
            rows[f"{ago:02}-{number:02}"] = {**said, "account": None if ago == 1 and number < 8 else "A1"}
    return rows


@pytest.fixture(scope="module")
def both(snowflake_server: SnowflakeServer) -> Iterator[tuple[Tables, Tables]]:
    with in_duckdb() as here, in_snowflake(snowflake_server) as there:
        for one in (here, there):
            merged(one, rows_of_edges(), EDGES, at=NOON - timedelta(hours=2))
            merged(one, {"A1": {}, "true": {}, "-32768": {}, "0.100": {}}, PEOPLE)
            merged(one, rows_of_days(), DAYS, at=NOON - timedelta(minutes=30))
            one.prepare(contract_of("shop.empty", at="timestamp", number="integer"), Side.LIVE, turn=Turn("shop", 1))
        yield here, there


def alike(
    both: tuple[Tables, Tables], contract: Contract, rules: Sequence[Rule], *, backtest_days: int = 0
) -> list[Outcome]:
    """What the rules come to, which is the same in both."""
    checks = [Check(f"check {at}", rule, NONE) for at, rule in enumerate(rules)]
    checks.append(Check("share", rules[0], (Demand("mustBeLessThan", (20,)),), Unit.PERCENT))
    parents = {"crm.account": PEOPLE, "erp.edges": EDGES}
    found = [
        Measuring(one, contract, parents, now=NOW, backtest_days=backtest_days).checkup(checks).outcomes for one in both
    ]

    assert found[0] == found[1]
    assert not [one.verdict.told for one in found[0] if "could not be asked" in one.verdict.told]
    return list(found[0][: len(rules)])


@pytest.mark.parametrize("name", NAMES)
def test_values_of_every_type_are_counted_and_named_alike(both: tuple[Tables, Tables], name: str) -> None:
    column, type_ = OF[name], NAMES[name]
    values = [*VALUES[type_], *TOLD.get(type_, [])]
    rules: list[Rule] = [Nulls(column), Duplicates((column,)), Duplicates((column, OF["text"])), RowCount()]
    rules += [Invalid(column, tuple(values[at:]), None) for at in range(len(values))]
    rules += [Invalid(column, (), None), Missing(column, (), True), Missing(column, (), False)]
    for least, most in LIMITS.get(type_, []):
        limits = [None if limit is None else Decimal(limit) for limit in (least, most)]
        rules.append(Range(column, *limits, ""))
    if type_ not in ("real", "double"):  # which every engine writes in its own way
        rules += [Missing(column, (value, "0"), True) for value in values]
        rules += [Invalid(column, None, pattern) for pattern in PATTERNS[: len(PATTERNS) if type_ == "text" else 3]]

    found = alike(both, EDGES, rules)

    assert {one.verdict.state for one in found} == {State.PASSED, State.FAILED}


def test_references_are_followed_alike(both: tuple[Tables, Tables]) -> None:
    people, edges = Stream("crm", "account"), Stream("erp", "edges")
    columns = [OF[name] for name in NAMES if NAMES[name] not in ("real", "double")]
    rules: list[Rule] = [Reference((column,), people, 3600) for column in columns]
    rules.append(Reference((OF["text"],), people, 86_400))
    rules.append(Reference((OF["back"],), edges, 0))

    found = alike(both, EDGES, rules)

    assert {one.verdict.state for one in found} == {State.PASSED, State.PENDING, State.FAILED}


def test_days_pauses_and_the_past_are_judged_alike(both: tuple[Tables, Tables]) -> None:
    of = {column.name: column for column in DAYS.fields}
    moments = [of["at"], of["instant"], of["day"]]
    rules: list[Rule] = [Volume(moment, 4, 3, 0.3, delay) for moment in moments for delay in (0, 86_400)]
    rules += [NullRate(of["account"], moment, 14, 7, 0.02, 0) for moment in moments]
    rules += [NullRate(moment, moments[0], 14, 7, 0.02, 0) for moment in moments]
    rules += [Freshness(moment, age) for moment in moments for age in (3600, 2 * 86_400)]
    rules += [Freshness(None, 3600), Freshness(None, 60)]

    found = alike(both, DAYS, rules, backtest_days=30)

    assert {one.verdict.state for one in found} == {State.PASSED, State.FAILED}
    assert any(
        one.backtest is not None and one.backtest.cried for one in found if isinstance(one.check.rule, Freshness)
    )


def test_a_table_without_rows_is_judged_alike(both: tuple[Tables, Tables]) -> None:
    contract = contract_of("shop.empty", at="timestamp", number="integer")
    number, at = contract.fields[1], contract.fields[0]
    rules: list[Rule] = [Nulls(number), Duplicates((number,)), RowCount(), Invalid(number, ("1",), "1")]
    rules += [
        Range(number, Decimal(0), None, ""),
        Missing(number, ("1",), True),
        Freshness(at, 60),
        Freshness(None, 60),
    ]
    rules += [Volume(at, 4, 3, 0.3, 0), NullRate(number, at, 14, 7, 0.02, 0)]
    rules += [Reference((number,), Stream("crm", "account"), 0), Query("select count(*) from {object}", None)]

    found = alike(both, contract, rules, backtest_days=7)

    assert {one.verdict.state for one in found} == {State.PASSED, State.FAILED, State.UNKNOWN}


STATEMENTS = [
    "select count(*) from {object} where {property} = 'it''s' -- a $1 of nobody's",
    "select count(*) from ${table} where of_text is null",
    "select max(of_decimal380) from {object}",
    "select max(of_bigint) from {object}",
    "select count(*) > 3 from latest.erp__edges where not _deleted",
    "select null",
    "select of_text from {object}",
    "select 1 where false",
]


def test_statements_of_ones_own_return_the_same(both: tuple[Tables, Tables]) -> None:
    alike(both, EDGES, [Query(text, OF["text"]) for text in STATEMENTS])


def test_what_cannot_be_asked_is_blamed_alike_and_the_others_are_measured(both: tuple[Tables, Tables]) -> None:
    rules = [Nulls(OF["text"]), Invalid(OF["text"], None, "("), Query("select nought from {object}", None)]
    checks = [Check(f"check {at}", rule, NONE) for at, rule in enumerate(rules)]

    found = [Measuring(one, EDGES, {}, now=NOW).checkup(checks).outcomes for one in both]

    told = [[one.verdict.told.startswith("it could not be asked: ") for one in outcomes] for outcomes in found]
    assert told == [[False, True, True]] * 2
    assert found[0][0] == found[1][0]
