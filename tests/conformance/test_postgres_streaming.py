"""Transactions that are sent while they run: the same rows, ranks and places as without, whatever is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import psycopg2
import psycopg2.extensions
import pyarrow as pa
import pytest

from tests.conformance.postgres_follower import Follower, assert_confirmed, content, session
from tieout.base.errors import Misconfigured, Transient
from tieout.capture.postgres.log import following as following_module
from tieout.capture.postgres.log import streamed as streamed_module
from tieout.capture.postgres.wire import Wire

TABLES = {"orders": "public.orders", "lines": "public.lines"}
SMALL_MEMORY = "&options=-c%20logical_decoding_work_mem%3D64kB"
ROWS = 2_000
"""Of these, 64 kB hold a part only."""


@pytest.fixture
def shop(database: str) -> str:
    with session(database) as shop:
        shop.execute("create table orders (id int primary key, note text); create table lines (id int primary key)")
        shop.execute("create table other (id int primary key)")
        for publication in ("plain", "streamed"):
            shop.execute(f"create publication {publication} for table orders, lines, other")
    return database


@pytest.fixture
def plain(shop: str) -> Iterator[Follower]:
    follower = Follower(shop, TABLES, slot="plain")
    follower.run()
    yield follower
    follower.source.close()


@pytest.fixture
def streamed(shop: str, tmp_path: Path) -> Iterator[Follower]:
    follower = Follower(shop + SMALL_MEMORY, TABLES, slot="streamed", streaming=tmp_path / "spool")
    follower.run()
    yield follower
    follower.source.close()


@contextmanager
def writer(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """A session of the application's, in one transaction until it says otherwise."""
    connection = psycopg2.connect(url)
    try:
        yield connection.cursor()
    finally:
        connection.close()


def insert(cursor: psycopg2.extensions.cursor, first: int, rows: int = ROWS, table: str = "orders") -> None:
    values = "n" if table != "orders" else "n, repeat('much ', 20)"
    cursor.execute(f"insert into {table} select {values} from generate_series({first}, {first + rows - 1}) as n")


def flush(url: str) -> None:
    """The log of a transaction that still runs reaches the disk with another one's commit."""
    with session(url) as shop:
        shop.execute("insert into other values (-1)")


def told(follower: Follower) -> dict[str, list[dict[str, object]]]:
    """All that the log told, in its order."""
    pieces = [piece for piece in follower.landed if piece.after.track == "wal"]
    return {
        object_: pa.concat_tables([piece.tables[object_] for piece in pieces if object_ in piece.tables]).to_pylist()
        for object_ in {object_ for piece in pieces for object_ in piece.tables}
    }


def sent_early(url: str) -> int:
    """How many transactions the server sent before they ended."""
    with session(url) as shop:
        shop.execute("select pg_stat_force_next_flush()")
        shop.execute("select stream_txns from pg_stat_replication_slots where slot_name = 'streamed'")
        ((count,),) = shop.fetchall()
    return int(count)


def work(url: str, between: list[Follower]) -> None:
    """Three transactions by turns, with savepoints rolled back and kept, and one that is rolled back whole. After each
    turn the followers read."""
    with ExitStack() as stack:
        one, two, three, four = (stack.enter_context(writer(url)) for _ in range(4))

        def read() -> None:
            for follower in between:
                follower.run()

        insert(one, 0), insert(two, 10_000), insert(four, 20_000)
        read()
        one.execute("savepoint a"), insert(one, 30_000), one.execute("savepoint b"), insert(one, 40_000)
        insert(three, 0, table="lines"), insert(three, 0, table="other")
        read()
        one.execute("rollback to a"), insert(one, 50_000)
        two.execute("savepoint c; update orders set note = 'seen' where id >= 10000"), two.execute("release c")
        read()
        four.execute("rollback")
        two.execute("update orders set id = id + 100000 where id >= 10000; commit")
        read()
        insert(three, 5_000, table="lines"), three.execute("delete from lines where id < 100; commit")
        one.execute("delete from orders where id < 1000; commit")
        read()


def test_what_is_sent_early_is_what_would_have_been_sent_late(shop: str, plain: Follower, streamed: Follower) -> None:
    work(shop, [streamed])
    streamed.run(), plain.run()

    assert sent_early(shop) >= 3
    assert told(streamed) == told(plain)
    assert streamed.rows("orders") == content(shop, "orders")
    assert streamed.rows("lines") == content(shop, "lines")


