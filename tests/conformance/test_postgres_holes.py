"""What the log does not tell is noticed, said of the tables concerned, and made good by reading just these again."""

from __future__ import annotations

import pytest

from tests.conformance.postgres_follower import SLOT, Follower, content, kinds, session
from tests.conformance.test_postgres_trouble import drop_slot, end_readers, slots
from tieout.capture.hole import unread
from tieout.capture.postgres.tables import chunk as chunk_module

BOTH = {"orders": "public.orders", "line": "public.line"}


@pytest.fixture
def shop(database: str) -> str:
    with session(database) as owner:
        owner.execute("create table orders (id int primary key, note text); create table line (id int primary key)")
        owner.execute(
            "insert into orders select n, 'first' from generate_series(1, 3) as n; insert into line values (1)"
        )
    return database


@pytest.fixture
def follower(shop: str) -> Follower:
    follower = Follower(shop, BOTH)
    follower.run()
    with session(shop) as owner:
        owner.execute("insert into orders values (4, 'told')")
    follower.run()
    return follower


def do(url: str, *statements: str) -> None:
    with session(url) as owner:
        for statement in statements:
            owner.execute(statement)


UNTOLD = "delete from orders where id = 1", "insert into orders values (5, 'untold')"

MEDDLING = {
    "values given to old rows": (["alter table orders add column paid int not null default 7"], "a column was added"),
    "values by a function": (["alter table orders add column paid float default random()"], "written anew with other"),
    "rows written anew": (["alter table orders alter note type text using upper(note)"], "written anew with other"),
    "another type": (["alter table orders alter note type int using 1"], "written anew with other columns"),
    "a column made anew": (
        ["alter table orders drop column note", "alter table orders add column note text"],
        "a column was renamed or made anew",
    ),
    "made anew": (["drop table orders", "create table orders (id int primary key, note text)"], "made anew"),
    "taken out and put back": (
        [f"alter publication {SLOT} drop table orders", *UNTOLD, f"alter publication {SLOT} add table orders"],
        "the publication was changed",
    ),
    "taken out": ([f"alter publication {SLOT} drop table orders", *UNTOLD], "the publication was changed"),
    "filtered for a while": (
        [
            f"alter publication {SLOT} set table orders where (id > 9), line",
            *UNTOLD,
            f"alter publication {SLOT} set table orders, line",
        ],
        "the publication was changed",
    ),
}


@pytest.mark.parametrize("goes_on", [True, False], ids=["while we follow", "while we are away"])
@pytest.mark.parametrize("case", MEDDLING)
def test_what_the_log_does_not_tell_of_a_table_is_read_again(
    case: str, goes_on: bool, follower: Follower, shop: str
) -> None:
    statements, reason = MEDDLING[case]
    if not goes_on:
        follower.restart()
    do(shop, *statements)

    follower.take(1)
    known = unread(follower.progress)["orders"]
    was_holed = follower.is_holed("orders")
    pieces = follower.run()

    assert reason in known.holes[0].reason
    assert was_holed
    assert not follower.is_holed("orders")
    assert kinds(pieces, "line") == []
    assert unread(follower.progress) == {}
    assert follower.rows("orders") == content(shop, "orders")


def test_a_column_that_was_renamed_is_read_again_under_its_new_name(follower: Follower, shop: str) -> None:
    do(shop, "alter table orders rename note to remark")

    follower.take(1)
    known = unread(follower.progress)["orders"]
    follower.run()

    assert known.holes[0].reason == "a column was renamed or made anew"
    rows = follower.rows("orders")
    assert {row["remark"] for row in rows.values()} == {row["note"] for row in rows.values()} == {"first", "told"}


QUIET = {
    "a column without values": "alter table orders add column paid int",
    "a column less": "alter table orders drop column note",
    "a wider column": "alter table orders alter note type varchar",
    "blocks written anew": "vacuum full orders",
    "an index": "create index by_note on orders (note)",
    "emptied": "truncate orders",
}


@pytest.mark.parametrize("case", QUIET)
def test_what_changes_no_row_behind_the_log_is_no_hole(case: str, follower: Follower, shop: str) -> None:
    do(shop, QUIET[case])

    follower.run()

    assert "sweep" not in [kind for piece in follower.landed[3:] for kind in kinds([piece], "orders")]
    assert not follower.is_holed("orders")


def make_slot_anew(follower: Follower, shop: str) -> None:
    """What is done meanwhile is told by no slot."""
    drop_slot(follower, shop)
    follower.restart()
    do(shop, *UNTOLD, f"select pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")


def test_a_slot_that_was_dropped_leaves_a_hole_of_every_table(follower: Follower, shop: str) -> None:
    told = follower.progress["wal"].read()["lsn"]
    drop_slot(follower, shop)
    do(shop, *UNTOLD)

    follower.take(2)
    holes = {object_: one.holes for object_, one in unread(follower.progress).items()}
    follower.run()

    assert [(hole.since, hole.reason) for hole in holes["orders"]] == [(told, "the slot is not there")]
    assert [(hole.since, hole.reason) for hole in holes["line"]] == [(told, "the slot is not there")]
    assert [follower.is_holed(object_) for object_ in BOTH] == [False, False]
    assert follower.rows("orders") == content(shop, "orders")


def test_a_slot_that_somebody_made_anew_under_our_name_is_noticed(follower: Follower, shop: str) -> None:
    make_slot_anew(follower, shop)

    pieces = follower.run()

    assert kinds(pieces, "orders")[0] == "gap"
    assert follower.rows("orders") == content(shop, "orders")
    do(shop, "insert into orders values (9, 'after')")
    follower.run()
    assert follower.rows("orders") == content(shop, "orders")


