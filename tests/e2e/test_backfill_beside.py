"""A backfill under way: killed, cancelled, delayed, failing, and beside live traffic, which it never holds up."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.backfilling import ORDERS, Shop, filled, shop
from tests.e2e.command import project, stop
from tests.e2e.killed import kill_at
from tieout.base.step import Passing, Step

ROWS, MANY_ROWS = 3_000, 12_000
"""Enough for three chunks, and for four of which the first are of one size."""
SECONDS = 30.0


@pytest.fixture
def orders(tmp_path: Path, database: str) -> Shop:
    return followed(tmp_path, database, ROWS)


@pytest.fixture
def many_orders(tmp_path: Path, database: str) -> Shop:
    return followed(tmp_path, database, MANY_ROWS)


def followed(root: Path, database: str, rows: int) -> Shop:
    """A table that was read and is followed, and of which the log has not told everything since."""
    made = shop(root, database)
    made.do(ORDERS, filled(rows), "analyze orders")
    made.run()
    made.do_behind_the_log("update orders set note = 'unheard'", "delete from orders where id % 100 = 7")
    made.run()
    return made


def only(orders: Shop) -> dict[str, Any]:
    (backfill,) = orders.listed()
    return backfill


@pytest.mark.parametrize(
    ("step", "nth"),
    [(Step.SPOOLED, 3), (Step.REGISTERING, 3), (Step.REGISTERED, 3), (Step.ACKNOWLEDGED, 2), (Step.MERGED, 3)],
)
def test_a_killed_one_goes_on_behind_its_last_registered_chunk(many_orders: Shop, step: Step, nth: int) -> None:
    many_orders.start("--detach")

    assert kill_at(many_orders.root, step, nth) == -signal.SIGKILL
    left = only(many_orders)
    many_orders.run()

    done = only(many_orders)
    assert (left["state"], done["state"]) == ("running", "done")
    assert 0 < left["rows"] < done["rows"] == MANY_ROWS - MANY_ROWS // 100
    assert many_orders.ours() == many_orders.theirs()


def test_one_killed_after_its_last_chunk_still_looks_for_what_no_chunk_mentioned(orders: Shop) -> None:
    orders.start("--to", "400", "--detach")

    assert kill_at(orders.root, Step.NOTED) == -signal.SIGKILL
    left = only(orders)
    orders.run()

    assert (left["rows"], left["state"]) == (396, "running")
    assert only(orders)["state"] == "done"
    assert {key for key in orders.differing() if int(key) <= 400} == set()


def after(nth: int, step: Step, deed: Callable[[], object]) -> Passing:
    """A listener that does a deed the `nth` time the step is reached."""
    left = nth

    def listen(passed: Step) -> None:
        nonlocal left
        left -= passed is step
        if passed is step and left == 0:
            deed()

    return listen


def test_a_cancelled_one_reads_no_further_chunk_and_goes_on_when_it_is_resumed(orders: Shop) -> None:
    id_ = orders.start("--detach")["id"]

    orders.run(passing=after(2, Step.REGISTERED, lambda: orders.project.json("backfill", "cancel", id_)))
    cancelled = only(orders)
    differing = len(orders.differing())
    orders.run()
    left = only(orders)
    resumed = orders.project.json("backfill", "resume", id_)

    assert cancelled == left
    assert (left["state"], left["rows"] < ROWS - ROWS // 100) == ("cancelled", True)
    assert 0 < left["rows"] == ROWS - differing
    assert (resumed["state"], resumed["rows"]) == ("done", ROWS - ROWS // 100)
    assert orders.ours() == orders.theirs()


def test_what_is_done_can_neither_be_cancelled_nor_resumed(orders: Shop) -> None:
    id_ = orders.start("--to", "10")["id"]

    for deed in ("cancel", "resume"):
        error = orders.project.json("backfill", deed, id_, code=2)["error"]
        assert f"backfill {id_} is done" in error["message"]
        assert (
            "there is no backfill whose id begins with 'nothing'"
            in orders.project.json("backfill", deed, "nothing", code=2)["error"]["message"]
        )


def test_a_transaction_that_stays_open_delays_it_and_not_the_live_changes(orders: Shop) -> None:
    orders.start("--detach")
    with psycopg.connect(orders.url) as writing:
        writing.execute("insert into orders values (1000000, 'open', now(), 1, 'x')")
        orders.do("insert into orders values (1000001, 'live', now(), 1, 'x')")

        with orders.project.worker():
            delayed = awaited(lambda: only(orders)["reason"])
            told = orders.project.json("status")["backfills"][0]
            awaited(lambda: ("1000001", "live") in orders.ours())
            writing.commit()
            awaited(lambda: only(orders)["state"] == "done")

    assert "transaction" in delayed
    assert told["state"] == "asked"
    assert (only(orders)["reason"], orders.ours()) == ("", orders.theirs())


def awaited(look: Callable[[], Any]) -> Any:
    """What it comes to, as soon as that is something."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := look():
            return found
        threading.Event().wait(0.1)
    raise AssertionError("it did not come to that in time")


