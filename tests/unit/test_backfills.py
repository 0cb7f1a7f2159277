"""What became of backfills, as a fold over the ledger; and their ranges in the warehouse's own types."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tieout.base.cursor import Cursor
from tieout.base.errors import Misconfigured
from tieout.base.range import Range
from tieout.base.stream import Stream
from tieout.base.types import Column, ColumnType, Described
from tieout.contract.contract import Contract
from tieout.ledger.facts import Advanced, Asked, Turned
from tieout.ledger.sqlite import SqliteLedger
from tieout.merge.reading import Limit
from tieout.run.backfill import Backfill, Reached, backfills, cancel, found, rate, resume
from tieout.run.backfill_work import limits_of
from tieout.run.clock import SystemClock

ORDERS = Stream("shop", "orders")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RANGE = Range(("1", "a"), ("9",), "at", "2026-01-01", None)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    book = SqliteLedger(tmp_path / "ledger.sqlite", SystemClock())
    book.append([Asked("shop", str(ORDERS), "b1", RANGE.text, 10)], given=[])
    yield book
    book.close()


def read(ledger: SqliteLedger, reached: Reached, id_: str = "b1") -> None:
    cursor = Cursor.of(f"backfill/{id_}", reached.chunks, reached.state(ORDERS, RANGE))
    ledger.append([Advanced("shop", cursor)], given=[])


def states(ledger: SqliteLedger) -> list[tuple[str, str]]:
    return [(one.state, one.reason) for one in backfills(ledger, "shop")]


def test_what_was_asked_comes_back_as_it_was(ledger: SqliteLedger) -> None:
    (asked,) = backfills(ledger, "shop")

    assert (asked.id, asked.stream, asked.range, asked.rows_expected) == ("b1", ORDERS, RANGE, 10)
    assert (asked.state, asked.reached) == ("asked", Reached())
    assert backfills(ledger, "erp") == []


def test_a_backfill_runs_once_a_chunk_is_read_and_is_what_was_said_of_it_last(ledger: SqliteLedger) -> None:
    reached = Reached((("id", "5"),), False, 5, 2, 500, "token", (4, 0.5))
    read(ledger, reached)
    told = [states(ledger)]
    for turn, reason in (("delayed", "busy"), ("cancelled", ""), ("resumed", ""), ("failed", "gone"), ("done", "")):
        ledger.append([Turned("shop", str(ORDERS), "b1", turn, reason)], given=[])
        told.append(states(ledger))

    assert [one for (one,) in told] == [
        ("running", ""), ("running", "busy"), ("cancelled", ""), ("running", ""), ("failed", "gone"), ("done", ""),
    ]  # fmt: skip
    assert backfills(ledger, "shop")[0].reached == reached


def test_a_cancelled_one_can_be_resumed_and_a_done_one_neither(ledger: SqliteLedger) -> None:
    cancel(ledger, found(ledger, ["shop"], "b1"))
    cancel(ledger, found(ledger, ["shop"], "b1"))
    resume(ledger, found(ledger, ["shop"], "b1"))
    resume(ledger, found(ledger, ["shop"], "b1"))
    turns = [entry.fact.turn for entry in ledger.entries(Turned) if isinstance(entry.fact, Turned)]
    ledger.append([Turned("shop", str(ORDERS), "b1", "done", "")], given=[])

    assert turns == ["cancelled", "resumed"]
    for deed in (cancel, resume):
        with pytest.raises(Misconfigured, match="is done"):
            deed(ledger, found(ledger, ["shop"], "b1"))


def test_one_is_found_by_the_beginning_of_its_id_where_no_other_begins_so(ledger: SqliteLedger) -> None:
    for id_ in ("b2", "b20"):
        ledger.append([Asked("shop", "shop.lines", id_, RANGE.text, 10)], given=[])

    assert [found(ledger, ["shop"], id_).id for id_ in ("b1", "b2", "b20")] == ["b1", "b2", "b20"]
    with pytest.raises(Misconfigured, match="more than one backfill whose id begins with 'b'"):
        found(ledger, ["shop"], "b")


def test_the_pace_is_the_streams_own_where_it_is_known(ledger: SqliteLedger) -> None:
    assert rate(ledger, ORDERS) is None
    ledger.append([Asked("shop", "shop.lines", "b2", RANGE.text, 10)], given=[])
    read(ledger, Reached(None, True, 5, 2, 500, "token", (100, 0.5)), "b2")
    of_lane = rate(ledger, ORDERS)
    read(ledger, Reached(None, True, 5, 2, 500, "token", (30, 3.0)))

    assert (of_lane, rate(ledger, ORDERS)) == (200.0, 10.0)


def test_a_turn_of_a_backfill_that_nobody_asked_for_is_passed_over(ledger: SqliteLedger) -> None:
    ledger.append([Turned("shop", str(ORDERS), "b9", "done", "")], given=[])

    assert states(ledger) == [("asked", "")]


def column(name: str, type_: str) -> Column:
    return Column(name, ColumnType.parse(type_))


def limits(ours: list[Column], theirs: list[Column]) -> list[Limit]:
    contract = Contract(ORDERS, tuple(ours), ("id", "line"), "1.0.0", "active", "digest")
    backfill = Backfill("b1", ORDERS, RANGE, 10, NOON, NOON)
    return limits_of(backfill, contract, (Described("orders", tuple(theirs), ("id", "line")),))


AT = column("at", "timestamptz")


def test_what_both_sides_order_alike_is_limited_in_the_warehouse_too() -> None:
    number = [column("id", "bigint"), column("line", "integer"), AT]

    assert limits(number, number) == [
        Limit((number[0], number[1]), ">=", ("1", "a")),
        Limit((number[0],), "<=", ("9",)),
        Limit((AT,), ">=", ("2026-01-01",)),
    ]


@pytest.mark.parametrize(("ours", "theirs"), [("text", "text"), ("bigint", "text"), ("text", "bigint")])
def test_a_key_is_limited_up_to_its_first_column_that_they_order_otherwise(ours: str, theirs: str) -> None:
    first = column("id", "bigint")

    found = limits([first, column("line", ours), AT], [first, column("line", theirs), AT])

    assert found[0] == Limit((first,), ">=", ("1",))


def test_a_window_that_the_contract_has_in_another_type_is_refused() -> None:
    key = [column("id", "bigint"), column("line", "integer")]

    with pytest.raises(Misconfigured, match="at is not in the contract of"):
        limits([*key, column("at", "text")], [*key, AT])
