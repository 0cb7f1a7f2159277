"""What the source `postgres` promises, against a real server."""

from __future__ import annotations

import json

import psycopg2
import psycopg2.extensions
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.postgres_follower import (
    SLOT,
    Follower,
    assert_confirmed,
    changes,
    column,
    confirmed,
    content,
    kinds,
    session,
)
from tieout.base.errors import Broken
from tieout.base.types import ColumnType
from tieout.capture.postgres.log import following as following_module
from tieout.capture.postgres.lsn import lsn_number
from tieout.capture.postgres.tables import aside as aside_module

TABLES = {"orders": "public.orders"}
ORDERS = "create table orders (id int primary key, note text, big text)"
OUT_OF_LINE = "alter table orders alter big set storage external"
LARGE = "repeat('large ', 1000)"


@pytest.fixture
def orders(database: str) -> str:
    """A database with one table, empty."""
    with session(database) as shop:
        shop.execute(ORDERS)
        shop.execute(OUT_OF_LINE)
    return database


@pytest.fixture
def follower(orders: str) -> Follower:
    return Follower(orders, TABLES)


def test_the_source_describes_its_tables(database: str) -> None:
    with session(database) as shop:
        shop.execute("create domain price as numeric(12,2)")
        shop.execute(
            "create table line (region text, amount price not null, at timestamptz(3), tags text[], odd numeric,"
            " twice int generated always as (2) stored, thrice int generated always as (3) virtual, number int,"
            " primary key (number, region))"
        )

    (described,) = Follower(database, {"line": "line"}).source.describe()

    assert described.object == "line"
    assert described.key == ("number", "region")
    assert [(column.name, str(column.type), column.required, column.physical) for column in described.columns] == [
        ("region", "text", True, "text"),
        ("amount", "decimal(12,2)", True, "numeric(12,2)"),
        ("at", "timestamptz", False, "timestamp(3) with time zone"),
        ("tags", "json", False, "text[]"),
        ("odd", "numeric", False, "numeric"),
        ("twice", "integer", False, "integer"),
        ("number", "integer", True, "integer"),
    ]
    assert described.columns[1].type == ColumnType.parse("numeric(12,2)")
    assert described.note == "Generated columns that the log does not tell are left out: thrice."


GENERATED = (
    "create table orders (id int primary key, twice int generated always as (id * 2) stored,"
    " thrice int generated always as (id * 3) virtual); insert into orders values (1)"
)


def test_a_stored_generated_column_is_read_and_logged(database: str) -> None:
    with session(database) as shop:
        shop.execute(GENERATED)
    follower = Follower(database, TABLES)
    follower.run()
    with session(database) as shop:
        shop.execute("insert into orders values (2)")

    follower.run()

    assert follower.rows("orders") == {("1",): {"id": "1", "twice": "2"}, ("2",): {"id": "2", "twice": "4"}}


def test_a_generated_column_that_the_publication_does_not_tell_is_neither_read_nor_logged(database: str) -> None:
    with session(database) as shop:
        shop.execute(f"{GENERATED}; create publication {SLOT} for table orders")
    follower = Follower(database, TABLES)
    follower.run()
    with session(database) as shop:
        shop.execute("insert into orders values (2)")

    follower.run()

    (described,) = follower.source.describe()
    assert follower.rows("orders") == {("1",): {"id": "1"}, ("2",): {"id": "2"}}
    assert described.note == "Generated columns that the log does not tell are left out: twice, thrice."


def test_what_was_there_is_read_and_ended_by_a_sweep(follower: Follower, orders: str) -> None:
    with session(orders) as shop:
        shop.execute("insert into orders select n, 'note', null from generate_series(1, 3) as n")

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["image", "image", "image", "sweep"]
    assert {piece.encoding for piece in pieces} == {"native"}
    assert set(column(pieces, "orders", "_class")) == {0}
    assert len(set(column(pieces, "orders", "_position"))) == 1
    assert [piece.after.read()["done"] for piece in pieces] == [False, True]
    assert follower.rows("orders") == content(orders, "orders")


def test_an_empty_table_is_read_too(follower: Follower) -> None:
    assert kinds(follower.run(), "orders") == ["sweep"]


def test_a_quiet_pass_tells_nothing(follower: Follower) -> None:
    follower.run()

    assert follower.run() == []


