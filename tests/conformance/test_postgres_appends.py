"""Tables without a key: what is added is told once, however it is read and whoever is killed, and no statement of the
application's fails for it."""

from __future__ import annotations

from collections import Counter

import psycopg2
import pytest

from tests.conformance.postgres_follower import SLOT, Follower, column, kinds, session
from tieout.base.errors import Misconfigured
from tieout.base.range import Range
from tieout.capture.postgres import wire as wire_module
from tieout.capture.postgres.appends import appends_of
from tieout.capture.postgres.tables import snapshot as snapshot_module

TABLES = {"events": "public.events"}
BOTH = {"orders": "public.orders", **TABLES}
MADE = """
create table events (at int, note text);
create table orders (id int primary key, note text);
insert into events select n, 'first' from generate_series(1, 20) as n;
insert into events values (1, 'first'), (null, null), (null, null)
"""
"""Among its rows are some that are equal."""


@pytest.fixture(autouse=True)
def pieces_of_five_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_module, "_rows_max", 5)


@pytest.fixture
def shop(database: str) -> str:
    do(database, MADE)
    return database


def do(url: str, statements: str) -> None:
    with session(url) as cursor:
        cursor.execute("set lock_timeout = '5s'")
        for statement in filter(str.strip, statements.split(";")):
            cursor.execute(statement)


def follower_of(url: str, tables: dict[str, str] = TABLES) -> Follower:
    return Follower(url, tables, key=("row_id",), append_only=("events",))


def here(follower: Follower) -> Counter[tuple[str | None, ...]]:
    return Counter((row["at"], row["note"]) for row in follower.rows("events").values())


def there(url: str) -> Counter[tuple[str | None, ...]]:
    with session(url) as cursor:
        cursor.execute("select at::text, note from events")
        return Counter(cursor.fetchall())


def test_equal_rows_stay_apart_whether_they_were_read_or_added_later(shop: str) -> None:
    follower = follower_of(shop)
    follower.run()
    do(shop, "insert into events values (1, 'first'), (1, 'first'); insert into events values (1, 'first')")

    follower.run()

    assert here(follower) == there(shop)
    assert here(follower)["1", "first"] == 5


def test_a_truncate_empties_it_and_what_the_same_transaction_adds_stays(shop: str) -> None:
    follower = follower_of(shop)
    follower.run()
    with psycopg2.connect(shop) as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into events values (98, 'before'); truncate events; insert into events values (99, 'on')"
        )

    follower.run()

    assert here(follower) == there(shop) == Counter({("99", "on"): 1})


@pytest.mark.parametrize("identity", ["default", "nothing", "full"])
def test_the_applications_updates_and_deletes_work_and_are_not_told(shop: str, identity: str) -> None:
    do(shop, f"alter table events replica identity {identity}")
    follower = follower_of(shop, BOTH)
    follower.run()

    do(
        shop,
        "update events set note = 'second' where at = 2; delete from events where at = 3;insert into orders values (1)",
    )

    assert [list(piece.tables) for piece in follower.run()] == [["orders"]]
    assert here(follower)["2", "first"] == 1


def test_what_the_server_sends_again_bears_the_same_names(shop: str) -> None:
    follower = follower_of(shop, BOTH)
    follower.run()
    do(shop, "insert into orders values (1, 'x'); insert into events values (7, 'late'), (7, 'late')")
    before = dict(follower.progress)
    first = column(follower.run(acknowledge=False), "events", "row_id")
    follower.progress = before
    follower.restart()

    again = column(follower.run(), "events", "row_id")

    assert len(set(first)) == 2
    assert again == first
    assert here(follower) == there(shop)


@pytest.mark.parametrize("killed_after", range(1, 9))
def test_a_kill_after_any_piece_doubles_nothing_and_loses_nothing(shop: str, killed_after: int) -> None:
    follower = follower_of(shop, BOTH)
    do(shop, "insert into orders values (1, 'x')")
    follower.take(killed_after)
    do(shop, "insert into events values (1, 'first'), (100, 'while it was dead'); insert into orders values (2, 'y')")

    follower.run()

    assert here(follower) == there(shop)
    do(shop, "insert into events values (1, 'first')")
    follower.run()
    assert here(follower) == there(shop)


def test_what_is_added_while_it_is_read_is_told_beside(shop: str) -> None:
    first = Follower(shop, {"orders": "public.orders"})
    first.run()
    first.source.close()
    follower = follower_of(shop, BOTH)
    follower.progress = first.progress
    running = follower.source.capture(follower.progress, until=follower.source.bound())
    for number, piece in enumerate(running):
        follower.progress[piece.after.track] = piece.after
        follower.landed.append(piece)
        if number < 4:
            do(shop, f"insert into events values ({number}, 'beside'); insert into orders values ({number}, 'beside')")
    ends = next(at for at, piece in enumerate(follower.landed) if "sweep" in kinds([piece], "events"))

    assert column(follower.landed[:ends], "orders", "id") == ["0", "1", "2", "3"]
    follower.run()
    assert here(follower) == there(shop)


@pytest.mark.parametrize(
    "hole", ["select pg_drop_replication_slot('tieout_shop')", "drop publication tieout_shop_appends"]
)
@pytest.mark.parametrize("killed_after", [None, 2, 6])
def test_after_a_hole_it_is_read_anew_and_its_rows_are_those_of_the_source(
    shop: str, hole: str, killed_after: int | None
) -> None:
    follower = follower_of(shop)
    follower.run()
    do(shop, "insert into events values (1, 'first')")
    follower.run()
    follower.restart()
    do(shop, f"{hole}; insert into events values (200, 'unseen'); delete from events where at = 5")
    if killed_after:
        follower.take(killed_after)
        assert follower.is_holed("events")

    follower.run()

    assert here(follower) == there(shop)
    assert not follower.is_holed("events")
    do(shop, "insert into events values (1, 'first')")
    follower.run()
    assert here(follower) == there(shop)


