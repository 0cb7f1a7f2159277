"""The source `postgres` when something is wrong: what it survives, and what it refuses with the mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import psycopg2
import pytest
import stamina

from tests.conformance.postgres_follower import SLOT, Follower, column, content, kinds, session
from tieout.base.errors import Misconfigured, TieoutError, Transient
from tieout.base.sql import Sql
from tieout.capture.postgres.log import following as following_module
from tieout.capture.postgres.tables import chunk as chunk_module
from tieout.capture.postgres.tables import snapshot as snapshot_module
from tieout.sim.server import PostgresServer

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


@pytest.fixture
def impatient() -> Iterator[None]:
    """Nothing is tried again."""
    with stamina.set_testing(True):
        yield


def slots(url: str) -> list[str]:
    with session(url) as shop:
        shop.execute("select slot_name from pg_replication_slots where database = current_database() and not temporary")
        return [name for (name,) in shop.fetchall()]


def make_slot(url: str) -> None:
    with session(url) as shop:
        shop.execute("create publication tieout_shop for table orders")
        shop.execute("select pg_create_logical_replication_slot(%s, 'pgoutput')", (SLOT,))


def end_readers(url: str) -> None:
    with session(url) as shop:
        shop.execute("select pg_terminate_backend(active_pid, 5000) from pg_replication_slots where active")


def drop_slot(follower: Follower, url: str) -> None:
    follower.source.close()
    end_readers(url)
    with session(url) as shop:
        shop.execute("select pg_drop_replication_slot(%s)", (SLOT,))


def test_a_read_that_was_cut_short_goes_on_where_it_stood(
    follower: Follower, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_module, "_rows_max", 2)
    running = follower.source.capture(follower.progress, until=follower.source.bound())
    for piece in islice(running, 2):
        follower.progress[piece.after.track] = piece.after
        follower.landed.append(piece)
    running.close()
    follower.restart()
    with session(orders) as shop:
        shop.execute("delete from orders where id = 1; update orders set note = 'second' where id = 3")

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["delete", "image", "sweep"]
    assert follower.rows("orders") == content(orders, "orders")


def test_a_kill_before_anything_is_registered_leaves_no_slot_behind(follower: Follower, orders: str) -> None:
    running = follower.source.capture(follower.progress, until=follower.source.bound())
    next(iter(running))
    running.close()
    follower.restart()

    assert slots(orders) == []
    follower.run()
    assert follower.rows("orders") == content(orders, "orders")


def test_a_slot_that_no_cursor_speaks_of_is_gone_on_with(follower: Follower, orders: str) -> None:
    make_slot(orders)
    with session(orders) as shop:
        shop.execute("insert into orders values (4, 'logged'); delete from orders where id = 1")

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["image", "delete", "image", "image", "image", "sweep"]
    assert follower.rows("orders") == content(orders, "orders")
    assert slots(orders) == [SLOT]


def test_a_lost_slot_is_made_anew_and_everything_is_read_again(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (4, 'seen')")
    follower.run()
    drop_slot(follower, orders)
    with session(orders) as shop:
        shop.execute("delete from orders where id = 1; insert into orders values (5, 'unseen')")

    pieces = follower.run()

    assert kinds(pieces, "orders") == ["gap"] + ["image"] * 4 + ["sweep"]
    assert not follower.is_holed("orders")
    assert {piece.epoch for piece in pieces} == {0}
    assert follower.rows("orders") == content(orders, "orders")
    with session(orders) as shop:
        shop.execute("insert into orders values (6, 'after')")
    follower.run()
    assert follower.rows("orders") == content(orders, "orders")


def test_a_kill_while_a_lost_slot_is_made_anew_loses_nothing(follower: Follower, orders: str) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (4, 'seen')")
    follower.run()
    drop_slot(follower, orders)
    with session(orders) as shop:
        shop.execute("delete from orders where id = 1")
    for yielded in (1, 2):
        running = follower.source.capture(follower.progress, until=follower.source.bound())
        for piece in islice(running, yielded):
            if yielded == 2:
                follower.progress[piece.after.track] = piece.after
            follower.landed.append(piece)
        running.close()
        follower.restart()

    follower.run()

    assert follower.rows("orders") == content(orders, "orders")


@pytest.mark.parametrize(
    "meddling",
    ["drop publication tieout_shop", "alter publication tieout_shop drop table orders"],
    ids=["publication gone", "table taken out"],
)
def test_changes_that_went_unpublished_are_found_by_reading_anew(
    meddling: str, follower: Follower, orders: str
) -> None:
    with session(orders) as shop:
        shop.execute("create table line (id int primary key)")
    follower = Follower(orders, {**TABLES, "line": "line"})
    follower.run()
    follower.restart()
    with session(orders) as shop:
        shop.execute(meddling)
        shop.execute("delete from orders where id = 1; insert into orders values (4, 'untold')")

    running = follower.source.capture(follower.progress, until=follower.source.bound())
    next(iter(running))
    running.close()
    follower.restart()
    follower.run()

    assert follower.rows("orders") == content(orders, "orders")


def test_a_table_made_anew_under_its_name_is_read_anew(follower: Follower, orders: str) -> None:
    follower.run()
    follower.restart()
    with session(orders) as shop:
        shop.execute("drop table orders; create table orders (id int primary key, note text)")
        shop.execute("insert into orders values (2, 'other')")

    follower.run()

    assert follower.rows("orders") == content(orders, "orders")


def test_another_server_begins_another_epoch(orders: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    first = Follower(orders, TABLES)
    first.run()
    with session(orders) as shop:
        shop.execute("insert into orders select n, 'only there' from generate_series(4, 2000) as n")
    first.run()
    with PostgresServer(tmp_path_factory.mktemp("other") / "data") as other:
        url = other.create_database("shop")
        with session(url) as shop:
            shop.execute("create table orders (id int primary key, note text); insert into orders values (3, 'here')")
        second = Follower(url, TABLES)
        second.progress, second.landed = first.progress, first.landed

        pieces = second.run()
        with session(url) as shop:
            shop.execute("insert into orders values (4, 'here too')")
        pieces += second.run()

        assert {piece.epoch for piece in pieces} == {1}
        assert second.rows("orders") == content(url, "orders")
        second.source.close()


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_a_server_that_goes_away_is_gone_on_with_when_it_is_back(
    way: str, follower: Follower, orders: str, postgres_server: PostgresServer
) -> None:
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (4, 'before')")
    follower.run()

    getattr(postgres_server, way)()
    with pytest.raises(Transient):
        follower.run()
    postgres_server.start()
    with session(orders) as shop:
        shop.execute("insert into orders values (5, 'after')")
    follower.run()

    assert follower.rows("orders") == content(orders, "orders")


def test_a_log_that_the_server_ended_while_it_was_quiet_is_opened_again(follower: Follower, orders: str) -> None:
    follower.run()
    end_readers(orders)
    with session(orders) as shop:
        shop.execute("insert into orders values (4, 'after')")

    assert column(follower.run(), "orders", "id") == ["4"]


def test_a_log_that_breaks_off_is_read_again_from_what_is_registered(
    follower: Follower, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "_piece_changes_max", 1)
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (4, 'before')")
        shop.execute("insert into orders select n, repeat('much ', 200) from generate_series(5, 20000) as n")
    running = iter(follower.source.capture(follower.progress, until=follower.source.bound()))
    piece = next(running)
    follower.progress["wal"] = piece.after
    follower.landed.append(piece)
    end_readers(orders)

    with pytest.raises(Transient):
        next(running)

    assert column([piece], "orders", "id") == ["4"]
    assert column(follower.run(), "orders", "id") == [str(number) for number in range(5, 20_001)]


@pytest.mark.usefixtures("impatient")
def test_a_slot_that_another_reads_is_waited_for(follower: Follower, orders: str) -> None:
    follower.run()
    follower.source.acknowledge(follower.progress["snapshot/orders"])
    second = Follower(orders, TABLES)
    second.progress = follower.progress

    with pytest.raises(Transient) as raised:
        second.run()

    assert "is active for PID" in raised.value.message
    assert "If nobody should read there, run: select pg_terminate_backend(" in raised.value.hint
    follower.source.close()


def test_a_transaction_that_never_ends_holds_us_up_for_a_while_only(orders: str) -> None:
    follower = Follower(f"{orders}&options=-c%20lock_timeout%3D200ms", TABLES)
    writer = psycopg2.connect(orders)
    writer.cursor().execute("insert into orders values (9, 'open')")

    with pytest.raises(Transient) as raised:
        follower.run()

    pid = writer.info.backend_pid
    assert f"while pid {pid} (no application_name) writes: its transaction has been open for" in raised.value.message
    assert f"run: select pg_terminate_backend('{pid}');" in raised.value.hint
    writer.close()
    follower.run()


def test_a_prepared_transaction_that_nobody_ends_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = {"max_prepared_transactions": "4"}
    with PostgresServer(tmp_path_factory.mktemp("prepared") / "data", settings=settings) as server:
        url = server.create_database("shop")
        with session(url) as shop:
            shop.execute("create table orders (id int primary key)")
            shop.execute("begin; insert into orders values (1); prepare transaction 'left behind'")
        follower = Follower(f"{url}&options=-c%20lock_timeout%3D200ms", TABLES)

        with pytest.raises(Transient) as raised:
            follower.run()

        assert "while prepared transaction left behind writes" in raised.value.message
        assert raised.value.hint.endswith("run: rollback prepared 'left behind';")
        follower.source.close()


def test_a_hole_is_said_though_a_transaction_keeps_it_from_being_read_again(orders: str) -> None:
    follower = Follower(f"{orders}&options=-c%20lock_timeout%3D200ms", TABLES)
    follower.run()
    drop_slot(follower, orders)
    writer = psycopg2.connect(orders)
    writer.cursor().execute("insert into orders values (9, 'open')")

    for _ in range(2):
        with session(orders) as shop:
            shop.execute("select pg_logical_emit_message(true, 'a neighbour', 'goes on')")
        with pytest.raises(Transient, match="no snapshot can be opened"):
            follower.run()
    assert follower.holes("orders") == ["the slot is not there"]

    writer.commit()
    writer.close()
    follower.run()
    assert follower.holes("orders") == []
    assert follower.rows("orders") == content(orders, "orders")


def test_a_snapshot_that_is_cut_off_in_the_midst_is_gone_on_with(
    follower: Follower, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_module, "_rows_max", 1)
    with session(orders) as shop:
        shop.execute("insert into orders select n, repeat('x', 2000) from generate_series(4, 20) as n")
    running = follower.source.capture(follower.progress, until=follower.source.bound())
    for piece in islice(running, 2):
        follower.progress[piece.after.track] = piece.after
        follower.landed.append(piece)
    with session(orders) as shop:
        shop.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'tieout'")

    with pytest.raises(Transient):
        next(running)
    pieces = follower.run()

    assert min(column(pieces[:-1], "orders", "id")) > 3
    assert follower.rows("orders") == content(orders, "orders")


def test_a_quiet_databases_slot_moves_by_our_own_word(orders: str, postgres_server: PostgresServer) -> None:
    follower = Follower(orders, TABLES, heartbeat_seconds=30.0)
    follower.run()
    postgres_server.execute("create table if not exists busy as select generate_series(1, 20000)")

    passes = [follower.run() for _ in range(2)]

    assert passes == [[], []]
    with session(orders) as shop:
        shop.execute("select total_txns from pg_stat_replication_slots where slot_name = %s", (SLOT,))
        assert shop.fetchone() == (1,)


def test_one_word_beats_and_names_though_the_server_counts_it_late(
    orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(orders, TABLES, heartbeat_seconds=30.0)
    wire, words = follower.source._wire, []
    slot, beat = wire.slot, wire.beat
    monkeypatch.setattr(wire, "slot", lambda: (found := slot()) and replace(found, decoded=0))
    monkeypatch.setattr(wire, "beat", lambda: words.append(lsn := beat()) or lsn)

    follower.run()

    assert len(words) == 1


def test_a_role_that_may_leave_no_word_goes_on_without(orders: str) -> None:
    with session(orders) as shop:
        shop.execute("revoke execute on function pg_logical_emit_message(boolean, text, text, boolean) from public")
        shop.execute(f"{ROLE} replication; grant select on orders to reader")
        shop.execute("create publication tieout_shop for table orders")
    try:
        follower = Follower(orders.replace("postgres@", "reader@"), TABLES, heartbeat_seconds=30.0)
        follower.run()
        assert follower.rows("orders") == content(orders, "orders")
        follower.source.close()
    finally:
        with session(orders) as shop:
            shop.execute("drop owned by reader; drop role reader")


@pytest.fixture
def without_encoding(postgres_server: PostgresServer) -> Iterator[str]:
    yield postgres_server.create_database("ascii", options=Sql("encoding 'SQL_ASCII' locale 'C' template template0"))
    postgres_server.drop_database("ascii")


def test_bytes_that_are_no_text_are_a_fault_of_their_row_alone(without_encoding: str) -> None:
    url = without_encoding
    with session(url) as shop:
        shop.execute("create table orders (id text primary key, note text)")
        shop.execute(r"insert into orders values ('1', E'caf\xe9'), ('2', E'caf\xc3\xa9')")
    follower = Follower(url, TABLES, slot="tieout_ascii")

    read = follower.run()
    with session(url) as shop:
        shop.execute(r"insert into orders values (E'3\xff', 'x'), ('4', E'\xff'), ('5', 'fine')")
    logged = follower.run()

    assert column(read[:1], "orders", "id") == ["1", "2"]
    assert column(read[:1], "orders", "note") == [None, "café"]
    assert column(read[:1], "orders", "_fault") == [
        "undecodable: column note holds bytes that are no UTF-8 (0xe9 at offset 3)",
        None,
    ]
    assert column(logged, "orders", "id") == [None, "4", "5"]
    assert [fault is None for fault in column(logged, "orders", "_fault")] == [False, False, True]


REFUSED = {
    "no key": (
        "create table orders (id int)",
        'table "public"."orders" has no primary key, so its rows cannot be told apart.',
        'Run: alter table "public"."orders" add primary key (...); with the columns that tell its rows apart.'
        ' Or run: alter table "public"."orders" replica identity using index ...; with a unique index;'
        " or: ... replica identity full; and mark the columns with primaryKey in its contract."
        " Or, where rows are only ever added, write append_only: true for it under `tables` in tieout.yaml.",
    ),
    "no key, and whole old rows": (
        "create table orders (id int); alter table orders replica identity full",
        'table "public"."orders" has no primary key, so its rows cannot be told apart.',
        'Run: alter table "public"."orders" add primary key (...); with the columns that tell its rows apart.'
        " Or mark them with primaryKey in its contract."
        " Or, where rows are only ever added, write append_only: true for it under `tables` in tieout.yaml.",
    ),
    "identity nothing": (
        "create table orders (id int primary key); alter table orders replica identity nothing",
        'table "public"."orders" logs nothing by which a changed row could be told (REPLICA IDENTITY NOTHING).',
        'Run: alter table "public"."orders" replica identity default;',
    ),
    "key deferrable": (
        "create table orders (id int primary key deferrable)",
        'the key of table "public"."orders" is deferrable or not valid, so the log cannot tell its rows by it.',
        'Run: alter table "public"."orders" replica identity full;',
    ),
    "missing": (
        "select 1",
        'there is no table "public"."orders".',
        "Correct `tables` in tieout.yaml; write schema.table as the catalogue spells it.",
    ),
    "view": (
        "create view orders as select 1 as id",
        '"public"."orders" is not a table.',
        "Name the tables it is made of; only tables are logged.",
    ),
    "unlogged": (
        "create unlogged table orders (id int primary key)",
        'table "public"."orders" is not logged.',
        'Run: alter table "public"."orders" set logged;',
    ),
    "our names": (
        "create table orders (id int primary key, _kind text)",
        'table "public"."orders" has columns [\'_kind\'], which are tieout\'s own names.',
        'Run: alter table "public"."orders" rename column "_kind" to "kind";',
    ),
    "half a publication": (
        "create table orders (id int primary key);"
        " create publication tieout_shop for table orders with (publish = 'insert')",
        "publication tieout_shop does not tell every kind of change.",
        "Run: alter publication \"tieout_shop\" set (publish = 'insert, update, delete, truncate');",
    ),
    "filtered publication": (
        "create table orders (id int primary key); create publication tieout_shop for table orders where (id > 5)",
        'publication tieout_shop filters the rows of "public"."orders", so a comparison could never agree.',
        'Run: alter publication "tieout_shop" drop table "public"."orders"; it is then added again, whole.',
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_followed_is_refused_with_its_mend(case: str, database: str) -> None:
    statement, message, hint = REFUSED[case]
    with session(database) as shop:
        shop.execute(statement)
    follower = Follower(database, TABLES)

    with pytest.raises(Misconfigured) as raised:
        follower.run()

    assert (raised.value.message, raised.value.hint) == (message, hint)


def test_a_slot_of_somebody_else_is_not_touched(orders: str) -> None:
    with session(orders) as shop:
        shop.execute("select pg_create_physical_replication_slot(%s)", (SLOT,))
        try:
            with pytest.raises(Misconfigured) as raised:
                Follower(orders, TABLES).run()
        finally:
            shop.execute("select pg_drop_replication_slot(%s)", (SLOT,))

    assert raised.value.hint == "Choose another name by `slot` in tieout.yaml."


def test_a_refused_table_goes_on_working(database: str) -> None:
    """To publish it would make the application's own updates fail."""
    with session(database) as shop:
        shop.execute("create table orders (id int); insert into orders values (1)")
        with pytest.raises(Misconfigured):
            Follower(database, TABLES).run()

        shop.execute("update orders set id = 2")
        shop.execute("select count(*) from pg_publication")
        assert shop.fetchone() == (0,)


