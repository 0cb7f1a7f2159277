"""Waiting for the log: whoever follows it is heard meanwhile, however long nothing is there to be landed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conformance.postgres_follower import Follower, content, session
from tieout.base.errors import Stopped, Transient
from tieout.capture.postgres.log import stream as stream_module

TABLES = {"orders": "public.orders"}


@pytest.fixture
def shop(database: str) -> str:
    with session(database) as shop:
        shop.execute("create table orders (id int primary key, note text)")
    return database


def insert(url: str, rows: int) -> None:
    with session(url) as shop:
        shop.execute(f"insert into orders select n, repeat('much ', 20) from generate_series(1, {rows}) as n")


@contextmanager
def standing_still(url: str) -> Iterator[None]:
    """The server's process that sends us the log, stopped."""
    with session(url) as shop:
        shop.execute("select active_pid from pg_replication_slots where active and database = current_database()")
        ((pid,),) = shop.fetchall()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Patience:
    """So many times somebody asks whether we still want to wait."""

    def __init__(self, times: int) -> None:
        self.left = times

    def asked(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Stopped("the run was asked to stop.")


def test_whoever_waits_for_a_log_that_does_not_come_can_leave(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_waiting_turns_max", 5)
    follower = Follower(shop, TABLES)
    follower.run()
    patience = Patience(3)

    with standing_still(shop):
        insert(shop, rows=10)
        until = follower.source.bound()
        with pytest.raises(Stopped):
            list(follower.source.capture(follower.progress, until=until, meanwhile=patience.asked))
    follower.run()

    assert patience.left == 0
    assert follower.rows("orders") == content(shop, "orders")


def test_a_server_that_stays_silent_is_given_up(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_waiting_turns_max", 5)
    monkeypatch.setattr(stream_module, "_quiet_turns_max", 12)
    follower = Follower(shop, TABLES)
    follower.run()

    with standing_still(shop):
        insert(shop, rows=10)
        with pytest.raises(Transient) as told:
            list(follower.source.capture(follower.progress, until=follower.source.bound()))
    follower.run()

    assert "fallen silent" in told.value.message
    assert follower.rows("orders") == content(shop, "orders")


def test_many_quiet_passes_are_no_silence(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers each time, though it has nothing to tell, lives."""
    monkeypatch.setattr(stream_module, "_quiet_turns_max", 4)
    follower = Follower(shop, TABLES)

    for number in range(20):
        with session(shop) as application:
            application.execute("create table if not exists other (n int)")
            application.execute(f"insert into other values ({number})")
        follower.run()

    assert follower.rows("orders") == content(shop, "orders")


def test_a_large_transaction_is_heard_in_parts_before_any_of_it_is_told(
    shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "_heap_size_max", 64 * 1024)
    small_memory = "&options=-c%20logical_decoding_work_mem%3D64kB"
    follower = Follower(shop + small_memory, TABLES, streaming=tmp_path / "spool")
    follower.run()
    insert(shop, rows=20_000)
    asked: list[None] = []

    until = follower.source.bound()
    running = follower.source.capture(follower.progress, until=until, meanwhile=lambda: asked.append(None))
    next(iter(running))

    assert len(asked) > 20  # of 20,000 rows of a hundred octets, in parts of 64 KiB
