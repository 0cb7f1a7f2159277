"""The log decoded by the column says what its messages mean one by one, however they are cut into pages."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.log_meaning import Meaning
from tests.log_messages import (
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
    insert,
    relation,
    truncate,
)
from tests.log_messages import update as updated
from tieout.base.errors import Broken
from tieout.capture.postgres.log.transactions import Transactions
from tieout.capture.postgres.standing import Within

ANEW = 20_000
"""A table that was dropped and made again under its name."""

ANNOUNCED: dict[int, list[tuple[bytes, int]]] = {
    ORDERS: [
        (relation(ORDERS, "orders", {"id": True, "note": False}), 2),
        (relation(ORDERS, "orders", {"id": True, "note": True}, identity="f"), 2),
        (relation(ORDERS, "orders", {"note": False, "id": True, "more": True}, identity="i"), 3),
        (relation(ORDERS, "orders", {"id": True, "_kind": False, "note": False}), 3),
    ],
    ANEW: [(relation(ANEW, "orders", {"id": True}), 1)],
    LINES: [(relation(LINES, "lines", {"id": True, "text": False}), 2)],
    OTHER: [(relation(OTHER, "other", {"id": True}), 1)],
}

VALUES = st.sampled_from([None, KEEP, "", "1", "2", "naïve 日本", b"\xff", b"caf\xe9", "long " * 300])
Messages = list[bytes]


@st.composite
def transactions(draw: st.DrawFn) -> Messages:
    """Transactions of rows of four relations, which are announced before their first use and now and then anew."""
    widths: dict[int, int] = {}
    messages: Messages = []
    for number in range(draw(st.integers(1, 4))):
        commit = 1000 * (number + 1)
        messages.append(begin(commit, time=draw(st.integers(-(2**40), 2**50))))
        for _ in range(draw(st.integers(0, 8))):
            oid = draw(st.sampled_from(list(ANNOUNCED)))
            if oid not in widths or draw(st.integers(0, 4)) == 0:
                announced, widths[oid] = draw(st.sampled_from(ANNOUNCED[oid]))
                messages.append(announced)
            messages.append(draw(rows(oid, widths)))
        messages.append(end(commit))
    return messages


@st.composite
def rows(draw: st.DrawFn, oid: int, widths: dict[int, int]) -> bytes:
    def row() -> tuple[Any, ...]:
        return draw(st.tuples(*[VALUES] * widths[oid]))

    kind = draw(st.sampled_from(["insert", "plain", "key", "old", "delete", "delete whole", "truncate"]))
    if kind == "insert":
        return insert(*row(), oid=oid)
    if kind in ("plain", "key", "old"):
        return updated(*row(), oid=oid, **({} if kind == "plain" else {kind: row()}))
    if kind == "truncate":
        return truncate(*draw(st.lists(st.sampled_from(sorted(widths)), min_size=1, max_size=3, unique=True)))
    return delete(*row(), mark=b"K" if kind == "delete" else b"O", oid=oid)


def pages(draws: st.DataObject, messages: Messages) -> list[list[tuple[int, bytes]]]:
    numbered = list(enumerate(messages))
    cuts = sorted(draws.draw(st.lists(st.integers(0, len(numbered)), max_size=3)))
    found = [numbered[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(numbered)], strict=True)]
    return [page for page in found if page]


def by_column(transactions: Transactions, of: list[list[tuple[int, bytes]]]) -> dict[str, list[dict[str, Any]]]:
    told: dict[str, list[dict[str, Any]]] = {}
    for page in of:
        transactions.hear(heap(page))
        for object_, table in transactions.take().items():
            assert [name for name in table.column_names if name == "_kind"] == ["_kind"]
            table.validate(full=True)
            told.setdefault(object_, []).extend(table.to_pylist())
    return told


def ordered(told: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows in the order of their messages; what is null need not be there."""
    found = {}
    for object_, of_object in told.items():
        in_order = sorted(of_object, key=lambda row: (row["_position"], row["_rank"]))
        found[object_] = [{name: value for name, value in row.items() if value is not None} for row in in_order]
    return found


@given(transactions(), st.data())
def test_the_columns_say_what_the_messages_mean(messages: Messages, draws: st.DataObject) -> None:
    meaning = Meaning(TRACKED)
    meaning.hear(enumerate(messages))

    assert ordered(by_column(Transactions(TRACKED), pages(draws, messages))) == ordered(meaning.rows)


@given(transactions(), st.data())
def test_a_torn_row_is_broken_for_the_columns_where_it_is_in_meaning(messages: Messages, draws: st.DataObject) -> None:
    messages += [begin(9000), PLAIN, insert("", "", ""), end(9000)]
    torn = draws.draw(st.sampled_from([at for at, message in enumerate(messages) if message[0] in b"IUD"]))
    message = bytearray(messages[torn])
    if draws.draw(st.booleans()):
        message[draws.draw(st.integers(1, len(message) - 1))] = draws.draw(st.integers(0, 255))
    else:
        del message[draws.draw(st.integers(1, len(message))) :]
    messages[torn] = bytes(message)
    meaning: Any = Meaning(TRACKED)
    try:
        meaning.hear(enumerate(messages))
    except Broken:
        meaning = None

    try:
        told = by_column(Transactions(TRACKED), pages(draws, messages))
    except Broken:
        assert meaning is None
    else:
        assert meaning is not None
        assert ordered(told) == ordered(meaning.rows)


@given(transactions(), st.data())
def test_what_was_told_before_is_passed_over_and_nothing_else(messages: Messages, draws: st.DataObject) -> None:
    whole = Transactions(TRACKED)
    expected = ordered(by_column(whole, [list(enumerate(messages))]))
    within = Within(commit=1000, told=draws.draw(st.integers(0, 9)))

    told = ordered(by_column(Transactions(TRACKED, within), pages(draws, messages)))

    rest = {
        object_: [row for row in of if (row["_position"], row["_rank"]) >= (within.commit, within.told)]
        for object_, of in expected.items()
    }
    assert told == {object_: of for object_, of in rest.items() if of}
