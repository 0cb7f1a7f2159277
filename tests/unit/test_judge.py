"""Values are taken exactly, or not at all: what a type cannot hold goes to quarantine, and is never rounded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.telling import Say, contract_of, judged_of

TAKEN: list[tuple[str, str, Any]] = [
    ("smallint", "-32768", -32768),
    ("bigint", "9223372036854775807", 2**63 - 1),
    ("decimal(10,0)", "1234567890", Decimal(1234567890)),
    ("decimal(18,2)", "45000", Decimal("45000.00")),
    ("decimal(18,2)", "-0.5000", Decimal("-0.50")),
    ("decimal(38,0)", "9" * 38, Decimal("9" * 38)),
    ("numeric", "1" * 100 + ".50", "1" * 100 + ".50"),
    ("numeric", "NaN", "NaN"),
    ("double", "0.1", 0.1),
    ("boolean", "t", True),
    ("date", "2024-02-29", date(2024, 2, 29)),
    ("timestamptz", "2026-11-20 12:00:00.123456+02", datetime(2026, 11, 20, 10, 0, 0, 123456, UTC)),
    ("timestamptz", "2026-11-20T10:00:00Z", datetime(2026, 11, 20, 10, tzinfo=UTC)),
    ("timestamp", "2026-11-20 12:00:00.1200000", datetime(2026, 11, 20, 12, 0, 0, 120000)),
    ("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("json", '{"b": 1, "a": 2}', '{"b": 1, "a": 2}'),
    ("binary", "\\x00ff", b"\x00\xff"),
    ("text", "", ""),
]
MOMENTS = [
    ("date", "infinity", "infinity"),
    ("date", "-infinity", "-infinity"),
    ("date", "0044-03-15 BC", "0044-03-15 (BC)"),
    ("date", "0044-03-15 (BC)", "0044-03-15 (BC)"),
    ("date", "5874897-12-31", "5874897-12-31"),
    ("time", "24:00:00", "24:00:00"),
    ("timestamp", "infinity", "infinity"),
    ("timestamp", "0001-01-01 10:00:00.5 BC", "0001-01-01 (BC) 10:00:00.5"),
    ("timestamp", "0001-01-01 (BC) 10:00:00.5", "0001-01-01 (BC) 10:00:00.5"),
    ("timestamp", "294247-01-10 04:00:54.775806", "294247-01-10 04:00:54.775806"),
    ("timestamptz", "-infinity", "-infinity"),
    ("timestamptz", "0001-01-01 10:00:00+02 BC", "0001-01-01 (BC) 08:00:00+00"),
    ("timestamptz", "0001-01-01 (BC) 08:00:00+00", "0001-01-01 (BC) 08:00:00+00"),
]
REFUSED = [
    ("smallint", "32768"),
    ("integer", "1.5"),
    ("bigint", "9223372036854775808"),
    ("decimal(10,0)", "1.5"),
    ("decimal(18,2)", "1.005"),
    ("decimal(18,2)", "NaN"),
    ("decimal(4,2)", "100.00"),
    ("numeric", "12,5"),
    ("double", "1e400"),
    ("boolean", "yes"),
    ("date", "2023-02-29"),
    ("date", "5881580-07-11"),
    ("date", "0044-03-15 AD"),
    ("timestamp", "294247-01-10 04:00:54.775807"),
    ("timestamptz", "infinity+00"),
    ("timestamp", "2026-11-20 12:00:00+02"),
    ("timestamp", "2026-11-20 12:00:60"),
    ("timestamptz", "2026-11-20 12:00:00"),
    ("timestamptz", "2026-11-20 12:00:00.1234567+00"),
    ("uuid", "not a uuid"),
    ("json", "{"),
    ("binary", "\\x0"),
]


@pytest.mark.parametrize(("type_", "text", "value"), TAKEN)
def test_what_a_type_holds_is_taken_as_it_is(type_: str, text: str, value: Any) -> None:
    (row,) = judged_of([Say("image", "k", 1, {"v": text})], contract_of(v=type_)).changes.to_pylist()

    assert (row["v"], row["_fault"]) == (value, None)


@pytest.mark.parametrize(("type_", "text", "written"), MOMENTS)
def test_a_moment_that_python_has_no_word_for_is_taken_as_it_is(type_: str, text: str, written: str) -> None:
    judged = judged_of([Say("image", "k", 1, {"v": text})], contract_of(v=type_)).changes

    with duckdb.connect() as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        warehouse.register("judged", judged)
        assert warehouse.sql("select cast(v as varchar), _fault from judged").fetchall() == [(written, None)]


@pytest.mark.parametrize(("type_", "text"), REFUSED)
def test_what_a_type_cannot_hold_is_set_aside_with_its_reason(type_: str, text: str) -> None:
    (row,) = judged_of([Say("image", "k", 1, {"v": text})], contract_of(v=type_)).changes.to_pylist()

    assert row["v"] is None
    assert row["_fault"].startswith(f"wrong_type: v is {text}, not ")
    assert row["_raw"] is not None