def test_what_was_said_before_the_reading_is_not_told_a_second_time(shop: str) -> None:
    follower = follower_of(shop)
    follower.take(2)
    do(shop, "insert into events values (300, 'between')")

    follower.run()
    do(shop, "insert into events values (301, 'behind')")
    follower.run()

    told = [piece for piece in follower.landed if "note" in piece.tables["events"].column_names]
    notes = Counter(column(told, "events", "note"))
    assert (notes["between"], notes["behind"]) == (1, 1)


def test_a_partitioned_table_is_one_and_a_partition_that_comes_with_rows_makes_it_read_again(database: str) -> None:
    do(
        database,
        "create table events (at int, note text) partition by range (at);"
        "create table early partition of events for values from (0) to (100);"
        "insert into events select n, 'first' from generate_series(1, 12) as n",
    )
    follower = follower_of(database)
    follower.run()
    do(
        database,
        "create table late (at int, note text); insert into late values (150, 'brought along');"
        "alter table events attach partition late for values from (100) to (200);"
        "insert into events values (151, 'added')",
    )

    follower.run()

    assert here(follower) == there(database)
    do(database, "insert into events values (152, 'added'); truncate events; insert into events values (1, 'new')")
    follower.run()
    assert here(follower) == there(database) == Counter({("1", "new"): 1})


def test_it_joins_a_source_that_follows_already_and_the_others_are_not_read_again(shop: str) -> None:
    first = Follower(shop, {"orders": "public.orders"})
    first.run()
    do(shop, "insert into orders values (1, 'x'); insert into events values (400, 'before')")
    follower = follower_of(shop, BOTH)
    follower.progress = first.progress
    first.source.close()

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["image"]
    assert here(follower) == there(shop)


@pytest.mark.parametrize("made_by", ["us", "hand"])
def test_a_server_that_reads_no_log_older_than_a_publication_gets_a_slot_that_is_younger(
    shop: str, made_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "_NAMING_LATE", 99_00_00)  # as before version 18
    first = Follower(shop, {"orders": "public.orders"})
    first.run()
    do(shop, "insert into orders values (1, 'x'); insert into events values (400, 'before')")
    if made_by == "hand":
        do(shop, "create publication tieout_shop_appends for table only events with (publish = 'insert, truncate')")
    follower = follower_of(shop, BOTH)
    follower.progress = first.progress
    first.source.close()

    pieces = follower.run()

    assert "sweep" in kinds(pieces, "orders")
    assert here(follower) == there(shop)
    do(shop, "insert into orders values (2, 'y'); insert into events values (401, 'behind')")
    follower.restart()
    assert kinds(follower.run(), "orders") == ["image"]
    assert here(follower) == there(shop)


def test_a_column_that_comes_with_a_value_for_older_rows_is_read(shop: str) -> None:
    follower = follower_of(shop)
    follower.run()
    do(shop, "alter table events add column kind text default 'web'; insert into events values (500, 'new', 'app')")

    follower.run()

    assert Counter(row["kind"] for row in follower.rows("events").values()) == Counter({"web": 23, "app": 1})


def test_its_publication_tells_nothing_that_would_make_an_update_fail(shop: str) -> None:
    follower_of(shop, BOTH).run()

    with session(shop) as cursor:
        cursor.execute("select pubname, pubinsert, pubupdate, pubdelete, pubtruncate from pg_publication order by 1")
        assert cursor.fetchall() == [(SLOT, True, True, True, True), (appends_of(SLOT), True, False, False, True)]


REFUSED: dict[str, tuple[str, str, str]] = {
    "updates told": (
        "create publication tieout_shop_appends for table events",
        "does not tell just what is added",
        "set (publish = 'insert, truncate')",
    ),
    "in the other publication": (
        "create publication tieout_shop for table events",
        "tells updates of",
        "drop table",
    ),
    "a table with a key": (
        "alter table events add column id bigserial primary key",
        "has a key",
        "Take `append_only` out",
    ),
    "a column of our name": ("alter table events add column row_id int", "has a column row_id", "rename column"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_do_harm_is_refused_with_its_mend(shop: str, case: str) -> None:
    statement, message, mend = REFUSED[case]
    do(shop, statement)

    with pytest.raises(Misconfigured, match=message) as refused:
        follower_of(shop, BOTH).run()

    assert mend in refused.value.hint


def test_a_table_without_a_key_is_refused_with_all_three_ways_out(shop: str) -> None:
    with pytest.raises(Misconfigured, match="has no primary key") as refused:
        Follower(shop, TABLES).run()

    for way in ("add primary key", "replica identity using index", "... replica identity full", "append_only: true"):
        assert way in refused.value.hint


def test_a_range_of_it_cannot_be_read_again(shop: str) -> None:
    with pytest.raises(Misconfigured, match="no key by which some of them") as refused:
        follower_of(shop).source.understood("events", Range((), (), None, None, None))

    assert "tieout certify shop.events --repair" in refused.value.hint


@pytest.mark.parametrize("publication", ["p", "p" * 63, "é" * 31])
def test_the_publication_beside_has_a_name_that_is_not_cut(publication: str) -> None:
    named = appends_of(publication)

    assert named.endswith("_appends")
    assert len(named.encode()) <= 63
