"""The same values, told by Bulk, by REST or by an event, are the same text; and a number never changes on its way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from tests.salesforce import FIELDS, OPPORTUNITY, ROW, bulk, rest
from tieout.base.types import ColumnType
from tieout.capture.salesforce.plain import plain_number, plain_numbers
from tieout.capture.salesforce.refusal import as_json
from tieout.capture.salesforce.rows import from_csv, from_json

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
TRICKY = st.sampled_from(["a\nb", 'say "so"', "a,b", "\r\n", " ", "#N/A", "null", "1.0E7", "🙂", "=1+1", "'"])
NUMERALS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=2).map(str),
    st.sampled_from(["1.0E7", "45000.0", "45000.00", "-0.0", "0", "1E-7", "12345678901234.56", "0.10", "7e2", "1.005"]),
    st.floats(allow_nan=False, allow_infinity=False, width=64).map(repr),
)
MOMENTS = st.datetimes().map(lambda at: at.isoformat(timespec="milliseconds").rjust(23, "0") + "Z")
DATES = st.dates().map(str)


def rows_of(rows: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    row = st.fixed_dictionaries(
        {
            "Id": st.just(ROW["Id"]),
            "IsDeleted": st.booleans(),
            "AccountId": st.sampled_from([None, "0015f00002JUXA8AAP"]),
            "Name": st.one_of(TEXTS, TRICKY).map(lambda text: text or None),
            "Amount": st.none() | NUMERALS,
            "Weight__c": st.none() | NUMERALS,
            "Tiny__c": st.none() | NUMERALS,
            "Seats__c": st.none() | st.integers(-(2**31), 2**31),
            "CloseDate": DATES,
            "Approved_At__c": st.none() | MOMENTS,
            "Opens_At__c": st.none() | st.times().map(lambda at: at.isoformat(timespec="milliseconds") + "Z"),
            "Description": st.one_of(st.none(), TEXTS, TRICKY).map(lambda text: text or None),
            "SystemModstamp": MOMENTS,
        }
    )
    return st.lists(row, min_size=1, max_size=rows)


@given(rows_of(5))
def test_bulk_and_rest_tell_the_same_table(rows: list[dict[str, Any]]) -> None:
    by_bulk = from_csv(bulk(rows), OPPORTUNITY.fields, rows=len(rows))
    by_rest = from_json(as_json(rest(rows), doing="reading")["records"], OPPORTUNITY.fields)

    assert by_bulk == by_rest
    assert by_bulk.column_names == [field["name"] for field in FIELDS]
    assert set(by_bulk.schema.types) == {pa.string()}
    assert by_bulk["Name"].to_pylist() == [row["Name"] for row in rows]
    assert by_bulk["Description"].to_pylist() == [row["Description"] for row in rows]


@given(
    st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["decimal(18,2)", "numeric", "decimal(38,12)"])
)
@example(-0.0, "numeric")
@example(1e-12, "decimal(38,12)")
@example(1e22, "decimal(18,2)")
def test_a_number_has_one_text_by_whichever_channel(number: float, physical: str) -> None:
    type_ = ColumnType.parse(physical)
    exact = Decimal(repr(number))

    texts = {plain_number(text, type_) for text in (repr(number), str(exact), f"{exact:E}", f"{exact:f}")}

    assert len(texts) == 1
    (text,) = texts
    assert Decimal(text) == exact
    assert "e" not in text.lower()
    assert text != "-0"


@given(
    st.lists(st.none() | NUMERALS, min_size=1),
    st.sampled_from(["decimal(18,2)", "numeric", "bigint", "decimal(20,12)"]),
)
def test_a_column_says_what_its_numbers_say(numerals: list[str | None], physical: str) -> None:
    type_ = ColumnType.parse(physical)

    column = plain_numbers(pa.chunked_array([pa.array(numerals, pa.string())]), type_)

    assert column.to_pylist() == [None if text is None else plain_number(text, type_) for text in numerals]