def test_a_server_without_a_logical_log_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    with PostgresServer(tmp_path_factory.mktemp("plain") / "data", settings={"wal_level": "replica"}) as plain:
        url = plain.create_database("shop")
        with session(url) as shop:
            shop.execute("create table orders (id int primary key)")

        with pytest.raises(Misconfigured) as raised:
            Follower(url, TABLES).run()

    assert raised.value.hint == "Run: alter system set wal_level = logical; and restart the server."


ROLE = "create role reader login nosuperuser"


@pytest.mark.parametrize(
    ("rights", "mend"),
    [
        ("alter role reader noreplication", 'Run: alter role "..." with replication;'),
        (
            "revoke all on orders from reader",
            "Grant the role select on the tables, and bypassrls where rows are secured.",
        ),
        (
            "alter table orders enable row level security; create policy half on orders to reader using (id < 2)",
            "Grant the role select on the tables, and bypassrls where rows are secured.",
        ),
    ],
    ids=["no replication", "no select", "rows hidden"],
)
def test_a_right_that_is_missing_is_named(rights: str, mend: str, orders: str) -> None:
    with session(orders) as shop:
        shop.execute(f"{ROLE} replication; grant select on orders to reader; {rights}")
        shop.execute("create publication tieout_shop for table orders")
    try:
        with pytest.raises(Misconfigured) as raised:
            Follower(orders.replace("postgres@", "reader@"), TABLES).run()
        assert raised.value.hint == mend
    finally:
        with session(orders) as shop:
            shop.execute("drop owned by reader; drop role reader")


