"""What stands under `quality` in a contract becomes a check, or is answered with what would."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tieout.base.errors import Misconfigured
from tieout.base.stream import Stream
from tieout.contract import odcs
from tieout.contract.checks import (
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
    Severity,
    Volume,
)
from tieout.contract.quality import SEVERITIES, load_checks

ORDER = Stream("shop", "order")
COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"logicalType": "string", "primaryKey": True, "required": True, "unique": True},
    "account": {"logicalType": "string"},
    "amount": {"logicalType": "number", "physicalType": "decimal(10,2)"},
    "at": {"logicalType": "timestamp"},
}


def checks_of(
    tmp_path: Path,
    table: list[dict[str, Any]] | None = None,
    beside: dict[str, list[dict[str, Any]]] | None = None,
    **flags: dict[str, Any],
) -> tuple[Check, ...]:
    """The checks of a contract with these entries, above its columns and beside them."""
    properties = [
        {"name": name, **said, **flags.get(name, {}), **({"quality": beside[name]} if name in (beside or {}) else {})}
        for name, said in COLUMNS.items()
    ]
    schema = {"name": "order", "properties": properties, **({"quality": table} if table else {})}
    head = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": "o", "name": "o", "version": "1.0.0"}
    path = tmp_path / "order.yaml"
    path.write_text(yaml.safe_dump(head | {"status": "active", "schema": [schema]}, sort_keys=False))
    return load_checks(path, odcs.load(path, ORDER))


def column_of(tmp_path: Path, name: str) -> Any:
    checks_of(tmp_path)
    return next(one for one in odcs.load(tmp_path / "order.yaml", ORDER).columns if one.name == name)


def ours(**said: Any) -> dict[str, Any]:
    return {"type": "custom", "engine": "tieout", "implementation": said}


def test_a_contract_without_quality_demands_nothing(tmp_path: Path) -> None:
    assert checks_of(tmp_path) == ()


@pytest.mark.parametrize(
    ("entry", "column", "rule", "told"),
    [
        ({"metric": "nullValues", "mustBe": 0}, "amount", lambda c: Nulls(c), "must be 0"),
        (
            {"metric": "nullValues", "mustBeLessThan": 1.5, "unit": "percent"},
            "amount",
            lambda c: Nulls(c),
            "must be less than 1.5 percent",
        ),
        (
            {"metric": "missingValues", "arguments": {"missingValues": [None, "", "N/A"]}, "mustBe": 0},
            "account",
            lambda c: Missing(c, ("", "N/A"), True),
            "must be 0",
        ),
        (
            {"metric": "invalidValues", "arguments": {"validValues": ["kg", 5, True]}, "mustBeLessOrEqualTo": 3},
            "account",
            lambda c: Invalid(c, ("kg", "5", "true"), None),
            "must be at most 3",
        ),
        (
            {"type": "library", "metric": "invalidValues", "arguments": {"pattern": "^A"}, "mustBe": 0},
            "account",
            lambda c: Invalid(c, None, "^A"),
            "must be 0",
        ),
        ({"rule": "duplicateCount", "mustBe": 0}, "account", lambda c: Duplicates((c,)), "must be 0"),
        (
            ours(metric="range", minimum=0, maximum=99.5),
            "amount",
            lambda c: Range(c, Decimal("0"), Decimal("99.5"), "0 to 99.5"),
            "must be 0",
        ),
        (
            ours(metric="range", minimum="1970-01-02"),
            "at",
            lambda c: Range(c, Decimal(86_400_000_000), None, "at least 1970-01-02"),
            "must be 0",
        ),
        (
            ours(metric="reference", to="crm.account", pendingFor="2h"),
            "account",
            lambda c: Reference((c,), Stream("crm", "account"), 7200),
            "must be 0",
        ),
        (ours(metric="freshness", maxAge="2d"), "at", lambda c: Freshness(c, 172_800), ""),
        (ours(metric="volume"), "at", lambda c: Volume(c, 8, 4, 0.3, 0), ""),
        ({"type": "sql", "query": "select 1;", "mustBe": True}, "at", lambda c: Query("select 1", c), "must be 1"),
    ],
)
def test_an_entry_beside_a_property_is_about_that_one(
    tmp_path: Path, entry: dict[str, Any], column: str, rule: Any, told: str
) -> None:
    (check,) = checks_of(tmp_path, beside={column: [entry]})

    assert check.rule == rule(column_of(tmp_path, column))
    assert check.limit == told


def test_an_entry_of_the_table_names_the_properties_that_it_is_about(tmp_path: Path) -> None:
    entries = [
        {"metric": "rowCount", "mustBeBetween": [10, 20]},
        {"metric": "duplicateValues", "arguments": {"properties": ["account", "at"]}, "mustBe": 0},
        ours(metric="freshness", maxAge="15m"),
        ours(metric="nullRate", property="account", by="at", days=20),
    ]

    found = checks_of(tmp_path, entries)

    account, at = column_of(tmp_path, "account"), column_of(tmp_path, "at")
    assert [check.rule for check in found] == [
        RowCount(),
        Duplicates((account, at)),
        Freshness(None, 900),
        NullRate(account, at, 20, 14, 0.02, 0),
    ]
    assert [check.name for check in found] == [
        "rowCount",
        "account+at.duplicateValues",
        "merge.freshness",
        "account.nullRate",
    ]


def test_text_and_the_engines_of_others_are_no_checks_of_ours(tmp_path: Path) -> None:
    entries = [
        {"type": "text", "description": "verified by hand"},
        {"type": "custom", "engine": "soda", "implementation": "type: no_nulls"},
    ]

    assert checks_of(tmp_path, entries) == ()


def test_required_and_unique_are_checked_unless_the_key_says_so_already(tmp_path: Path) -> None:
    found = checks_of(tmp_path, amount={"required": True}, account={"unique": True})

    assert [(check.name, check.implied, check.severity) for check in found] == [
        ("amount.required", "required", Severity.BLOCK),
        ("account.unique", "unique", Severity.BLOCK),
    ]


def test_a_severity_is_understood_in_any_of_its_words(tmp_path: Path) -> None:
    entries = [{"metric": "nullValues", "mustBe": 0, "severity": word.upper()} for word in SEVERITIES]

    found = checks_of(tmp_path, beside={"amount": entries})

    assert [check.severity for check in found] == list(SEVERITIES.values())
    assert [SEVERITIES[word] for word in ("info", "warning", "error")] == list(Severity)


def test_without_a_severity_a_check_blocks_but_what_chance_may_break_warns(tmp_path: Path) -> None:
    entries = [ours(metric="volume"), ours(metric="freshness", maxAge="1d")]

    found = checks_of(tmp_path, beside={"at": entries})

    assert [check.severity for check in found] == [Severity.WARN, Severity.BLOCK]


def test_two_checks_have_two_names(tmp_path: Path) -> None:
    entry = {"metric": "nullValues", "mustBe": 0}

    found = checks_of(tmp_path, beside={"amount": [entry, dict(entry), entry | {"name": "mine"}]})

    assert [check.name for check in found] == ["amount.nullValues", "amount.nullValues-2", "mine"]


@pytest.mark.parametrize(
    ("entry", "column", "message", "hint"),
    [
        ({"metric": "nullValue", "mustBe": 0}, "amount", "nullValue", "Did you mean nullValues?"),
        ({"mustBe": 0}, "amount", "metric is missing", ""),
        ({"metric": "volume"}, "at", "library has", "type: custom"),
        (ours(metric="volum"), "at", "allowed: range", "Did you mean volume?"),
        (ours(metric="rowCount"), None, "library's", ""),
        (ours(metric=["volume"]), "at", "allowed: range", ""),
        ({"type": "custom", "engine": "tieout", "implementation": "volume"}, "at", "write a mapping", ""),
        ({"type": "librari", "metric": "rowCount"}, None, "allowed: library", "Did you mean library?"),
        ({"metric": "nullValues", "mustBe": 0}, None, "beside", ""),
        ({"metric": "rowCount", "mustBe": 0}, "amount", "rows of the table", ""),
        ({"metric": "nullValues"}, "amount", "has no limit", ""),
        ({"metric": "nullValues", "mustBe": "none"}, "amount", "write a number", ""),
        ({"metric": "nullValues", "mustBe": 0, "unit": "per cent"}, "amount", "rows, percent", "percent"),
        ({"metric": "rowCount", "mustBe": 5, "unit": "percent"}, None, "100", ""),
        ({"metric": "nullValues", "mustBe": 0, "severity": "blocks"}, "amount", "severity", "Did you mean block?"),
        ({"metric": "invalidValues", "mustBe": 0}, "amount", "does not say what is valid", "validValues"),
        (
            {"metric": "invalidValues", "mustBe": 0, "arguments": {"validValue": [1]}},
            "amount",
            "not an argument",
            "validValues",
        ),
        ({"metric": "duplicateValues", "mustBe": 0}, None, "write a list", ""),
        (
            {"metric": "duplicateValues", "mustBe": 0, "arguments": {"properties": ["acount"]}},
            None,
            "allowed: id",
            "Did you mean account?",
        ),
        (ours(metric="range"), "amount", "minimum, maximum or both", ""),
        (ours(metric="range", minimum="a"), "amount", "write a number", ""),
        (ours(metric="range", minimum="noon"), "at", "a moment", ""),
        (ours(metric="range", minimum=1), "account", "no range", ""),
        (ours(metric="reference"), "account", "name the stream", "SOURCE.OBJECT"),
        (ours(metric="freshness"), "at", "90s, 30m", ""),
        (ours(metric="freshness", maxAge="2 moons"), "at", "90s, 30m", ""),
        (ours(metric="freshness", maxAge="2h"), "account", "timestamp", ""),
        (ours(metric="volume"), None, "name a property", ""),
        (ours(metric="volume", weeks=3, weeksMin=4), "at", "from 1 to 3", ""),
        (ours(metric="volume", tolerance=30), "at", "share from 0 to 1", ""),
        (ours(metric="volume") | {"mustBe": 5}, "at", "cannot stand beside volume", ""),
        (ours(metric="nullRate"), "amount", "tells a row's day", ""),
        ({"type": "sql", "mustBe": 0}, None, "returns one number", ""),
        ({"type": "sql", "query": "select 1"}, None, "has no limit", ""),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_line(
    tmp_path: Path, entry: dict[str, Any], column: str | None, message: str, hint: str
) -> None:
    with pytest.raises(Misconfigured) as told:
        checks_of(tmp_path, *([[entry]] if column is None else [None, {column: [entry]}]))

    assert message in told.value.message
    assert hint in told.value.hint
    assert "order.yaml:" in told.value.message


@pytest.mark.parametrize(
    ("demand", "admitted", "refused"),
    [
        (Demand("mustBe", (5,)), [5], [4, 6]),
        (Demand("mustNotBe", (5,)), [4], [5]),
        (Demand("mustBeGreaterThan", (5,)), [5.1], [5]),
        (Demand("mustBeGreaterOrEqualTo", (5,)), [5], [4.9]),
        (Demand("mustBeLessThan", (5,)), [4.9], [5]),
        (Demand("mustBeLessOrEqualTo", (5,)), [5], [5.1]),
        (Demand("mustBeBetween", (5, 7)), [6], [5, 7]),
        (Demand("mustNotBeBetween", (5, 7)), [5, 7], [6]),
    ],
)
def test_a_demand_is_held_to_as_the_standard_says(demand: Demand, admitted: list[float], refused: list[float]) -> None:
    assert all(demand.admits(number) for number in admitted)
    assert not any(demand.admits(number) for number in refused)
