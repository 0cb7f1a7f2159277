"""Messages become changes: what each means for its key, where it stands, and that only whole transactions leave."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from struct import pack
from typing import Any

import pytest

from tests.log_messages import (
    FULL,
    KEEP,
    LINES,
    ORDERS,
    OTHER,
    PLAIN,
    TRACKED,
    begin,
    delete,
    end,
    heap,
    heard,
    insert,
    relation,
    truncate,
    update,
)
from tieout.base.change import CAPTURED
from tieout.base.errors import Broken
from tieout.capture.postgres.log.transactions import Transactions
from tieout.capture.postgres.standing import Within


def told(*messages: bytes) -> list[tuple[Any, ...]]:
    """Kind, cover and values of the changes of `order`."""
    rows = heard(*messages)["order"].to_pylist()
    return [(row["_kind"], json.loads(row["_cover"]), row["id"], row["note"], row["big"]) for row in rows]


def test_an_insert_is_an_image_of_all_columns() -> None:
    assert told(PLAIN, insert(1, None, "")) == [("image", ["big", "id", "note"], "1", None, "")]


def test_an_update_is_an_image() -> None:
    assert told(PLAIN, update(1, "new", "large")) == [("image", ["big", "id", "note"], "1", "new", "large")]


def test_an_unchanged_large_value_is_left_out_of_a_patch() -> None:
    assert told(PLAIN, update(1, "new", KEEP)) == [("patch", ["id", "note"], "1", "new", None)]


def test_an_unchanged_large_value_is_taken_from_a_whole_old_row() -> None:
    changes = told(FULL, update(1, "new", KEEP, old=(1, "old", "large")))

    assert changes == [("image", ["big", "id", "note"], "1", "new", "large")]


def test_a_delete_tells_its_key_alone() -> None:
    assert told(PLAIN, delete(1, None, None)) == [("delete", [], "1", None, None)]
    assert told(FULL, delete(1, "old", "large", mark=b"O")) == [("delete", [], "1", None, None)]


def test_a_changed_key_is_a_delete_and_an_image() -> None:
    both = [("delete", [], "1", None, None), ("image", ["big", "id", "note"], "2", "n", "large")]

    assert told(PLAIN, update(2, "n", "large", key=(1, None, None))) == both
    assert told(FULL, update(2, "n", KEEP, old=(1, "o", "large"))) == both


def test_a_changed_key_without_its_large_value_leaves_a_gap() -> None:
    assert told(PLAIN, update(2, "n", KEEP, key=(1, None, None))) == [
        ("delete", [], "1", None, None),
        ("image", ["id", "note"], "2", "n", None),
        ("gap", [], "2", None, None),
    ]


def test_an_old_key_that_is_the_new_one_moves_nothing() -> None:
    # The server also sends the old key when it lies out of line, changed or not.
    assert told(PLAIN, update(KEEP, "n", "b", key=(1, None, None))) == [("image", ["big", "id", "note"], "1", "n", "b")]
    assert told(FULL, update(1, "n", "b", old=(1, "o", "b"))) == [("image", ["big", "id", "note"], "1", "n", "b")]


def test_a_truncate_is_told_of_every_table_that_is_captured() -> None:
    lines = relation(LINES, "lines", {"id": True})
    other = relation(OTHER, "other", {"id": True})

    tables = heard(PLAIN, lines, other, truncate(ORDERS, OTHER, LINES))

    assert {name: table["_kind"].to_pylist() for name, table in tables.items()} == {
        "order": ["truncate"],
        "line": ["truncate"],
    }
    assert tables["order"]["id"].to_pylist() == [None]


def test_a_change_stands_at_its_commit_then_its_record_then_its_rank() -> None:
    other = relation(OTHER, "other", {"id": True})

    rows = heard(PLAIN, insert(1, "", ""), other, insert(9, oid=OTHER), insert(2, "", ""))["order"].to_pylist()

    assert [(row["_position"], row["_class"], row["_minor"], row["_rank"], row["_ordinal"]) for row in rows] == [
        (1000, 1, 2, 0, 0),
        (1000, 1, 5, 2, 2),
    ]


def test_the_envelope_is_the_agreed_one() -> None:
    table = heard(PLAIN, insert(1, "", ""))["order"]

    assert table.schema.names == [*CAPTURED.names, "id", "note", "big"]
    assert [table.schema.field(name) for name in CAPTURED.names] == list(CAPTURED)
    (row,) = table.to_pylist()
    assert row["_observed_at"] == datetime(2000, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert row["_origin"] == "wal 0/3E8"
    assert row["_raw"] == insert(1, "", "")
    assert row["_keyed"] is None
    assert row["_fault"] is None


def test_the_same_transaction_sent_again_gives_the_same_rows() -> None:
    messages = (PLAIN, insert(1, "a", ""), update(2, "n", KEEP, key=(1, None, None)), delete(2, None, None))
    transactions = Transactions(TRACKED)
    pieces = []
    for _ in range(2):
        transactions.hear(heap(enumerate((begin(50), *messages, end(50)))))
        pieces.append(transactions.take()["order"])

    assert pieces[0].equals(pieces[1])


def test_what_was_heard_is_taken_in_the_midst_of_a_transaction_and_says_so() -> None:
    transactions = Transactions(TRACKED)
    transactions.hear(heap(enumerate((begin(50), PLAIN, insert(1, "", ""), insert(2, "", "")))))

    assert transactions.within == Within(commit=50, told=2)
    assert transactions.end is None
    assert (transactions.changes, transactions.take()["order"]["_rank"].to_pylist()) == (2, [0, 1])

    transactions.hear(heap([(7, insert(3, "", "")), (9, end(50))]))
    assert transactions.within is None
    assert transactions.end == 58
    assert transactions.take()["order"].select(["_position", "_minor", "_rank", "id"]).to_pylist() == [
        {"_position": 50, "_minor": 7, "_rank": 2, "id": "3"}
    ]
    assert transactions.changes == 0
    assert transactions.take() == {}


@pytest.mark.parametrize("told", range(6))
def test_what_an_earlier_connection_told_of_a_transaction_is_not_told_again(told: int) -> None:
    transactions = Transactions(TRACKED, Within(commit=50, told=told))
    first = (PLAIN, insert(0, "", ""), truncate(ORDERS), insert(2, "", ""), update(4, "", "", key=(2, None, None)))

    transactions.hear(heap(enumerate((begin(50), *first))))
    transactions.hear(heap(enumerate((insert(4, "", ""), end(50), begin(90), insert(0, "", ""), end(90)))))

    ranks = transactions.take()["order"]["_rank"].to_pylist()
    assert ranks == [rank for rank in (0, 1, 2, 3, 3, 4) if rank >= told] + [0]


def test_a_table_that_is_not_captured_leaves_no_row() -> None:
    assert heard(relation(OTHER, "other", {"id": True}), insert(9, oid=OTHER)) == {}


def test_new_columns_begin_where_they_were_announced() -> None:
    wider = relation(ORDERS, "orders", {"id": True, "note": False, "big": False, "more": False})

    tables = heard(PLAIN, insert(1, "a", ""), wider, insert(2, "b", "", "m"), PLAIN, insert(3, "c", ""))
    rows = tables["order"].to_pylist()

    assert [(row["id"], row["more"], "more" in json.loads(row["_cover"])) for row in rows] == [
        ("1", None, False),
        ("2", "m", True),
        ("3", None, False),
    ]


def test_a_relation_announced_again_as_it_was_changes_nothing() -> None:
    assert told(PLAIN, insert(1, "a", ""), PLAIN, insert(2, "b", ""))[1][2:] == ("2", "b", "")


def test_bytes_that_are_no_text_are_a_fault_of_their_row_alone() -> None:
    tables = heard(PLAIN, insert(1, "fine", ""), insert(2, b"caf\xe9", "kept"), insert(b"\xff", b"\xfe", ""))
    rows = tables["order"].to_pylist()

    assert [(row["id"], row["note"], row["big"]) for row in rows] == [
        ("1", "fine", ""),
        ("2", None, "kept"),
        (None, None, ""),
    ]
    assert rows[0]["_fault"] is None
    assert rows[1]["_fault"] == "undecodable: column note holds bytes that are no UTF-8 (0xe9 at offset 3)"
    assert rows[2]["_fault"].startswith("undecodable: column id ")
    assert rows[1]["_raw"] == insert(2, b"caf\xe9", "kept")


def test_a_column_with_a_name_of_ours_is_left_out() -> None:
    odd = relation(ORDERS, "orders", {"id": True, "_kind": False})

    table = heard(odd, insert(1, "x"))["order"]

    assert table["_kind"].to_pylist() == ["image"]
    assert table["_cover"].to_pylist() == ['["id"]']


@pytest.mark.parametrize(
    "messages",
    [
        (insert(1, "", ""),),
        (begin(5), insert(1, "", "")),
        (begin(5), begin(6)),
        (begin(5), end(6)),
        (end(5),),
        (begin(5), PLAIN, insert(1, "")),
    ],
    ids=["change outside", "relation unknown", "begin within", "other commit", "commit alone", "too few values"],
)
def test_what_cannot_follow_is_broken(messages: tuple[bytes, ...]) -> None:
    for cut in range(len(messages)):
        transactions = Transactions(TRACKED)
        *fine, last = (heap(enumerate(part)) for part in (messages[:cut], messages[cut:]) if part)
        for part in fine:
            transactions.hear(part)

        with pytest.raises(Broken):
            transactions.hear(last)


def test_messages_that_speak_of_no_row_take_no_rank_and_change_nothing() -> None:
    word = b"M" + pack(">bq", 0, 5) + b"tieout\0" + pack(">i", 2) + b"hi"
    kind, origin = b"Y" + pack(">I", 9) + b"pub\0mood\0", b"O" + pack(">q", 5) + b"elsewhere\0"
    transactions = Transactions(TRACKED)

    transactions.hear(heap(enumerate((word, begin(50), origin, kind, PLAIN, insert(1, "", ""), word))))
    transactions.hear(heap(enumerate((word, insert(2, "", ""), end(50), word, word))))

    assert (transactions.end, transactions.within) == (58, None)
    assert transactions.take()["order"]["_rank"].to_pylist() == [0, 1]