def test_a_publication_that_we_may_not_make_is_told_for_the_owner(orders: str) -> None:
    with session(orders) as shop:
        shop.execute(f"{ROLE} replication; grant select on orders to reader")
    try:
        with pytest.raises(Misconfigured) as raised:
            Follower(orders.replace("postgres@", "reader@"), TABLES).run()
        with session(orders) as owner:
            owner.execute(raised.value.hint.partition("run: ")[2])
        Follower(orders.replace("postgres@", "reader@"), TABLES).run()
    finally:
        with session(orders) as shop:
            shop.execute("drop owned by reader; drop role reader")


@pytest.mark.parametrize(
    ("url", "family"),
    [
        ("postgresql://nobody@127.0.0.1:1/shop", Transient),
        ("host=/nowhere dbname=shop", Transient),
        ("postgresql://?nonsense=1", Misconfigured),
        ("not a url", Misconfigured),
    ],
)
def test_a_server_that_cannot_be_reached_is_said_to_be(url: str, family: type[TieoutError]) -> None:
    with pytest.raises(family):
        Follower(url, TABLES).source.describe()


def test_a_database_or_role_that_is_not_there_is_a_setting(orders: str) -> None:
    for url in (orders.replace("/test_", "/absent_"), orders.replace("postgres@", "absent@")):
        with pytest.raises(Misconfigured) as raised:
            Follower(url, TABLES).source.describe()
        assert raised.value.hint == "Correct user and database in `url`."