def test_one_that_cannot_go_on_ends_with_its_reason_and_live_changes_go_on(orders: Shop) -> None:
    orders.start("--where", "at", "--since", "2026-01-01", "--detach")
    orders.do("alter table orders drop column at", "insert into orders values (1000000, 'live', 1, 'x')")

    orders.run()

    failed = only(orders)
    assert (failed["state"], failed["rows"]) == ("failed", 0)
    assert "at" in failed["reason"]
    assert ("1000000", "live") in orders.ours()
    assert orders.project.json("status")["backfills"] == [failed]


def test_a_source_of_files_says_that_it_cannot_be_asked(tmp_path: Path) -> None:
    error = project(tmp_path, within=True).json("backfill", "start", "erp.account", code=2)["error"]

    assert "cannot be asked for a range" in error["message"]
    assert "again" in error["hint"]


def test_a_large_one_is_not_started_before_somebody_agrees(tmp_path: Path, database: str) -> None:
    many = shop(tmp_path, database)
    many.do("create table orders (id int primary key, note text)")
    many.do("insert into orders select n, 'x' from generate_series(1, 100500) n", "analyze orders")

    error = many.project.json("backfill", "start", "shop.orders", code=2)["error"]

    assert "would read about 100,500 rows" in error["message"]
    assert "--yes" in error["hint"]
    assert many.listed() == []


PACE = 250
"""Live changes a second."""
LIVE_SECONDS = 6.0


@contextmanager
def live(url: str) -> Iterator[list[int]]:
    """Somebody who changes rows all over the table at a steady pace, one transaction a row: those changed so far. Rows
    that were deleted are passed over."""
    stopping = threading.Event()
    written: list[int] = []
    rows = itertools.count(step=7919)

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            began = time.monotonic()
            while not stopping.wait(0.02):
                while len(written) < (time.monotonic() - began) * PACE:
                    row = next(rows) % ROWS + 1
                    said = (f"live {len(written)}", row)
                    if connection.execute("update orders set note = %s where id = %s", said).rowcount:
                        written.append(row)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        stopping.set()
        thread.join()


def test_live_changes_stay_fresh_beside_it_and_both_come_to_the_source(orders: Shop) -> None:
    orders.do(f"insert into orders select n, repeat('x', 200), now(), 1, 'x' from generate_series({ROWS + 1}, 30000) n")
    orders.run()
    with orders.project.worker() as worker:
        asked_at = orders.start("--detach")["asked_at"]
        with live(orders.url) as written:
            awaited(lambda: len(written) >= PACE * LIVE_SECONDS and only(orders)["chunks"] >= 2)
        assert stop(worker).code in (0, 3)  # at rest, or in the midst of a pass
    orders.run()

    ((p95, heard),) = orders.project.query(
        "select quantile_cont(epoch(applied.merged_at) - epoch(_observed_at), 0.95), count(*)"
        " from raw.shop__orders history join tieout.applied on applied.batch = history._batch"
        f" where history._order[25] = '1' and note like 'live %' and _observed_at >= timestamptz '{asked_at}'"
    )
    assert heard == len(written)
    assert p95 < 5.0
    assert only(orders)["state"] == "done"
    assert orders.ours() == orders.theirs()


def test_a_command_beside_a_worker_follows_it_to_the_end(orders: Shop) -> None:
    with orders.project.worker() as worker:
        done = orders.start()

        assert stop(worker).code in (0, 3)  # at rest, or in the midst of a pass

    assert (done["state"], done["rows"]) == ("done", ROWS - ROWS // 100)
    assert orders.ours() == orders.theirs()


def test_a_command_that_is_interrupted_leaves_the_rest_to_the_next_run(orders: Shop) -> None:
    orders.do(f"insert into orders select n, repeat('x', 200), now(), 1, 'x' from generate_series({ROWS + 1}, 60000) n")
    command = subprocess.Popen(
        [sys.executable, "-m", "tieout", "backfill", "start", "shop.orders", "--yes", "--json",
         "--project", str(orders.root)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        awaited(lambda: (found := orders.listed()) and found[0]["chunks"])
        said = stop(command, signal.SIGINT)
    finally:
        command.kill()
        command.communicate()
    left = only(orders)
    orders.run()

    assert (said.code, said.document["state"]) == (3, "running")
    assert (left["state"], only(orders)["state"]) == ("running", "done")
    assert orders.ours() == orders.theirs()