@pytest.mark.parametrize("killed", range(5))
def test_a_kill_between_the_blocks_of_a_transaction_loses_nothing(
    killed: int, shop: str, plain: Follower, streamed: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following_module, "_within_changes_max", 1_500)
    runs = 0
    run = streamed.run

    def run_and_die() -> None:
        nonlocal runs
        run()
        if runs == killed:
            streamed.restart()
        runs += 1

    monkeypatch.setattr(streamed, "run", run_and_die)
    work(shop, [streamed])
    run(), plain.run()

    assert told(streamed) == told(plain)
    assert streamed.rows("orders") == content(shop, "orders")


def test_a_table_that_is_changed_within_a_streamed_transaction(shop: str, plain: Follower, streamed: Follower) -> None:
    with writer(shop) as one:
        insert(one, 0)
        one.execute("alter table orders add column more int; update orders set more = 2")
        insert(one, 5_000)
        streamed.run()
        one.execute("commit")
    with session(shop) as after:
        after.execute("insert into orders values (-1, 'after', 3)")
    streamed.run(), plain.run()

    assert sent_early(shop) >= 1
    assert told(streamed) == told(plain)
    assert streamed.rows("orders") == content(shop, "orders")


def test_a_transaction_that_still_runs_holds_up_neither_others_nor_what_may_be_confirmed(
    shop: str, streamed: Follower
) -> None:
    with writer(shop) as one:
        insert(one, 0)
        with session(shop) as other:
            other.execute("insert into orders values (-1, 'other')")
        bound = streamed.source.bound().position
        streamed.run()

        assert set(streamed.rows("orders")) == {("-1",)}
        assert_confirmed(shop, "streamed", at_least=bound)
        streamed.restart()
        one.execute("commit")

    streamed.run()
    assert streamed.rows("orders") == content(shop, "orders")


def full(_: Path) -> IO[bytes]:
    return Path("/dev/full").open("w+b", buffering=0)


def test_a_full_disk_is_waited_for(shop: str, streamed: Follower, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_module, "_unnamed", full)
    with writer(shop) as one:
        insert(one, 0), flush(shop)
        with pytest.raises(Transient) as raised:
            streamed.run()
        monkeypatch.undo()
        one.execute("commit")

    assert raised.value.hint == "Free some space on that disk; it is tried again."
    streamed.run()
    assert streamed.rows("orders") == content(shop, "orders")


def test_what_waits_is_a_file_that_goes_with_the_process(shop: str, streamed: Follower, tmp_path: Path) -> None:
    def waiting() -> list[str]:
        found = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        return [name for name in found if name.startswith(str(tmp_path / "spool"))]

    with writer(shop) as one:
        insert(one, 0), flush(shop)
        streamed.run()
        assert len(waiting()) == 1
        assert list((tmp_path / "spool").iterdir()) == []
        streamed.source.close()
        assert waiting() == []


def undecodable(url: str, rows: int) -> None:
    """A transaction that PostgreSQL 18 cannot stream, though it can send it when it has ended."""
    with session(url) as shop:
        shop.execute(
            f"insert into lines select n from generate_series(1, {rows}) as n; alter table lines add note text"
        )
    with writer(url) as cursor:
        for statement in (
            "savepoint a",
            "alter table lines alter note type text using note || 'x'",
            "update lines set note = md5(id::text)",
            "rollback to a",
            "alter table lines add more int",
            "update lines set note = md5(id::text)",
            "truncate orders",
            "alter table lines alter id type bigint",
            "commit",
        ):
            cursor.execute(statement)


def test_what_the_server_cannot_stream_is_read_when_it_has_ended(shop: str, streamed: Follower) -> None:
    undecodable(shop, ROWS)

    streamed.run()

    assert streamed.rows("lines") == content(shop, "lines")


def test_a_log_that_the_server_cannot_read_is_told_with_its_mend(
    shop: str, streamed: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Wire, "stop_streaming", lambda *_: False)
    undecodable(shop, ROWS)

    with pytest.raises(Misconfigured, match="PostgreSQL cannot read its own log: could not open relation") as raised:
        streamed.run()

    _, _, mend = raised.value.hint.partition(": ")
    with session(shop) as owner:
        owner.execute(mend)
    streamed.run()
    assert streamed.rows("lines") == content(shop, "lines")
