"""`tieout backfill`: what it reads again is right afterwards, whatever was wrong before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.backfilling import ORDERS, Shop, filled, shop
from tieout.base.range import Range
from tieout.capture.source import ReadsRanges
from tieout.ledger.facts import Advanced
from tieout.run.session import Session, Warehouses

ROWS = 3000
SIZES = ["tiny", "small", "medium", "large", "huge"]


@pytest.fixture
def orders(tmp_path: Path, database: str) -> Shop:
    """A table of ROWS rows that was read, and is followed."""
    made = shop(tmp_path, database)
    made.do(ORDERS, filled(ROWS), "analyze orders")
    made.run()
    return made


BEHIND = (
    "delete from orders where id % 10 = 1",
    "update orders set note = 'unheard' where id % 10 = 2",
    f"insert into orders select n, 'unheard of', '2026-01-02', 1, 'x' from generate_series({ROWS + 1}, {ROWS + 50}) n",
)


def test_all_that_happened_behind_the_log_is_mended(orders: Shop) -> None:
    orders.do_behind_the_log(*BEHIND)
    orders.run()
    differed = orders.differing()

    done = orders.start()

    assert len(differed) == ROWS * 2 // 10 + 50
    assert (done["state"], done["rows"]) == ("done", ROWS - ROWS // 10 + 50)
    assert orders.ours() == orders.theirs()


def test_only_the_range_of_keys_is_touched_both_ends_of_it_too(orders: Shop) -> None:
    orders.do_behind_the_log(*BEHIND)
    orders.run()
    differed = orders.differing()

    done = orders.start("--from", "101", "--to", "1002")

    mended = {key for key in differed if 101 <= int(key) <= 1002}
    assert {"101", "1002"} <= mended
    assert orders.differing() == differed - mended
    assert done["rows"] == 902 - 91


@pytest.mark.parametrize("index", ["create index on orders (at)", "select 1"], ids=["indexed", "not_indexed"])
def test_only_the_window_is_touched_its_end_left_out(orders: Shop, index: str) -> None:
    orders.do(index)
    orders.do_behind_the_log("update orders set note = 'unheard'", "delete from orders where id in (60, 61, 119, 120)")
    orders.run()

    done = orders.start("--where", "at", "--since", "2026-01-01 01:00", "--until", "2026-01-01 02:00")

    assert done["rows"] == 57
    assert orders.differing() == {str(key) for key in range(1, ROWS + 1) if not 60 <= key < 120}


@pytest.mark.parametrize(
    ("type_", "ends", "mended"),
    [
        ("size", ("small", "large"), ["large", "medium", "small"]),
        ("numeric", ("9", "100.5"), ["10", "100.50", "9", "9.10"]),
        ("text", ("B", "e"), ["B", "Z", "a", "c"]),
    ],
)
def test_keys_are_taken_in_the_order_that_the_source_has_them_in(
    tmp_path: Path, database: str, type_: str, ends: tuple[str, str], mended: list[str]
) -> None:
    """A warehouse that holds them as text would have them in another."""
    values = {
        "size": SIZES,
        "numeric": ["1", "9", "9.10", "10", "100.50", "101", "9000"],
        "text": ["A", "B", "Z", "a", "c", "f", "é"],
    }[type_]
    keyed = shop(tmp_path, database)
    keyed.do(
        f"create type size as enum ({', '.join(map(repr, SIZES))})",
        f"create table orders (id {type_} primary key, note text)",
        f"insert into orders select v::{type_}, 'old' from unnest(array{values}) v",
    )
    keyed.run()
    keyed.do_behind_the_log("delete from orders")
    keyed.run()

    keyed.start("--from", ends[0], "--to", ends[1])

    assert sorted(set(values) - {key for key, _ in keyed.ours()}) == mended


def test_the_beginning_of_a_key_of_two_columns_stands_for_all_that_begin_so(tmp_path: Path, database: str) -> None:
    lines = shop(tmp_path, database, key=("head", "line"))
    lines.do(
        "create table orders (head int, line text, note text, primary key (head, line))",
        "insert into orders select n, l, 'old' from generate_series(1, 20) n, unnest(array['a','b','c']) l",
    )
    lines.run()
    lines.do_behind_the_log("update orders set note = 'new'", "delete from orders where line = 'c'")
    lines.run()

    whole = lines.start("--from", "5", "--to", "7")
    part = lines.start("--from", '["9", "b"]', "--to", "10,a")

    assert (whole["rows"], part["rows"]) == (6, 2)
    assert lines.ours() >= {("9", "a", "old"), ("9", "b", "new"), ("10", "a", "new"), ("10", "b", "old")}
    assert {("9", "c", "old"), ("5", "c", "old")} & lines.ours() == set()


def test_a_table_in_parts_is_read_as_one(tmp_path: Path, database: str) -> None:
    parted = shop(tmp_path, database)
    parted.do(
        "create table orders (id int primary key, note text) partition by range (id)",
        "create table low partition of orders for values from (0) to (100)",
        "create table high partition of orders for values from (100) to (200)",
        "insert into orders select n, 'old' from generate_series(1, 199) n",
    )
    parted.run()
    parted.do_behind_the_log("update orders set note = 'new'", "delete from orders where id in (99, 101)")
    parted.run()

    done = parted.start("--from", "90", "--to", "110")

    assert done["rows"] == 19
    assert parted.differing() == {str(key) for key in range(1, 200) if not 90 <= key <= 110}


def test_people_see_the_plan_the_outcome_and_what_is_under_way(orders: Shop) -> None:
    planned = orders.project.tieout("backfill", "plan", "shop.orders", "--where", "at", "--since", "2026-01-02")
    started = orders.project.tieout("backfill", "start", "shop.orders", "--to", "10")
    asked = orders.start("--from", "5", "--detach")
    status = orders.project.tieout("status")
    listed = orders.project.tieout("backfill", "list")

    assert "at from 2026-01-02 00:00:00+00" in planned.out
    assert "assumed, as none was measured yet" in " ".join(planned.out.split())
    assert "Done: 10 rows read again." in started.out
    assert asked["id"] in status.out
    assert "key to 10" not in status.out
    assert [asked["id"] in listed.out, "key to 10" in listed.out] == [True, True]


def test_an_old_read_that_lands_late_never_beats_a_live_change(orders: Shop) -> None:
    with orders.house() as house:
        warehouses = Warehouses(house)
        session = Session(house, "shop", warehouses)
        session.drain(session.source.bound())
        assert isinstance(session.source, ReadsRanges)
        chunk = session.source.chunk("orders", Range(), behind=None, rows_max=ROWS)
        orders.do("update orders set note = 'live' where id <= 10", "delete from orders where id = 11")
        session.drain(session.source.bound())

        session.route.land_aside(chunk.captured, "backfill/late")
        session.route.merge_each(session.warehouse)

        session.close()
        warehouses.close()
    assert ("1", "live") in orders.ours()
    assert orders.ours() == orders.theirs()


def test_repeated_and_overlapping_backfills_come_to_what_a_rebuild_comes_to(orders: Shop) -> None:
    orders.do_behind_the_log(*BEHIND)
    for range_ in (["--to", "2000"], ["--from", "1000"], ["--where", "at", "--since", "2026-01-02"], [], []):
        orders.do("update orders set note = note || '!' where id % 100 = 0")
        assert orders.start(*range_)["state"] == "done"

    (rebuilt,) = orders.project.json("rebuild")["streams"]

    assert rebuilt["equal"]
    assert orders.ours() == orders.theirs()
    assert orders.project.json("certify")["certificate"] == "complete"


def test_two_backfills_of_one_stream_take_turns(orders: Shop) -> None:
    orders.do(f"insert into orders select n, 'more', now(), 1, 'x' from generate_series({ROWS + 1}, 20000) n")
    asked = [orders.start("--detach")["id"] for _ in range(2)]

    orders.run()

    assert [(one["id"], one["state"], one["rows"]) for one in orders.listed()] == [
        (id_, "done", 20000) for id_ in asked
    ]
    with orders.house() as house:
        tracks = [
            fact.cursor.track
            for entry in house.tools.ledger.entries(Advanced)
            if isinstance(fact := entry.fact, Advanced) and fact.cursor.track.startswith("backfill/")
        ]
    assert tracks[:6] in (tracks[:2] * 3, tracks[1::-1] * 3)
    assert tracks[0] != tracks[1]


def test_the_plan_is_near_the_truth_after_analyze_and_reads_nothing(orders: Shop) -> None:
    before = orders.project.status("shop.orders")["books"]["received"]

    planned = orders.project.json("backfill", "plan", "shop.orders", "--where", "at", "--since", "2026-01-02")

    truth = ROWS - 24 * 60 + 1
    assert truth / 2 <= planned["rows"] <= truth * 2
    assert planned["rows"] * 10 <= planned["bytes"] <= planned["rows"] * 1000
    assert planned["chunks"] >= 1
    assert planned["minutes_beside_live"] > planned["minutes"] > 0
    assert planned["tables"] == ["raw.shop__orders", "latest.shop__orders"]
    assert planned["range"]["since"] == "2026-01-02 00:00:00+00"
    assert not planned["measured"]
    assert orders.listed() == []
    assert orders.project.status("shop.orders")["books"]["received"] == before


def test_what_earlier_chunks_took_tells_how_long_the_next_backfill_takes(orders: Shop) -> None:
    orders.start()

    planned = orders.project.json("backfill", "plan", "shop.orders")

    assert planned["measured"]
    assert planned["rows_per_second"] > 0


WISHES = [
    (["shop.nothing"], "has no stream shop.nothing"),
    (["crm.orders"], "belongs to no source"),
    (["orders"], "is not a stream"),
    (["shop.orders", "--from", "1,2"], 'invalid input syntax for type bigint: "1,2"'),
    (["shop.orders", "--from", "[1, 2]"], "has 2 values"),
    (["shop.orders", "--from", "9", "--to", "3"], "ends before it begins"),
    (["shop.orders", "--where", "gone", "--since", "1"], "has no column gone"),
    (["shop.orders", "--where", "note", "--since", "1"], "of which no window is made"),
    (["shop.orders", "--where", "price", "--since", "1"], "of which no window is made"),
    (["shop.orders", "--where", "at"], "has no ends"),
    (["shop.orders", "--since", "2026-01-01"], "names no column"),
    (["shop.orders", "--where", "at", "--since", "soon"], "invalid input syntax for type timestamp"),
    (["shop.orders", "--where", "at", "--since", "2026-02-01", "--until", "2026-01-01"], "ends before it begins"),
]


def test_a_wish_that_cannot_be_is_answered_with_what_can(orders: Shop) -> None:
    for arguments, told in WISHES:
        error = orders.project.json("backfill", "start", *arguments, code=2)["error"]

        assert error == orders.project.json("backfill", "plan", *arguments, code=2)["error"], arguments
        assert told in error["message"], arguments
        assert error["hint"], arguments
    assert orders.listed() == []