def test_a_log_that_is_on_disk_to_the_middle_of_a_record_holds_nobody_up(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (1, 'a', null)")
        end = half_on_disk(shop)
        follower.source.bound()
        shop.execute("select pg_current_wal_flush_lsn() >= %s::pg_lsn", (end,))
        whole = shop.fetchall()

    follower.run()

    assert whole == [(True,)], "its end is waited for in vain"
    assert follower.rows("orders") == content(orders, "orders")


def half_on_disk(shop: psycopg2.extensions.cursor) -> str:
    """Where a record ends that is on disk to its middle. As that of a reading that tidied up pages and was rolled back:
    nobody asks for its end, but the server itself, four times a minute; then another is written."""
    for _ in range(10):
        shop.execute("begin")
        shop.execute("select pg_logical_emit_message(false, '', repeat('half of it ', 3000))")
        ((end,),) = shop.fetchall()
        shop.execute("rollback")
        for _ in range(1000):  # a log writer that has had nothing to do for a while sleeps for five seconds
            shop.execute(
                "select at < %s::pg_lsn, (at - '0/0') %% 8192 = 0, pg_sleep(0.01)"
                " from (select pg_current_wal_flush_lsn() as at offset 0) as flushed",
                (end,),
            )
            ((is_open, is_end_of_page, _),) = shop.fetchall()
            if is_open and is_end_of_page:
                return str(end)
            if not is_open:
                break
    raise AssertionError("the log is on disk to the end of a record, whatever is written")


def test_every_kind_of_change_is_followed(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (1, 'a', null), (2, 'b', ''), (3, 'c', null)")
        shop.execute("update orders set note = 'new' where id = 1")
        shop.execute("update orders set id = 20 where id = 2")
        shop.execute("delete from orders where id = 3")

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["image", "image", "image", "image", "delete", "image", "delete"]
    assert follower.rows("orders") == content(orders, "orders")


def test_a_truncate_ends_every_row_before_it(database: str) -> None:
    with session(database) as shop:
        shop.execute("create table head (id int primary key); create table line (id int primary key references head)")
        shop.execute("insert into head values (1), (2); insert into line values (1)")
    follower = Follower(database, {"head": "head", "line": "line"})
    follower.run()
    with session(database) as shop:
        shop.execute("begin; truncate head cascade; insert into head values (3); commit")

    pieces = follower.run()

    assert kinds(pieces, "head") == ["truncate", "image"]
    assert kinds(pieces, "line") == ["truncate"]
    assert follower.rows("head") == content(database, "head")
    assert follower.rows("line") == {}


def test_a_large_value_that_was_not_touched_stays(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute(f"insert into orders values (1, 'a', {LARGE})")
        shop.execute("update orders set note = 'b'")

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["image", "patch"]
    assert follower.rows("orders") == content(orders, "orders")


def test_a_whole_old_row_makes_an_image_of_it(follower: Follower, orders: str) -> None:
    with session(orders) as shop:
        shop.execute("alter table orders replica identity full")
        shop.execute(f"insert into orders values (1, 'a', {LARGE})")
    follower.run()
    with session(orders) as shop:
        shop.execute("update orders set note = 'b'")
        shop.execute("update orders set id = 2")
        shop.execute("update orders set note = 'c'")

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["image", "delete", "image", "image"]
    assert follower.rows("orders") == content(orders, "orders")


def test_a_key_that_moves_without_its_large_value_leaves_a_gap_for_a_reread(follower: Follower, orders: str) -> None:
    with session(orders) as shop:
        shop.execute(f"insert into orders values (1, 'a', {LARGE})")
    follower.run()
    with session(orders) as shop:
        shop.execute("update orders set id = 2")

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["delete", "image", "gap"]
    assert "big" not in follower.rows("orders")["2",]
    follower.mend("orders")
    assert follower.rows("orders") == content(orders, "orders")


def test_a_key_by_an_index_is_the_key(database: str) -> None:
    with session(database) as shop:
        shop.execute("create table product (id int primary key, region text not null, code text not null, name text)")
        shop.execute("create unique index by_code on product (code, region)")
        shop.execute("alter table product replica identity using index by_code")
        shop.execute("insert into product values (1, 'EU', 'a', 'x'), (2, 'US', 'a', 'y')")
    follower = Follower(database, {"product": "product"}, key=("code", "region"))
    follower.run()
    with session(database) as shop:
        shop.execute("delete from product where id = 1; update product set code = 'b', name = 'z' where id = 2")

    follower.run()

    assert follower.source.describe()[0].key == ("code", "region")
    assert follower.rows("product") == content(database, "product", ("code", "region"))


def test_a_column_that_is_added_appears_with_its_first_value(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (1, 'a', null)")
        shop.execute("begin; alter table orders add column more int")
        shop.execute("insert into orders values (2, 'b', null, 7); commit")
        shop.execute("alter table orders drop column note; insert into orders values (3, null, 8)")

    (piece,) = follower.run()

    assert column([piece], "orders", "more") == [None, "7", "8"]
    assert [json.loads(cover) for cover in column([piece], "orders", "_cover")] == [
        ["big", "id", "note"],
        ["big", "id", "more", "note"],
        ["big", "id", "more"],
    ]


def test_names_are_taken_as_they_are(database: str) -> None:
    with session(database) as shop:
        shop.execute('create schema "Sales %s"')
        shop.execute('create table "Sales %s"."Order; Items" ("Id" int primary key, "a ""b" text)')
        shop.execute("""insert into "Sales %s"."Order; Items" values (1, 'x')""")
    follower = Follower(database, {"items": "Sales %s.Order; Items"}, key=("Id",))
    follower.run()
    with session(database) as shop:
        shop.execute("""insert into "Sales %s"."Order; Items" values (2, 'y')""")

    follower.run()

    assert follower.rows("items") == {("1",): {"Id": "1", 'a "b': "x"}, ("2",): {"Id": "2", 'a "b': "y"}}


def test_a_partitioned_table_is_one_and_a_parent_is_not_its_heirs(database: str) -> None:
    with session(database) as shop:
        shop.execute("create table event (id int, day int, primary key (id, day)) partition by list (day)")
        shop.execute("create table event_1 partition of event for values in (1)")
        shop.execute("create table event_2 partition of event for values in (2)")
        shop.execute("create table parent (id int primary key); create table heir (extra int) inherits (parent)")
        shop.execute("insert into event values (1, 1); insert into parent values (1); insert into heir values (2, 2)")
    follower = Follower(database, {"event": "event"}, key=("id", "day"))
    parent = Follower(database, {"parent": "parent"}, slot="tieout_parent")
    follower.run(), parent.run()
    with session(database) as shop:
        shop.execute("insert into event values (2, 2); update event set day = 2 where id = 1")
        shop.execute("insert into parent values (3); insert into heir values (4, 4)")

    follower.run(), parent.run()

    assert follower.rows("event") == content(database, "event", ("id", "day"))
    assert parent.rows("parent") == content(database, "only parent")


def test_rows_of_one_large_transaction_are_one_piece(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders select n, 'n', null from generate_series(1, 120000) as n")

    (piece,) = follower.run()

    assert piece.tables["orders"].num_rows == 120_000
    assert column([piece], "orders", "_rank") == list(range(120_000))
    assert column([piece], "orders", "id") == [str(number) for number in range(1, 120_001)]


def test_a_piece_ends_at_a_transaction_when_it_is_full(
    follower: Follower, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "_piece_changes_max", 10)
    follower.run()
    with session(orders) as shop:
        for first in (1, 8, 15, 22):
            shop.execute(f"insert into orders select n, 'n', null from generate_series({first}, {first} + 6) as n")

    pieces = follower.run()

    assert [piece.tables["orders"].num_rows for piece in pieces] == [14, 14]


def test_what_was_not_acknowledged_is_sent_again_as_it_was(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute(f"insert into orders values (1, 'a', {LARGE}), (2, 'b', null); update orders set note = 'c'")
        shop.execute("update orders set id = 10 where id = 1")
    before = dict(follower.progress)

    first = follower.run(acknowledge=False)
    follower.restart()
    follower.progress = before
    second = follower.run(acknowledge=False)

    assert [piece.after for piece in first] == [piece.after for piece in second]
    assert first[0].tables["orders"].equals(second[0].tables["orders"])


def test_what_was_registered_is_not_sent_again_though_its_acknowledgement_was_lost(
    follower: Follower, orders: str
) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (1, 'a', null)")
    follower.run(acknowledge=False)
    follower.restart()
    with session(orders) as shop:
        shop.execute("insert into orders values (2, 'b', null)")

    pieces = follower.run()

    assert column(pieces, "orders", "id") == ["2"]


def test_the_slot_keeps_what_is_not_acknowledged_and_lets_go_of_the_rest(follower: Follower, orders: str) -> None:
    follower.run()
    start = confirmed(orders)
    with session(orders) as shop:
        shop.execute("insert into orders values (1, 'a', null)")

    (piece,) = follower.run(acknowledge=False)
    assert confirmed(orders) <= start + 64

    follower.source.acknowledge(piece.after)
    follower.run()
    assert_confirmed(orders, at_least=piece.after.position)


def test_the_log_of_other_tables_does_not_pile_up(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("create table other (id int primary key); insert into other select generate_series(1, 10000)")
    logged = follower.source.bound().position

    assert follower.run() == []
    assert_confirmed(orders, at_least=logged)


def test_the_log_of_tables_that_are_published_for_others_does_not_pile_up(follower: Follower, orders: str) -> None:
    with session(orders) as shop:
        shop.execute("create table other (id int primary key); create publication tieout_shop for table orders, other")
        follower.run()
        shop.execute("insert into orders values (1, 'a', null)")
        follower.run()
        shop.execute("insert into other select generate_series(1, 10000)")
    logged = follower.source.bound().position

    assert follower.run() == []
    assert_confirmed(orders, at_least=logged)


def test_an_open_log_is_gone_on_with(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("select active_pid from pg_replication_slots where slot_name = %s", (SLOT,))
        reader = shop.fetchone()
        shop.execute("insert into orders values (1, 'a', null)")
        follower.run()
        shop.execute("select active_pid from pg_replication_slots where slot_name = %s", (SLOT,))

        assert shop.fetchone() == reader


def test_a_capture_ends_at_its_bound_and_the_next_goes_on(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (1, 'a', null)")
        bound = follower.source.bound()
        shop.execute("insert into orders values (2, 'b', null)")

    pieces = list(follower.source.capture(follower.progress, until=bound))

    assert column(pieces, "orders", "id") == ["1"]
    follower.progress["wal"] = pieces[-1].after
    assert column(follower.run(), "orders", "id") == ["2"]


def test_a_table_that_is_added_to_the_project_is_read_while_the_others_go_on(orders: str) -> None:
    with session(orders) as shop:
        shop.execute("create table line (id int primary key); insert into line values (1)")
        shop.execute("insert into orders values (1, 'a', null)")
    follower = Follower(orders, TABLES)
    follower.run()
    wider = Follower(orders, {**TABLES, "line": "line"})
    wider.progress, wider.landed = follower.progress, follower.landed
    follower.source.close()
    with session(orders) as shop:
        shop.execute("insert into orders values (2, 'b', null)")

    pieces = wider.run()
    with session(orders) as shop:
        shop.execute("insert into line values (2)")
    wider.run()

    assert kinds(pieces, "line") == ["image", "sweep"]
    assert kinds(pieces, "orders") == ["image"]
    assert wider.rows("line") == content(orders, "line")
    assert wider.rows("orders") == content(orders, "orders")


def test_keys_are_read_again_at_one_moment(database: str) -> None:
    with session(database) as shop:
        shop.execute("create table price (region varchar(2), id bigint, at timestamptz, amount numeric(9,2))")
        shop.execute("alter table price add primary key (id, region)")
        shop.execute("insert into price values ('EU', 7, '2024-01-01', 7.5), ('US', 7, 'infinity', null)")
    follower = Follower(database, {"price": "price"}, key=("id", "region"))

    with follower.source.reread({"price": ('["7","EU"]', '["7","USA"]', '["9","EU"]', '["7","EU"]')}) as told:
        pieces = list(told)

    rows = changes(pieces, "price")
    assert [(row["_kind"], row["_cover"], row["id"], row["region"], row["amount"]) for row in rows] == [
        ("image", '["amount","at","id","region"]', "7", "EU", "7.50"),
        ("delete", "[]", "7", "USA", None),
        ("delete", "[]", "9", "EU", None),
    ]
    assert {row["_class"] for row in rows} == {0}
    assert all(row["_position"] <= follower.source.bound().position for row in rows)


def test_any_number_of_keys_is_read_again(follower: Follower, orders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside_module, "_keys_max", 400)
    with session(orders) as shop:
        shop.execute("insert into orders select n, 'n', null from generate_series(2, 1000, 2) as n")

    with follower.source.reread({"orders": tuple(f'["{n}"]' for n in range(1, 1001))}) as told:
        found = kinds(told, "orders")

    assert (found.count("image"), found.count("delete")) == (500, 500)


def test_a_read_does_not_beat_an_event_after_it(follower: Follower, orders: str) -> None:
    with session(orders) as shop:
        shop.execute("insert into orders values (1, 'old', null)")
        follower.run()
        with follower.source.reread({"orders": ('["1"]',)}) as told:
            shop.execute("update orders set note = 'new'")
            follower.landed += told

    follower.run()

    assert follower.rows("orders")["1",]["note"] == "new"


def test_a_cut_is_the_moment_that_reading_up_to_its_bound_brings_us_to(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (1, 'a', null), (2, 'b', null)")
        with follower.source.cut(("orders",)) as cut:
            shop.execute("delete from orders where id = 1; insert into orders values (3, 'c', null)")
            for piece in follower.source.capture(follower.progress, until=cut.bound):
                follower.progress[piece.after.track] = piece.after
                follower.landed.append(piece)
            told = list(cut.tell(("orders",)))

    assert kinds(told, "orders") == ["image", "image"]
    assert column(told, "orders", "id") == [1, 2]
    assert cut.unable == ()
    assert set(follower.rows("orders")) == {("1",), ("2",)}


def test_a_quiet_databases_cut_is_reached_at_once(follower: Follower) -> None:
    follower.run()

    with follower.source.cut(("orders",)) as cut:
        assert list(follower.source.capture(follower.progress, until=cut.bound)) == []


def test_an_object_that_the_project_does_not_name_is_not_ours_to_read(follower: Follower) -> None:
    with pytest.raises(Broken, match="customers"), follower.source.cut(("customers",)):
        pass


KEYS = st.integers(0, 4)
STEPS = st.one_of(
    st.tuples(
        st.sampled_from(
            [
                "insert into orders values ({0}, 'v{1}', {2}) on conflict do nothing",
                "update orders set note = 'u{1}' where id = {0}",
                "update orders set big = {2} where id = {0}",
                "update orders set id = {1} where id = {0} and not exists (select from orders where id = {1})",
                "delete from orders where id = {0}",
            ]
        ),
        KEYS,
        KEYS,
    ),
    st.tuples(
        st.sampled_from(["truncate orders", "begin", "commit", "rollback", "RUN", "RESTART", "CUT SHORT"]),
        st.just(0),
        st.just(0),
    ),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=25), full=st.booleans())
def test_whatever_is_done_the_fold_of_what_was_captured_is_the_table(
    database: str, steps: list[tuple[str, int, int]], *, full: bool
) -> None:
    follower = Follower(database, TABLES)
    connection = psycopg2.connect(database)
    connection.autocommit = True
    shop = connection.cursor()
    shop.execute(f"drop publication if exists {SLOT}; drop table if exists orders; {ORDERS}; {OUT_OF_LINE}")
    shop.execute(f"alter table orders replica identity {'full' if full else 'default'}")
    shop.execute("insert into orders values (0, 'first', null), (1, 'first', %s)", ("large " * 1000,))

    for statement, one, other in steps:
        if statement == "RUN":
            _outside_a_transaction(shop)
            follower.run()
        elif statement == "RESTART":
            follower.restart()
        elif statement == "CUT SHORT":
            _outside_a_transaction(shop)
            _run_cut_short(follower)
        else:
            shop.execute(statement.format(one, other, LARGE if other % 2 else f"'small {other}'"))
    _outside_a_transaction(shop)
    follower.run()
    follower.mend("orders")

    connection.close()
    assert follower.rows("orders") == content(database, "orders")
    follower.source.close()
    with session(database) as owner:
        owner.execute("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where active")
        owner.execute("select pg_drop_replication_slot(%s)", (SLOT,))


def _outside_a_transaction(shop: psycopg2.extensions.cursor) -> None:
    """A slot is made when those who write have ended."""
    shop.execute("commit")


def _run_cut_short(follower: Follower) -> None:
    """A worker that is killed after its first piece: landed, but not registered."""
    running = follower.source.capture(follower.progress, until=follower.source.bound())
    follower.landed += [piece for piece, _ in zip(running, range(1), strict=False)]
    follower.restart()


def test_a_word_left_in_a_quiet_log_moves_what_may_be_confirmed(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("select pg_logical_emit_message(false, 'tieout', repeat('word ', 1000), true)::text")
        ((word,),) = shop.fetchall()

    assert follower.run() == []
    assert_confirmed(orders, at_least=lsn_number(word))
