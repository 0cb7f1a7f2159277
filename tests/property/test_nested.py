"""Whatever stands in an array or a row of columns, its JSON says the same, and a column says what its values say."""

from __future__ import annotations

import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tieout.capture.postgres.values.nested import ArrayOf, RowOf, Scalar, as_json, json_of

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6)
ITEMS = st.one_of(
    st.none(), TEXTS, st.sampled_from(["NULL", "null", "a,b", "{", '"', "\\", "", "NULLABLE", "=", "[0:1]"])
)
NUMBERS = st.one_of(st.none(), st.integers().map(str), st.sampled_from(["NaN", "-Infinity", "1e+300", "-0", "0.10"]))


def array(items: list[str | None]) -> str:
    """As the server writes it."""
    return "{" + ",".join("NULL" if item is None else _in_array(item) for item in items) + "}"


def row(items: list[str | None]) -> str:
    return "(" + ",".join("" if item is None else _in_row(item) for item in items) + ")"


def _in_array(item: str) -> str:
    if item and item.lower() != "null" and not any(mark in '{},"\\' or mark.isspace() for mark in item):
        return item
    return '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _in_row(item: str) -> str:
    if item and not any(mark in '(),"\\' or mark.isspace() for mark in item):
        return item
    return '"' + item.replace("\\", "\\\\").replace('"', '""') + '"'


@given(st.lists(st.lists(ITEMS, max_size=4), max_size=6))
def test_an_array_of_texts_says_the_same(arrays: list[list[str | None]]) -> None:
    column, faults = as_json(pa.array([None, *map(array, arrays)], pa.string()), ArrayOf(Scalar.TEXT, ","))

    assert faults == {}
    assert [None if text is None else json.loads(text) for text in column.to_pylist()] == [None, *arrays]


@given(st.lists(st.lists(NUMBERS, max_size=4), max_size=6))
def test_an_array_of_numbers_keeps_every_digit(arrays: list[list[str | None]]) -> None:
    column, faults = as_json(pa.array([*map(array, arrays)], pa.string()), ArrayOf(Scalar.NUMBER, ","))

    assert faults == {}
    assert [json.loads(text, parse_int=str, parse_float=str) for text in column.to_pylist()] == arrays


@given(st.lists(ITEMS, min_size=3, max_size=3), st.lists(ITEMS, max_size=3))
def test_a_row_within_an_array_within_a_row_says_the_same(items: list[str | None], others: list[str | None]) -> None:
    names = ("a", 'b "c"', "d")
    inner = RowOf(tuple((name, Scalar.TEXT) for name in names))
    outer = RowOf((("rows", ArrayOf(inner, ",")), ("texts", ArrayOf(Scalar.TEXT, ",")), ("n", Scalar.NUMBER)))

    told = json.loads(json_of(row([array([row(items), None]), array(others), "7"]), outer))

    assert told == {"rows": [dict(zip(names, items, strict=True)), None], "texts": others, "n": 7}


@given(st.text(max_size=12))
def test_what_is_no_array_is_a_fault_and_never_a_value(text: str) -> None:
    if not text.startswith(("{", "[")):
        column, faults = as_json(pa.array([text], pa.string()), ArrayOf(Scalar.TEXT, ","))

        assert (column.to_pylist(), list(faults)) == ([None], [0])
