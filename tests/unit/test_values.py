"""Arrow's values as JSON can hold them, where Python's own would lose something or refuse."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tieout.merge.warehouse import ENGINE_TYPE
from tieout.ui.values import plain_rows

_DAY = 86_400
_INT64_MAX = 2**63 - 1


def plain(values: list[Any], type_: pa.DataType, *, engine: bytes = b"") -> list[Any]:
    field = pa.field("value", type_, metadata={ENGINE_TYPE: engine})
    table = pa.Table.from_arrays([pa.array(values, type_)], schema=pa.schema([field]))
    return [row[0] for row in json.loads(json.dumps(plain_rows(table), allow_nan=False))]


@pytest.mark.parametrize(
    ("days", "written"),
    [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (2_932_896, "9999-12-31"),
        (2_932_897, "+10000-01-01"),
        (-719_528, "0000-01-01"),
        (-719_529, "-0001-12-31"),
        (2**31 - 1, "infinity"),
        (-(2**31) + 1, "-infinity"),
        (None, None),
    ],
)
def test_a_date_is_written_in_any_year(days: int | None, written: str | None) -> None:
    assert plain([days], pa.date32()) == [written]


@pytest.mark.parametrize(
    ("ticks", "type_", "written"),
    [
        (0, pa.timestamp("us", tz="UTC"), "1970-01-01T00:00:00Z"),
        (-1, pa.timestamp("us"), "1969-12-31T23:59:59.999999"),
        (1_500, pa.timestamp("ms"), "1970-01-01T00:00:01.500000"),
        (1, pa.timestamp("ns"), "1970-01-01T00:00:00.000000001"),
        (2_932_897 * _DAY, pa.timestamp("s"), "+10000-01-01T00:00:00"),
        (_INT64_MAX, pa.timestamp("us", tz="UTC"), "infinity"),
        (_DAY * 1_000_000, pa.time64("us"), "24:00:00"),
        (37_230_000_001, pa.time64("us"), "10:20:30.000001"),
    ],
)
def test_a_time_is_written_to_its_last_digit(ticks: int, type_: pa.DataType, written: str) -> None:
    assert plain([ticks], type_) == [written]


def test_numbers_are_exact_or_said_to_be_none() -> None:
    assert plain([Decimal("0.0000001"), None], pa.decimal128(38, 7)) == ["0.0000001", None]
    assert plain([Decimal(2**100)], pa.decimal128(38, 0)) == [str(2**100)]
    assert plain([Decimal(2**100)], pa.decimal128(38, 0), engine=b"HUGEINT") == [2**100]
    assert plain([1.1], pa.float32()) == [1.1]
    assert plain([float("nan"), float("inf"), float("-inf")], pa.float64()) == ["NaN", "Infinity", "-Infinity"]


def test_nested_values_keep_their_shape_and_the_forms_of_what_is_in_them() -> None:
    inner = pa.struct([("amount", pa.decimal128(4, 2)), ("days", pa.list_(pa.date32()))])

    assert plain([{"amount": Decimal("1.50"), "days": [0, None]}, None], inner) == [
        {"amount": "1.50", "days": ["1970-01-01", None]},
        None,
    ]
    assert plain([[("a", 1)], None], pa.map_(pa.string(), pa.int64())) == [{"a": 1}, None]
    assert plain([[(1, b"\x0a")]], pa.map_(pa.int64(), pa.binary())) == [{"1": "\\x0a"}]


def test_a_word_of_a_dictionary_is_the_word() -> None:
    column = pa.array(["a", "b", "a"]).dictionary_encode()

    assert plain_rows(pa.table({"word": column})) == [["a"], ["b"], ["a"]]


def test_no_rows_are_no_rows() -> None:
    assert plain([], pa.int64()) == []
