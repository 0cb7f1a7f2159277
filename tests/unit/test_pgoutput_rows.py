"""Rows of the log against vectors computed from the protocol's layouts, and against bytes torn in every way."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log_messages import FULL, KEEP, ORDERS, PLAIN, TRACKED, begin, end, heap, insert, relation, update
from tieout.base.errors import Broken
from tieout.capture.postgres.log.transactions import Transactions

ONE = relation(ORDERS, "orders", {"id": True})

VECTORS: dict[str, tuple[bytes, list[dict[str, Any]]]] = {
    "49000040014e000374000000013774000000036e6577740000000531322e3530": (
        PLAIN,
        [{"_kind": "image", "id": "7", "note": "new", "big": "12.50"}],
    ),
    "55000040014b00037400000001376e6e4e000374000000013875740000000531322e3530": (
        PLAIN,
        [
            {"_kind": "delete", "id": "7", "note": None, "big": None},
            {"_kind": "image", "id": "8", "note": None, "big": "12.50"},
            {"_kind": "gap", "id": "8", "note": None, "big": None},
        ],
    ),
    "55000040014f000174000000004e00016e": (ONE, [{"_kind": "delete", "id": ""}, {"_kind": "image", "id": None}]),
    "55000040014e000175": (ONE, [{"_kind": "patch", "id": None}]),
    "44000040014b00037400000001386e6e": (PLAIN, [{"_kind": "delete", "id": "8", "note": None, "big": None}]),
    "49000040014e00036e740000000075": (PLAIN, [{"_kind": "image", "id": None, "note": "", "big": None}]),
}


def rows(announced: bytes, message: bytes) -> list[dict[str, Any]]:
    """What one message says, between two others."""
    other = insert(*(["x"] * (1 if announced == ONE else 3)))
    transactions = Transactions(TRACKED)
    transactions.hear(heap(enumerate((begin(9), announced, other, message, other, end(9)))))
    table = transactions.take()["order"]
    told = table.select([name for name in table.column_names if not name.startswith("_") or name == "_kind"])
    return told.to_pylist()[1:-1]


@pytest.mark.parametrize(
    ("data", "said"), VECTORS.items(), ids=lambda value: value[:2] if isinstance(value, str) else ""
)
def test_bytes_mean_what_the_protocol_says(data: str, said: tuple[bytes, list[dict[str, Any]]]) -> None:
    announced, told = said

    assert rows(announced, bytes.fromhex(data)) == told


@pytest.mark.parametrize("data", VECTORS)
def test_a_message_that_is_cut_anywhere_is_broken(data: str) -> None:
    whole, (announced, _) = bytes.fromhex(data), VECTORS[data]

    for cut in range(1, len(whole)):
        with pytest.raises(Broken, match=r"offset|which was not announced"):
            rows(announced, whole[:cut])


@pytest.mark.parametrize("data", VECTORS)
def test_a_message_with_something_behind_it_is_broken(data: str) -> None:
    with pytest.raises(Broken, match="offset"):
        rows(VECTORS[data][0], bytes.fromhex(data) + b"\x00")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("49000040014b0001740000000137", "'K' at offset 5 announces no tuple"),  # an insert with an old row
        ("44000040014e0001740000000137", "'N' at offset 5 announces no tuple"),  # a delete with a new one
        ("55000040014b000174000000013758", "'X' at offset 14 announces no tuple"),
        ("49000040014e0001620000000137", "offset 8: value kind 'b' was not asked for"),  # a value in binary
        ("49000040014e000174ffffffff37", "is torn: it ends at offset 14"),  # a value of negative length
        ("49000040014e00027400000001376e", "has 2 values, the relation was announced with 1 columns"),
    ],
)
def test_what_was_not_asked_for_is_broken(data: str, said: str) -> None:
    with pytest.raises(Broken, match=said):
        rows(ONE, bytes.fromhex(data))


@given(st.sampled_from(sorted(VECTORS)), st.data())
def test_a_flipped_byte_is_another_message_or_broken(data: str, draws: st.DataObject) -> None:
    torn = bytearray.fromhex(data)
    torn[draws.draw(st.integers(1, len(torn) - 1))] = draws.draw(st.integers(0, 255))

    with suppress(Broken):
        rows(VECTORS[data][0], bytes(torn))


def test_a_whole_old_row_and_a_key_are_told_apart_in_one_page() -> None:
    assert rows(FULL, update(1, "n", KEEP, old=(1, "o", "b"))) == [
        {"_kind": "image", "id": "1", "note": "n", "big": "b"}
    ]