def reader(url: str) -> tuple[int, float] | None:
    """Who reads from our slot, and since how many seconds."""
    with session(url) as shop:
        shop.execute(
            "select pid, extract(epoch from clock_timestamp() - backend_start)::float from pg_stat_replication"
            " join pg_replication_slots on active_pid = pid where slot_name = %s",
            (SLOT,),
        )
        return shop.fetchone()


@stamina.retry(on=AssertionError, attempts=100, wait_initial=0.1, wait_max=0.1, wait_jitter=0, timeout=30)
def wait_longer_than_the_server_does(url: str) -> None:
    found = reader(url)
    assert found is None or found[1] > 2 * SILENCE_SECONDS


SILENCE_SECONDS = 1


def test_a_merge_that_takes_longer_than_the_server_waits_does_not_end_the_stream(
    orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "_piece_changes_max", 1)
    follower = Follower(f"{orders}&options=-c%20wal_sender_timeout%3D{SILENCE_SECONDS}s", TABLES)
    follower.run()
    with session(orders) as shop:
        shop.execute("insert into orders values (4, 'before')")
        shop.execute("insert into orders select n, repeat('much ', 200) from generate_series(5, 10000) as n")
        shop.execute("insert into orders values (10001, 'after')")
    found = reader(orders)
    pieces = []

    for piece in follower.source.capture(follower.progress, until=follower.source.bound()):
        if not pieces:
            wait_longer_than_the_server_does(orders)
        pieces.append(piece)

    now = reader(orders)
    assert found is not None
    assert now is not None
    assert now[0] == found[0]
    assert column(pieces, "orders", "id") == [str(number) for number in range(4, 10_002)]