def test_a_slot_that_somebody_made_anew_before_any_change_came_through_it_is_noticed(shop: str) -> None:
    follower = Follower(shop, BOTH)
    follower.run()
    make_slot_anew(follower, shop)

    pieces = follower.run()

    assert kinds(pieces, "orders")[0] == "gap"
    assert follower.rows("orders") == content(shop, "orders")


def test_a_slot_that_somebody_made_anew_before_we_saw_our_own_is_noticed(shop: str) -> None:
    follower = Follower(shop, BOTH)
    follower.take(2)
    make_slot_anew(follower, shop)

    follower.run()

    assert follower.rows("orders") == content(shop, "orders")


def test_a_slot_that_somebody_made_anew_is_noticed_with_what_has_landed_alone(follower: Follower, shop: str) -> None:
    del follower.progress["slot"]
    make_slot_anew(follower, shop)

    pieces = follower.run()

    assert kinds(pieces, "orders")[0] == "gap"
    assert follower.rows("orders") == content(shop, "orders")


def test_our_own_slot_is_known_again_by_what_has_landed_alone(shop: str) -> None:
    follower = Follower(shop, BOTH)
    follower.run()
    follower.restart()
    del follower.progress["slot"]

    assert follower.run() == []


def test_a_slot_that_somebody_moved_on_is_noticed(
    follower: Follower, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tieout.capture.postgres.standing._STRAYED_MAX", 1_000)
    follower.restart()
    end_readers(shop)
    do(shop, "insert into orders select n, 'untold' from generate_series(100, 200) as n")
    do(shop, f"select pg_replication_slot_advance('{SLOT}', pg_current_wal_lsn())")

    pieces = follower.run()

    assert kinds(pieces, "orders")[0] == "gap"
    assert follower.rows("orders") == content(shop, "orders")


def test_our_own_slot_is_known_again_after_every_kind_of_end(follower: Follower, shop: str) -> None:
    for _ in range(3):
        follower.restart()
        do(shop, "insert into orders select max(id) + 1, 'told' from orders")
        follower.run()
    follower.source.close()
    follower.restart()

    assert follower.run() == []
    assert slots(shop) == [SLOT]


def test_a_hole_while_a_hole_is_read_again_is_added_to_it(
    follower: Follower, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_module, "_rows_max", 1)
    do(shop, "insert into orders select n, repeat('x', 2000) from generate_series(10, 40) as n")
    follower.run()
    drop_slot(follower, shop)
    do(shop, "delete from orders where id = 10")
    follower.take(4)
    drop_slot(follower, shop)
    do(shop, "delete from orders where id in (11, 40)")
    follower.take(4)
    do(shop, "alter table orders add column paid int not null default 7")
    follower.take(1)

    reasons = follower.holes("orders")
    follower.run()

    assert reasons[:2] == ["the slot is not there"] * 2
    assert reasons[2].startswith("a column was added")
    assert not follower.is_holed("orders")
    assert follower.rows("orders") == content(shop, "orders")


def test_kills_at_every_piece_of_a_hole_lose_nothing(follower: Follower, shop: str) -> None:
    drop_slot(follower, shop)
    do(shop, *UNTOLD)
    for pieces in (1, 1, 2, 1, 1, 1):
        follower.take(pieces)

    follower.run()

    assert [follower.is_holed(object_) for object_ in BOTH] == [False, False]
    assert follower.rows("orders") == content(shop, "orders")
    assert follower.rows("line") == content(shop, "line")


def test_a_publication_made_anew_leaves_a_hole_of_every_table(follower: Follower, shop: str) -> None:
    follower.restart()
    do(shop, f"drop publication {SLOT}", *UNTOLD, f"create publication {SLOT} for table orders, line")

    pieces = follower.run()

    assert kinds(pieces, "orders")[0] == kinds(pieces, "line")[0] == "gap"
    assert follower.rows("orders") == content(shop, "orders")


def test_a_table_is_read_anew_once_when_that_is_asked_for(follower: Follower, shop: str) -> None:
    ask(follower, "orders")
    again = follower.source.anew("orders", follower.progress)
    known = unread(follower.progress)
    follower.restart()

    pieces, afterwards = follower.run(), follower.run()

    assert again is None
    assert (known["orders"].share, known["orders"].holes) == (0, ())
    assert kinds(pieces, "orders") == ["image"] * 4 + ["sweep"]
    assert kinds(pieces, "line") == afterwards == []
    assert unread(follower.progress) == {}
    assert follower.rows("orders") == content(shop, "orders")


def test_what_is_lost_while_a_table_is_read_anew_is_a_hole(follower: Follower, shop: str) -> None:
    ask(follower, "orders")
    drop_slot(follower, shop)
    do(shop, *UNTOLD)

    follower.restart()
    pieces = follower.run()

    assert kinds(pieces, "orders")[0] == "gap"
    assert not follower.is_holed("orders")
    assert follower.rows("orders") == content(shop, "orders")


def ask(follower: Follower, object_: str) -> None:
    """The object is to be read anew, and that is registered."""
    piece = follower.source.anew(object_, follower.progress)
    assert piece is not None
    assert kinds([piece], object_) == ["mark"]
    follower.progress[piece.after.track] = piece.after
    follower.landed.append(piece)


def test_the_lasting_slot_is_one_that_a_standby_takes_over(follower: Follower, shop: str) -> None:
    with session(shop) as owner:
        owner.execute("select failover from pg_replication_slots where slot_name = %s", (SLOT,))

        assert owner.fetchall() == [(True,)]
