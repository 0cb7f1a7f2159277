"""A transaction larger than a piece: told in several, and never lost or told twice, wherever the reader is killed."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.conformance.postgres_follower import Follower, assert_confirmed, column, confirmed, content, session
from tieout.base.batch import Span
from tieout.capture.postgres.log import following as following_module
from tieout.capture.postgres.lsn import lsn_number
from tieout.capture.source import Captured
from tieout.ledger.coverage import proven

TABLES = {"orders": "public.orders"}
LARGE = """
begin;
insert into orders select n, 'first' from generate_series(1, 400) as n;
update orders set note = 'second' where id % 2 = 0;
update orders set id = id + 1000 where id % 5 = 0;
delete from orders where id % 7 = 0;
commit
"""
ROWS = 400 + 201 + 81 + 58
"""Row messages of it."""
PIECES = 8
CHANGES = ROWS + 81
"""A moved key is two of them."""


@pytest.fixture
def follower(database: str, monkeypatch: pytest.MonkeyPatch) -> Follower:
    monkeypatch.setattr(following_module, "_within_changes_max", 100)
    with session(database) as shop:
        shop.execute("create table orders (id int primary key, note text)")
    follower = Follower(database, TABLES)
    follower.run()
    with session(database) as shop:
        shop.execute("insert into orders values (0, 'before')")
        shop.execute(LARGE)
        shop.execute("insert into orders values (9999, 'after')")
    return follower


def run_some(follower: Follower, pieces: int) -> list[Captured]:
    """A worker that is killed behind so many pieces, all of them registered and acknowledged."""
    told = []
    running = follower.source.capture(follower.progress, until=follower.source.bound())
    for piece in islice(running, pieces):
        follower.progress[piece.after.track] = piece.after
        follower.source.acknowledge(piece.after)
        told.append(piece)
    running.close()
    follower.landed += told
    follower.restart()
    return told


def ranks(pieces: list[Captured]) -> list[int]:
    return sorted(set(column(pieces, "orders", "_rank")))


def test_a_piece_ends_in_the_midst_of_a_large_transaction(follower: Follower, database: str) -> None:
    pieces = follower.run()

    sizes = [piece.tables["orders"].num_rows for piece in pieces]
    assert (len(sizes), max(sizes) <= 200, sum(sizes)) == (PIECES, True, 1 + CHANGES + 1)
    assert [piece.after.read().get("within") is None for piece in pieces] == [False] * (PIECES - 1) + [True]
    assert follower.rows("orders") == content(database, "orders")


@pytest.mark.parametrize("killed", range(1, PIECES))
def test_a_kill_in_the_midst_of_a_transaction_tells_each_row_once(
    killed: int, follower: Follower, database: str
) -> None:
    first = run_some(follower, killed)
    rest = follower.run()

    told = column([*first, *rest], "orders", "_raw")
    assert len(told) == 1 + CHANGES + 1
    assert ranks([*first, *rest]) == list(range(ROWS))
    assert follower.rows("orders") == content(database, "orders")


def test_a_worker_killed_behind_every_piece_still_gets_through(follower: Follower, database: str) -> None:
    told = [piece for _ in range(PIECES) for piece in run_some(follower, 1)]

    assert len(told) == PIECES
    assert follower.run() == []
    assert ranks(told) == list(range(ROWS))
    assert follower.rows("orders") == content(database, "orders")


def test_the_server_keeps_a_transaction_until_the_whole_of_it_is_landed(follower: Follower, database: str) -> None:
    before = confirmed(database)
    pieces = run_some(follower, PIECES - 1)

    inner = lsn_number(pieces[-1].after.read()["within"]["commit"])
    assert before <= confirmed(database) < inner
    follower.run()
    assert_confirmed(database, at_least=inner)


def test_the_spans_within_a_transaction_prove_a_cursor_only_as_a_chain(follower: Follower) -> None:
    start = dict(follower.progress)
    pieces = follower.run()
    spans = [("orders", Span("shop", "wal", piece.before, piece.after, ("orders",))) for piece in pieces]

    assert len({piece.after.position for piece in pieces[:-1]}) == 1
    assert proven(start, reversed(spans)) == {"wal": pieces[-1].after}
    for missing in range(1, PIECES):
        assert proven(start, spans[:missing] + spans[missing + 1 :]) == {"wal": pieces[missing - 1].after}


def test_a_transaction_of_a_table_that_is_not_captured_is_passed_over_in_bounded_memory(
    follower: Follower, database: str
) -> None:
    follower.run()
    with session(database) as shop:
        shop.execute("create table other (id int primary key); alter publication tieout_shop add table other")
        shop.execute("begin; insert into other select generate_series(1, 1000)")
        shop.execute("insert into orders values (5000, 'late'); commit")

    (piece,) = follower.run()

    assert column([piece], "orders", "_rank") == [1000]
