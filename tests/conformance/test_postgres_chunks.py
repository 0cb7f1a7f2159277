"""Large tables are read by chunks beside the log: no kill costs more than a chunk, and nothing that moves is missed."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.postgres_follower import SLOT, Follower, column, content, kinds, session
from tieout.capture.postgres.tables import chunk as chunk_module
from tieout.capture.postgres.tables import view as view_module

TABLES = {"orders": "public.orders"}
MADE = """
create table orders (id int primary key, note text, big text);
alter table orders alter big set storage external;
"""
FILLED = "insert into orders select n, repeat('x', 2000), null from generate_series(1, 20) as n"
"""Four rows a block, so five blocks."""


@pytest.fixture(autouse=True)
def chunks_of_one_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_module, "_rows_max", 1)


@pytest.fixture
def orders(database: str) -> str:
    with session(database) as shop:
        shop.execute(MADE + FILLED)
    return database


@pytest.fixture
def follower(orders: str) -> Follower:
    return Follower(orders, TABLES)


def do(url: str, statements: str) -> None:
    with session(url) as shop:
        shop.execute("set lock_timeout = '5s'")
        for statement in filter(str.strip, statements.split(";")):
            shop.execute(statement)


def test_a_table_is_read_in_chunks_and_ended_by_one_sweep(follower: Follower, orders: str) -> None:
    pieces = follower.run()

    assert [piece.tables["orders"].num_rows for piece in pieces] == [4, 4, 4, 4, 4, 1]
    assert column(pieces, "orders", "_ordinal") == [*range(20), 20]
    assert follower.rows("orders") == content(orders, "orders")


def test_a_kill_costs_no_more_than_the_chunk_that_was_being_read(follower: Follower, orders: str) -> None:
    before = column(follower.take(3), "orders", "id")

    after = column(follower.run()[:-1], "orders", "id")

    assert (before, after) == ([*range(1, 13)], [*range(13, 21)])
    assert follower.rows("orders") == content(orders, "orders")


def test_blocks_without_rows_are_passed_over(follower: Follower, orders: str) -> None:
    do(orders, "delete from orders where id < 17; vacuum (truncate off) orders")

    pieces = follower.run()

    assert [piece.tables["orders"].num_rows for piece in pieces] == [4, 1]
    assert follower.rows("orders") == content(orders, "orders")


def test_what_happens_between_the_chunks_is_told_by_the_log(follower: Follower, orders: str) -> None:
    follower.take(2)
    do(
        orders,
        # One that was read and one that was not, of each: changed, deleted, made a new row of, and given a new key.
        "update orders set note = 'short' where id in (1, 20); delete from orders where id in (2, 19);"
        "insert into orders values (21, 'new', null); update orders set id = id + 100 where id in (3, 18)",
    )
    follower.take(2)
    do(
        orders,
        "vacuum orders; insert into orders values (22, repeat('y', 2000), null); delete from orders where id = 21",
    )

    follower.run()

    assert follower.rows("orders") == content(orders, "orders")


def test_what_the_log_says_is_told_between_the_chunks(follower: Follower, orders: str) -> None:
    running = follower.source.capture(follower.progress, until=follower.source.bound())
    told: list[str] = []
    for number, piece in enumerate(running):
        follower.progress[piece.after.track] = piece.after
        follower.source.acknowledge(piece.after)
        told += [piece.after.track] if piece.tables else []
        if number == 1:
            do(orders, "update orders set note = 'live' where id = 7")

    assert told[:4] == ["snapshot/orders", "snapshot/orders", "wal", "snapshot/orders"]
    assert told.count("wal") == 1


def test_a_row_that_moves_behind_the_reader_without_its_large_value_waits_for_a_reread(
    follower: Follower, orders: str
) -> None:
    do(orders, "update orders set big = repeat('large ', 1000) where id = 20; vacuum orders")
    follower.take(2)
    do(
        orders,
        "delete from orders where id < 9; vacuum orders; update orders set note = repeat('z', 1000) where id = 20",
    )

    pieces = follower.run()

    assert "patch" in kinds(pieces, "orders")


@pytest.mark.parametrize(
    "rewriting", ["vacuum full orders", "truncate orders", "alter table orders alter id type bigint"]
)
def test_a_table_written_anew_between_the_chunks_is_read_from_its_beginning(
    rewriting: str, follower: Follower, orders: str
) -> None:
    follower.take(2)
    do(orders, f"delete from orders where id = 5; {rewriting}; insert into orders values (30, 'after', null)")

    follower.run()

    assert follower.rows("orders") == content(orders, "orders")
    assert not follower.is_holed("orders")


def test_a_table_written_anew_while_it_is_read_is_begun_again_at_once(follower: Follower, orders: str) -> None:
    running = follower.source.capture(follower.progress, until=follower.source.bound())
    for number, piece in enumerate(running):
        follower.progress[piece.after.track] = piece.after
        follower.landed.append(piece)
        if number == 1:
            do(orders, "delete from orders where id = 1; cluster orders using orders_pkey")

    assert follower.rows("orders") == content(orders, "orders")


def test_no_view_is_held_for_long(follower: Follower, orders: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large table is read in several, each of which sees what its predecessors could not."""
    monkeypatch.setattr(view_module, "_seconds_max", -1.0)

    pieces = follower.run()

    assert len(set(column(pieces[:-1], "orders", "_position"))) == 5
    assert column(pieces[-1:], "orders", "_position") == column(pieces[:1], "orders", "_position")[:1]
    assert follower.rows("orders") == content(orders, "orders")


