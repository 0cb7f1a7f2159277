"""Messages become changes: what each means for its key, where it stands, and that only whole transactions leave."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from struct import pack
from typing import Any

import pyarrow as pa
import pytest

from tieout.base.change import CAPTURED
from tieout.base.errors import Broken
from tieout.capture.postgres import transactions as module
from tieout.capture.postgres.transactions import Tracked, Transactions

ORDERS, OTHER, LINES = 16385, 16386, 16387
KEEP = object()
"""A TOASTed value that the update did not touch."""


def values(*row: object) -> bytes:
    parts = [pack(">h", len(row))]
    for value in row:
        if value is None:
            parts.append(b"n")
        elif value is KEEP:
            parts.append(b"u")
        else:
            data = value if isinstance(value, bytes) else str(value).encode()
            parts.append(b"t" + pack(">i", len(data)) + data)
    return b"".join(parts)


def begin(commit: int) -> bytes:
    return b"B" + pack(">qqI", commit, 1_000_000, 7)


def end(commit: int) -> bytes:
    return b"C" + pack(">bqqq", 0, commit, commit + 8, 1_000_000)


def relation(oid: int, name: str, columns: dict[str, bool], identity: str = "d") -> bytes:
    head = b"R" + pack(">I", oid) + b"public\0" + name.encode() + b"\0" + identity.encode() + pack(">h", len(columns))
    parts = [bytes([key]) + column.encode() + b"\0" + pack(">ii", 25, -1) for column, key in columns.items()]
    return head + b"".join(parts)


def insert(*row: object, oid: int = ORDERS) -> bytes:
    return b"I" + pack(">I", oid) + b"N" + values(*row)


def update(*new: object, key: tuple[object, ...] = (), old: tuple[object, ...] = ()) -> bytes:
    before = b"K" + values(*key) if key else b"O" + values(*old) if old else b""
    return b"U" + pack(">I", ORDERS) + before + b"N" + values(*new)


def delete(*key: object, mark: bytes = b"K") -> bytes:
    return b"D" + pack(">I", ORDERS) + mark + values(*key)


def truncate(*oids: int) -> bytes:
    return b"T" + pack(">ib", len(oids), 0) + b"".join(pack(">I", oid) for oid in oids)


PLAIN = relation(ORDERS, "orders", {"id": True, "note": False, "big": False})
FULL = relation(ORDERS, "orders", {"id": True, "note": True, "big": True}, identity="f")


def heard(*messages: bytes, commit: int = 1000) -> dict[str, pa.Table]:
    """The tables of one transaction; message n stands at n in the log."""
    transactions = new()
    for lsn, message in enumerate((begin(commit), *messages, end(commit))):
        transactions.hear(lsn, message)
    return transactions.take()


def new() -> Transactions:
    return Transactions(
        {("public", "orders"): Tracked("order", ("id",)), ("public", "lines"): Tracked("line", ("id",))}
    )


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
    transactions = new()
    pieces = []
    for _ in range(2):
        for lsn, message in enumerate((begin(50), *messages, end(50))):
            transactions.hear(lsn, message)
        pieces.append(transactions.take()["order"])

    assert pieces[0].equals(pieces[1])


def test_only_whole_transactions_leave() -> None:
    transactions = new()
    for lsn, message in enumerate((begin(50), PLAIN, insert(1, "", ""))):
        transactions.hear(lsn, message)

    assert transactions.open
    with pytest.raises(Broken, match="midst"):
        transactions.take()

    transactions.hear(9, end(50))
    assert transactions.end == 58
    assert transactions.take()["order"].num_rows == 1
    assert transactions.changes == 0
    assert transactions.take() == {}


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


def test_a_transaction_larger_than_what_may_lie_loose_is_whole_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_loose_changes_max", 10)

    table = heard(PLAIN, *(insert(number, "", "") for number in range(105)))["order"]

    assert table["id"].to_pylist() == [str(number) for number in range(105)]
    assert table["_rank"].to_pylist() == list(range(105))


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
    transactions = new()
    *fine, last = messages
    for message in fine:
        transactions.hear(1, message)

    with pytest.raises(Broken):
        transactions.hear(2, last)
