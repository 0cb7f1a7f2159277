"""The source `postgres` over a network that breaks, and on a server that is restarted: tried again, and whole."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest

from tests.conformance.postgres_follower import Follower, column, content, session
from tieout.base.errors import Transient
from tieout.capture.postgres import wire as wire_module
from tieout.capture.postgres.log import following as following_module
from tieout.capture.postgres.tables import chunk as chunk_module
from tieout.sim.server import PostgresServer

TABLES = {"orders": "public.orders"}
ROWS = 3_000
NOTE = "first " * 20
"""Of each row: so many bytes at the least come over the line when all rows are told."""


class Wire:
    """A line to the server that is cut after so many bytes of answers, counted over all its connections."""

    def __init__(self, url: str) -> None:
        folder = parse_qs(urlsplit(url).query)["host"][0]
        self._server = f"{folder}/.s.PGSQL.5432"
        self._door = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self.left: int | None = None
        self.cuts = 0
        port = self._door.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}{urlsplit(url).path}?sslmode=disable&gssencmode=disable"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._door.close()
        self._cut()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                far.connect(self._server)
                self._pairs.append((near, far))
                threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, out_of: socket.socket, into: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while data := out_of.recv(4096):
                into.sendall(data[: self._take(len(data))] if counted else data)
        for one in (out_of, into):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _take(self, size: int) -> int:
        """How much of this still passes."""
        with self._lock:
            if self.left is None:
                return size
            taken = min(size, self.left)
            self.left -= taken
            if taken < size:
                self.left = None
                self.cuts += 1
                self._cut()
            return taken

    def _cut(self) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for one in pair:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def orders(database: str) -> str:
    with session(database) as shop:
        shop.execute("create table orders (id int primary key, note text)")
        shop.execute(f"insert into orders select n, '{NOTE}' from generate_series(1, {ROWS}) as n")
    return database


@pytest.fixture
def wire(orders: str) -> Iterator[Wire]:
    wire = Wire(orders)
    yield wire
    wire.close()


def persist(follower: Follower) -> int:
    """Passes of a worker until one is whole; returns how many were cut short. Each registers what it yields."""
    for short in range(6):
        try:
            for piece in follower.source.capture(follower.progress, until=follower.source.bound()):
                follower.progress[piece.after.track] = piece.after
                follower.landed.append(piece)
                follower.source.acknowledge(piece.after)
        except Transient:
            continue
        return short
    raise AssertionError("it never arrived")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_line_cut_in_the_midst_of_a_snapshot_or_the_log_costs_another_try(
    share: float, wire: Wire, orders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults 38 and 39: first while the table is read whole, then while the log is followed."""
    monkeypatch.setattr(chunk_module, "_rows_max", 500)
    monkeypatch.setattr(following_module, "_piece_changes_max", 500)
    follower = Follower(wire.url, TABLES)

    wire.left = int(ROWS * len(NOTE) * share)
    short = persist(follower)
    read = follower.rows("orders")
    wire.left = int(ROWS * len(NOTE) * share)
    with session(orders) as shop:
        for n in range(4):
            shop.execute(f"update orders set note = note || '{n}' where id % 4 = {n}")
    short += persist(follower)

    assert wire.cuts == 2
    assert short >= 2
    assert len(read) == ROWS
    assert follower.rows("orders") == content(orders, "orders")


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One of the test's own, to be ended as it likes."""
    with PostgresServer(tmp_path_factory.mktemp("mortal") / "data") as server:
        yield server


def slay(server: PostgresServer) -> None:
    """SIGKILL to the postmaster: its children see it and end, and memory is left as it was."""
    pid = int((server._data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    assert server._process is not None
    server._process.wait(timeout=30)


END = {"immediate": PostgresServer.kill, "kill -9": slay}


def test_a_server_that_vanishes_without_a_word_is_noticed(database: str) -> None:
    url = database.replace("?", "?keepalives_idle=7&")
    wire = wire_module.Wire(url, slot="s", publication="p", failover=False)
    try:
        with psycopg2.connect(wire.dsn) as connection:
            told = connection.get_dsn_parameters()
    finally:
        wire.close()

    settings = ("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
    assert [told[one] for one in settings] == ["1", "7", "10", "3", "60000"]


@pytest.mark.parametrize("way", END)
def test_a_server_that_ends_in_the_midst_of_both_sides_transactions_loses_nothing(
    way: str, server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faults 38 and 39: the shop has a transaction open, which is lost, and we have told half of the log."""
    monkeypatch.setattr(following_module, "_piece_changes_max", 1)
    url = server.create_database("shop")
    with session(url) as shop:
        shop.execute("create table orders (id int primary key, note text); insert into orders values (1, 'first')")
    follower = Follower(url, TABLES)
    follower.run()
    with session(url) as shop:
        shop.execute("insert into orders values (2, 'told')")
        shop.execute("insert into orders select n, repeat('much ', 200) from generate_series(3, 5000) as n")
    running = iter(follower.source.capture(follower.progress, until=follower.source.bound()))
    piece = next(running)
    follower.progress["wal"] = piece.after
    follower.landed.append(piece)
    writer = psycopg2.connect(url)
    writer.cursor().execute("update orders set note = 'never committed'")

    END[way](server)
    with pytest.raises(Transient):
        list(running)
    server.start()
    with session(url) as shop:
        shop.execute("insert into orders values (6000, 'after')")
    persist(follower)

    assert column([piece], "orders", "id") == ["2"]
    assert follower.rows("orders") == content(url, "orders")
    follower.source.close()
