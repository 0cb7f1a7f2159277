"""What a contract did not know is read back from the very text that was kept."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from tests.telling import Say, captured_of, contract_of
from tieout.base.types import Column, ColumnType
from tieout.contract.extra import members_of, read_back, written
from tieout.contract.judge import judge


def column(type_: str) -> Column:
    return Column("x", ColumnType.parse(type_))


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("numeric", "1.10", "1.10"),
        ("numeric", "12345678901234567890123.4567890123456789", "12345678901234567890123.4567890123456789"),
        ("bigint", "9007199254740993", 9007199254740993),
        ("json", '{"k": 1.0, "x": [1]}', '{"k": 1.0, "x": [1]}'),
        ("json", '"7"', '"7"'),
        ("text", '"a\\"b"', 'a"b'),
        ("boolean", "true", True),
        ("text", "null", None),
    ],
)
def test_a_member_of_json_is_what_the_judge_would_have_made_of_it(type_: str, text: str, value: object) -> None:
    back = read_back([f'{{"w":"x\\":","x":{text},"y":1}}'], [column(type_)], encoding="json")

    assert back.values.column("x").to_pylist() == [value]
    assert back.told == [frozenset({"x"})]
    assert back.extra.to_pylist() == ['{"w":"x\\":","y":1}']


def test_what_does_not_fit_is_left_where_it_is() -> None:
    back = read_back(['{"x":"many"}'], [column("integer")], encoding="json")

    assert (back.values.column("x").to_pylist(), back.told) == ([None], [frozenset()])
    assert back.extra.to_pylist() == ['{"x":"many"}']


def test_an_object_is_written_as_it_was_taken_apart() -> None:
    text = '{"a":1.50,"b\\"c":{"a": 2},"ü":"\\u0041","z":null}'

    assert written(members_of(text)) == text
    assert written({}) is None


@pytest.mark.parametrize(
    ("array", "type_", "value"),
    [
        (pa.array([b"\x00a\xff"]), "binary", b"\x00a\xff"),
        (pa.array([float("inf")]), "double", float("inf")),
        (pa.array([0.1], pa.float32()), "real", pa.scalar(0.1, pa.float32()).as_py()),
        (pa.array([True]), "boolean", True),
        (pa.array(["t"]), "boolean", True),
        (pa.array(['{"a": 1}']), "json", '{"a": 1}'),
        (pa.array([None], pa.string()), "text", None),
    ],
)
def test_a_native_value_survives_being_kept_apart(array: pa.Array, type_: str, value: object) -> None:
    contract = contract_of()
    captured = captured_of([Say("image", "k1", 1, {"x": "told"})], contract).append_column("x", array)
    (row,) = judge(captured, contract, encoding="native", epoch=1).changes.to_pylist()

    back = read_back([row["_extra"]], [column(type_)], encoding="native")

    assert "x" in json.loads(row["_extra"])
    assert back.values.column("x").to_pylist() == [value]
    assert back.told == [frozenset({"x"})]


def test_a_null_of_which_the_cover_does_not_speak_is_not_told() -> None:
    contract = contract_of()
    captured = captured_of([Say("patch", "k1", 1)], contract).append_column("x", pa.array([None], pa.string()))

    (row,) = judge(captured, contract, encoding="text", epoch=1).changes.to_pylist()

    assert row["_extra"] is None
