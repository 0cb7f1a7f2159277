"""Bitmaps name the fields whose positions their bits have."""

from __future__ import annotations

import pytest

from tieout.base.errors import Rejected
from tieout.capture.salesforce.events.bitmap import names, places

LAYOUT = (("Header", ()), ("Amount", ()), ("Name", ("Salutation", "FirstName", "LastName")), ("Stage", ()))


@pytest.mark.parametrize(
    ("bitmap", "bits"),
    [
        ("0x650004E0", [5, 6, 7, 10, 24, 26, 29, 30]),
        ("0x10", [4]),
        ("0x06", [1, 2]),
        ("0x0", []),
        ("0x80000000000000", [55]),
        ("0x", []),
        ("0x001", [0]),
        ("0X1f", [0, 1, 2, 3, 4]),
    ],
)
def test_the_bits_of_the_published_examples(bitmap: str, bits: list[int]) -> None:
    assert sorted(at for at, _ in places([bitmap])) == bits


def test_a_position_before_it_speaks_of_the_parts_of_the_field_there() -> None:
    assert places(["0x02", "4-0x10", "7-0x06"]) == {(1, None), (4, 4), (7, 1), (7, 2)}


def test_fields_are_named_by_the_schema() -> None:
    assert names(["0x0A", "2-0x06"], LAYOUT) == ("Amount", "Name.FirstName", "Name.LastName", "Stage")
    assert names([], LAYOUT) == ()


@pytest.mark.parametrize("bitmap", ["", "10", "x10", "0xG", "-0x1", "1-1", "0x1_0", " 0x10", "-1-0x1", "Name"])
def test_what_is_no_bitmap_is_refused(bitmap: str) -> None:
    with pytest.raises(Rejected):
        places([bitmap])


@pytest.mark.parametrize("bitmap", ["0x10", "1-0x01", "2-0x08", "9-0x01"])
def test_a_field_that_the_schema_does_not_have_is_refused(bitmap: str) -> None:
    with pytest.raises(Rejected):
        names([bitmap], LAYOUT)
