"""What can go wrong between a PostgreSQL and whoever follows its log, line by line of docs/reference/postgres.md."""

from __future__ import annotations

from threading import Thread, Timer

import psycopg2
import pytest
from psycopg2.extras import REPLICATION_LOGICAL, LogicalReplicationConnection

from tests.conformance.postgres_follower import NOON, SLOT, Follower, changes, column, content, kinds, session
from tieout.base.order import Class
from tieout.capture.source import Bound, Captured

TABLES = {"orders": "public.orders"}


@pytest.fixture
def orders(database: str) -> str:
    """A database with one table of three rows."""
    with session(database) as shop:
        shop.execute("create table orders (id int primary key, note text)")
        shop.execute("insert into orders select n, 'first' from generate_series(1, 3) as n")
    return database


@pytest.fixture
def follower(orders: str) -> Follower:
    return Follower(orders, TABLES)


def test_a_slot_whose_reader_has_vanished_is_waited_for_until_the_server_notices(
    follower: Follower, orders: str
) -> None:
    """Line 2: the process is gone, and the slot is still active for its PID."""
    follower.run()
    follower.restart()
    ghost = psycopg2.connect(orders, connection_factory=LogicalReplicationConnection)
    options = {"proto_version": "1", "publication_names": f'"{SLOT}"'}
    ghost.cursor().start_replication(slot_name=SLOT, slot_type=REPLICATION_LOGICAL, options=options, decode=False)
    with session(orders) as shop:
        shop.execute("insert into orders values (4, 'meanwhile')")
        shop.execute("select active from pg_replication_slots where slot_name = %s", (SLOT,))
        assert shop.fetchone() == (True,)
    noticed = Timer(0.6, ghost.close)
    noticed.start()

    pieces = follower.run()

    noticed.join()
    assert column(pieces, "orders", "id") == ["4"]


def test_a_table_that_is_altered_in_the_midst_of_a_transaction_is_told_anew(follower: Follower, orders: str) -> None:
    """Line 9: its description is sent a second time, between two of its rows."""
    follower.run()
    with session(orders) as shop:
        shop.execute("begin; insert into orders values (4, 'before'); alter table orders add column more int")
        shop.execute("insert into orders values (5, 'after', 7); alter table orders drop column note")
        shop.execute("insert into orders values (6, 8); commit")

    (piece,) = follower.run()

    assert column([piece], "orders", "id") == ["4", "5", "6"]
    assert column([piece], "orders", "note") == ["before", "after", None]
    assert column([piece], "orders", "more") == [None, "7", "8"]
    assert len(set(column([piece], "orders", "_position"))) == 1


def test_a_truncate_of_several_tables_is_told_of_each_and_of_no_other(database: str) -> None:
    """Line 11: by CASCADE through foreign keys, to a table that we follow and to one that we do not."""
    with session(database) as shop:
        shop.execute("create table head (id int primary key); create table line (id int primary key references head)")
        shop.execute("create table note (id int primary key references line); create table other (id int primary key)")
        shop.execute("insert into head values (1), (2); insert into line values (1); insert into note values (1)")
        shop.execute("insert into other values (1)")
    follower = Follower(database, {name: name for name in ("head", "line", "other")})
    follower.run()
    with session(database) as shop:
        shop.execute("insert into line values (2); truncate head cascade; insert into head values (9)")

    pieces = follower.run()

    assert (kinds(pieces, "head"), kinds(pieces, "line")) == (["truncate", "image"], ["image", "truncate"])
    assert kinds(pieces, "other") == []
    assert len({at for name in ("head", "line") for at in positions_of(pieces, name, "truncate")}) == 1
    for name in ("head", "line", "other"):
        assert follower.rows(name) == content(database, name)


def positions_of(pieces: list[Captured], object_: str, kind: str) -> list[int]:
    return [row["_position"] for row in changes(pieces, object_) if row["_kind"] == kind]


@pytest.mark.parametrize(
    "alteration",
    [
        "alter table orders add column more int default 7",
        "alter table orders drop column note",
        "alter table orders rename column note to remark",
        "alter table orders alter column id type bigint",
    ],
)
def test_a_table_altered_between_its_snapshot_and_its_log_is_followed_on(
    alteration: str, follower: Follower, orders: str
) -> None:
    """Line 17: the log describes the table as it is at each change, whatever the snapshot saw."""
    running = iter(follower.source.capture(follower.progress, until=follower.source.bound()))
    for piece in running:  # the snapshot and its sweep
        follower.progress[piece.after.track] = piece.after
        follower.landed.append(piece)
    with session(orders) as shop:
        shop.execute(alteration)
        shop.execute("update orders set id = id + 10 where id < 3; delete from orders where id = 3")
    follower.restart()

    follower.run()

    now = content(orders, "orders")
    assert {key: {name: row.get(name) for name in now[key]} for key, row in follower.rows("orders").items()} == now


MANY = "do $$begin for n in 5..1500 loop insert into orders values (n, 'late'); commit; end loop; end$$"


def test_a_server_that_asks_whether_we_live_is_answered(orders: str) -> None:
    """Line 20: while nothing of ours happens for several times as long as it waits for an answer."""
    follower = Follower(f"{orders}&options=-c%20wal_sender_timeout%3D400ms", TABLES)
    follower.run()

    def write_slowly() -> None:
        with session(orders) as shop:
            shop.execute("insert into orders values (4, 'early')")
            shop.execute("select pg_sleep(2)")
            shop.execute(MANY)

    writer = Thread(target=write_slowly)
    until = Bound(follower.source.bound().position + 100_000)
    writer.start()
    pieces = list(follower.source.capture(follower.progress, until=until))
    writer.join()
    follower.source.close()

    assert column(pieces, "orders", "id")[0] == "4"
    assert len(column(pieces, "orders", "id")) > 100


def test_what_a_transaction_took_back_is_not_told(follower: Follower, orders: str) -> None:
    """Line 25: a savepoint that is rolled back to, with much behind it."""
    follower.run()
    with session(orders) as shop:
        shop.execute("begin; insert into orders values (4, 'kept'); savepoint half")
        shop.execute("insert into orders select n, repeat('back', 20) from generate_series(5, 5000) as n")
        shop.execute("update orders set note = 'taken back' where id < 4; delete from orders where id = 1")
        shop.execute("rollback to half; insert into orders values (5, 'kept too'); commit")

    pieces = follower.run()

    assert column(pieces, "orders", "id") == ["4", "5"]
    assert follower.rows("orders") == content(orders, "orders")


def test_clocks_that_disagree_do_not_reorder_anything(follower: Follower, orders: str) -> None:
    """Line 21: our clock stands at a noon that the server's never meets; positions of its log tell what came first."""
    with session(orders) as shop:
        shop.execute("select now()")
        ((theirs,),) = shop.fetchall()
    follower.run()
    with session(orders) as shop:
        shop.execute("update orders set note = 'second' where id = 2")
    follower.run()

    told = [row for row in changes(follower.landed, "orders") if row.get("id") == "2"]

    assert theirs != NOON
    assert [(row["_class"], row["note"]) for row in told] == [(Class.READ, "first"), (Class.EVENT, "second")]
    assert (told[0]["_observed_at"] < told[1]["_observed_at"]) == (theirs > NOON)
    assert follower.rows("orders") == content(orders, "orders")