PARTS = """
create table event (id int, day int, note text, primary key (id, day)) partition by list (day);
create table event_1 partition of event for values in (1);
create table event_2 partition of event for values in (2) partition by list (id);
create table event_2_1 partition of event_2 default;
insert into event select n, 1 + n % 2, repeat('x', 2000) from generate_series(1, 20) as n;
"""


def test_a_partitioned_table_is_read_part_by_part(database: str) -> None:
    do(database, PARTS)
    follower = Follower(database, {"event": "event"}, key=("id", "day"))
    follower.take(4)
    do(database, "update event set day = 3 - day where id in (1, 2, 19, 20); delete from event where id = 10")

    follower.run()

    assert follower.rows("event") == content(database, "event", ("id", "day"))


def test_a_partition_that_comes_later_is_read_alone(database: str) -> None:
    do(database, PARTS)
    follower = Follower(database, {"event": "event"}, key=("id", "day"))
    follower.run()
    do(database, "create table event_3 (id int, day int, note text, primary key (id, day), extra int)")
    do(database, "alter table event_3 drop column extra; insert into event_3 values (99, 3, 'was there')")
    do(
        database,
        "alter table event attach partition event_3 for values in (3); insert into event values (98, 3, 'told')",
    )

    pieces = follower.run()

    assert kinds(pieces, "event") == ["image", "image", "image", "mark"]  # 98 told, and both read
    assert follower.rows("event") == content(database, "event", ("id", "day"))


@pytest.mark.parametrize(
    "meddling",
    [
        "alter table event detach partition event_1",
        "drop table event_1",
        "truncate event_1",
        "alter table event detach partition event_1; delete from event_1;"
        "alter table event attach partition event_1 for values in (1)",
    ],
)
def test_rows_that_went_with_a_partition_are_swept_away(meddling: str, database: str) -> None:
    do(database, PARTS)
    follower = Follower(database, {"event": "event"}, key=("id", "day"))
    follower.run()
    do(database, meddling)

    pieces = follower.run()

    assert kinds(pieces, "event")[0] == "gap"
    assert not follower.is_holed("event")
    assert follower.rows("event") == content(database, "event", ("id", "day"))


THIRD = "create table event_3 (like event including all); insert into event_3 values (99, 3, '')"
ATTACHED = f"{THIRD}; alter table event attach partition event_3 for values in (3)"
TOLD_OF = "update event set note = 'told' where id in (1, 99)"


@pytest.mark.parametrize("gone", ["alter table event detach partition event_3", "drop table event_3"])
def test_a_partition_that_came_and_went_takes_its_rows_along(gone: str, database: str) -> None:
    do(database, PARTS)
    follower = Follower(database, {"event": "event"}, key=("id", "day"))
    follower.run()
    for statement in (ATTACHED, TOLD_OF, gone):
        do(database, statement)

    pieces = follower.run()

    assert "gap" in kinds(pieces, "event")
    assert not follower.is_holed("event")
    assert follower.rows("event") == content(database, "event", ("id", "day"))
    assert follower.run() == []


def test_a_partition_that_went_after_a_kill_takes_its_rows_along(database: str) -> None:
    do(database, PARTS)
    follower = Follower(database, {"event": "event"}, key=("id", "day"))
    follower.run()
    for statement in (ATTACHED, TOLD_OF):
        do(database, statement)
    (piece,) = follower.take(1)
    assert set(kinds([piece], "event")) == {"image"}
    do(database, "drop table event_3")

    pieces = follower.run()

    assert "gap" in kinds(pieces, "event")
    assert not follower.is_holed("event")
    assert follower.rows("event") == content(database, "event", ("id", "day"))


STEPS = st.one_of(
    st.tuples(
        st.sampled_from(
            [
                "insert into orders values ({0}, repeat('i', {1}00), {2}) on conflict do nothing",
                "update orders set note = repeat('u', {1}00) where id = {0}",
                "update orders set big = {2} where id = {0}",
                "update orders set id = {1} where id = {0} and not exists (select from orders where id = {1})",
                "delete from orders where id between {0} and {0} + 4",
                "vacuum orders",
            ]
        ),
        st.integers(0, 20),
        st.integers(0, 20),
    ),
    st.tuples(
        st.sampled_from(["truncate orders", "vacuum full orders", "TAKE", "TAKE", "TAKE", "RUN"]),
        st.integers(1, 3),
        st.just(0),
    ),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=4, max_size=20))
def test_whatever_is_written_between_the_chunks_the_fold_is_the_table(
    database: str, steps: list[tuple[str, int, int]]
) -> None:
    follower = Follower(database, TABLES)
    with session(database) as shop:
        try:
            shop.execute(f"drop publication if exists {SLOT}; drop table if exists orders; {MADE} {FILLED}")
            shop.execute("update orders set big = repeat('large ', 1000) where id % 3 = 0")
            for statement, one, other in steps:
                if statement == "TAKE":
                    follower.take(one)
                elif statement == "RUN":
                    follower.run()
                else:
                    shop.execute(statement.format(one, other, f"repeat('large ', 900 + {other})"))
            follower.run()
            follower.mend("orders")

            assert follower.rows("orders") == content(database, "orders")
            assert not follower.is_holed("orders")
        finally:
            follower.source.close()
            shop.execute("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where active")
            shop.execute("select pg_drop_replication_slot(slot_name) from pg_replication_slots where not temporary")
