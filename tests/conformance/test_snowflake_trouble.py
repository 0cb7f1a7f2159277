"""The stand-in in trouble: sessions that wait for each other, faults on order, and the record of what was asked."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import DatabaseError, ProgrammingError

from tests.snowflake import Connect, connect, snowflake_database, snowflake_server, snowflake_sessions
from tieout.sim.snowflake.server import SnowflakeServer

__all__ = ["snowflake_database", "snowflake_server", "snowflake_sessions"]

Rows = list[tuple[Any, ...]]


def ask(connection: SnowflakeConnection, *statements: str) -> Rows:
    """The rows of the last one."""
    rows: Rows = []
    for statement in statements:
        rows = list(connection.cursor().execute(statement).fetchall())
    return rows


class Faults:
    def __init__(self, server: SnowflakeServer) -> None:
        self._url = f"http://{server.host}:{server.port}/stand-in/faults"

    def post(self, **fault: Any) -> None:
        self._send("POST", json.dumps(fault).encode())

    def told(self) -> list[dict[str, Any]]:
        return self._send("GET", None)

    def clear(self) -> None:
        self._send("DELETE", None)

    def _send(self, method: str, body: bytes | None) -> list[dict[str, Any]]:
        asked = urllib.request.Request(self._url, data=body, method=method)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return list(json.load(answer))


@pytest.fixture
def faults(snowflake_server: SnowflakeServer) -> Iterator[Faults]:
    faults = Faults(snowflake_server)
    yield faults
    faults.clear()


@pytest.fixture
def two(snowflake_sessions: Connect) -> tuple[SnowflakeConnection, SnowflakeConnection]:
    return snowflake_sessions(), snowflake_sessions()


def test_two_sessions_change_two_tables_at_once(two: tuple[SnowflakeConnection, SnowflakeConnection]) -> None:
    one, other = two
    ask(one, "create table a (x int)", "create table b (x int)")

    ask(one, "begin", "insert into a values (1)", "update a set x = 2")
    ask(other, "begin", "insert into b values (3)", "update b set x = 4", "commit")
    ask(one, "commit")

    assert ask(other, "select a.x, b.x from a, b") == [(2, 4)]


def test_the_second_to_update_waits_and_sees_what_the_first_left(
    two: tuple[SnowflakeConnection, SnowflakeConnection],
) -> None:
    one, other = two
    ask(one, "create table t (x int)", "create table journal (x int)", "insert into t values (1)")
    ask(one, "begin", "update t set x = x + 10")

    with ThreadPoolExecutor(1) as pool:
        ask(other, "begin", "insert into journal values (1)")
        waiting = pool.submit(ask, other, "update t set x = x * 2")
        ask(one, "commit")
        waiting.result(timeout=20)
    ask(other, "commit")

    assert ask(one, "select t.x, journal.x from t, journal") == [(22, 1)]


def test_whoever_waits_too_long_for_a_lock_is_told(two: tuple[SnowflakeConnection, SnowflakeConnection]) -> None:
    one, other = two
    ask(one, "create table t (x int)", "insert into t values (1)", "begin", "delete from t")
    ask(other, "alter session set lock_timeout = 0")

    with pytest.raises(ProgrammingError) as refused:
        ask(other, "update t set x = 2")

    assert (refused.value.errno, refused.value.sqlstate) == (625, "57014")


def test_a_session_that_ends_gives_its_locks_back(two: tuple[SnowflakeConnection, SnowflakeConnection]) -> None:
    one, other = two
    ask(one, "create table t (x int)", "insert into t values (1)", "begin", "update t set x = 5")

    one.close()

    ask(other, "update t set x = x + 1")
    assert ask(other, "select x from t") == [(2,)]


def test_reads_see_each_commit_until_the_transaction_changes_something(
    two: tuple[SnowflakeConnection, SnowflakeConnection],
) -> None:
    one, other = two
    ask(one, "create table t (x int)", "begin", "select x from t")

    ask(other, "insert into t values (1)")

    assert ask(one, "select x from t") == [(1,)]


def test_an_answer_that_is_lost_is_given_again_and_the_deed_is_done_once(
    snowflake_sessions: Connect, faults: Faults
) -> None:
    session = snowflake_sessions()
    ask(session, "create table t (x int)", "begin", "insert into t values (1)")
    faults.post(pattern="^commit", kind="lose_answer")
    faults.post(pattern="^insert into t values .2.", kind="lose_answer")

    ask(session, "commit", "insert into t values (2)")

    assert ask(session, "select x from t order by x") == [(1,), (2,)]
    assert [fault["met"] for fault in faults.told()] == [2, 2]


def test_a_commit_whose_answer_is_lost_with_its_session_was_a_commit(
    snowflake_sessions: Connect, faults: Faults
) -> None:
    session = snowflake_sessions()
    ask(session, "create table t (x int)", "begin", "insert into t values (1)")
    faults.post(pattern="^commit", kind="lose_answer", ends_session=True)

    with pytest.raises(DatabaseError):
        ask(session, "commit")

    assert ask(snowflake_sessions(), "select x from t") == [(1,)]


def test_a_commit_that_never_arrived_was_none(snowflake_sessions: Connect, faults: Faults) -> None:
    session = snowflake_sessions()
    ask(session, "create table t (x int)", "begin", "insert into t values (1)")
    faults.post(pattern="^commit", kind="drop", ends_session=True)

    with pytest.raises(DatabaseError):
        ask(session, "commit")

    assert ask(snowflake_sessions(), "select x from t") == []


@pytest.mark.parametrize("kind", ["drop", "unavailable", "session_expired", "delay"])
def test_a_fault_that_the_driver_mends_by_itself(snowflake_sessions: Connect, faults: Faults, kind: str) -> None:
    session = snowflake_sessions()
    ask(session, "create table t (x int)")
    faults.post(pattern="^insert", kind=kind, seconds=0.01)

    ask(session, "insert into t values (1)")

    assert ask(session, "select x from t") == [(1,)]
    assert faults.told()[0]["met"] >= 1


@pytest.mark.parametrize(("kind", "number"), [("lock_waiters", 625), ("cancelled", 604), ("token_expired", 390114)])
def test_a_fault_that_is_told(snowflake_sessions: Connect, faults: Faults, kind: str, number: int) -> None:
    session = snowflake_sessions()
    ask(session, "create table t (x int)")
    faults.post(pattern="^insert", kind=kind, nth=2)
    ask(session, "insert into t values (1)")

    with pytest.raises(DatabaseError) as refused:
        ask(session, "insert into t values (2)")

    assert refused.value.errno == number


def test_what_takes_too_long_is_cancelled(snowflake_sessions: Connect) -> None:
    session = snowflake_sessions()
    ask(session, "create table t as select seq8() as x from table(generator(rowcount => 100000))")

    with pytest.raises(ProgrammingError) as refused:
        session.cursor().execute("select count(*) from t a, t b where a.x * b.x % 7 = 3", timeout=1)

    assert refused.value.errno == 604
    assert ask(session, "select 1") == [(1,)]


def test_each_statement_is_recorded_without_its_values(tmp_path: Path) -> None:
    with SnowflakeServer(record=tmp_path / "record") as server, connect(server) as session:
        ask(session, "alter session set query_tag = 'x'", "create database d", "begin")
        session.cursor().execute("create table t (x int, y varchar)")
        ask(session, "begin")
        session.cursor().execute("insert into t values (?, ?)", (7, "secret"))
        with pytest.raises(ProgrammingError):
            ask(session, "select nope")
        ask(session, "commit")

    lines = [json.loads(line) for line in (tmp_path / "record").read_text().splitlines()]
    told = [(line["kind"], line["within_transaction"], line["outcome"] == "ok") for line in lines[:8]]
    assert told == [
        ("session", False, True), ("definition", False, True), ("begin", False, True), ("definition", True, True),
        ("begin", False, True), ("change", True, True), ("read", True, False), ("commit", True, True),
    ]  # fmt: skip
    assert lines[5]["bindings"] == {"1": "FIXED", "2": "TEXT"}
    assert lines[5]["parameters"]["QUERY_TAG"] == "x"
    assert "secret" not in (tmp_path / "record").read_text()


def test_the_server_does_not_outlive_a_keeper_that_was_killed() -> None:
    keeper = (
        "import os; from tieout.sim.snowflake.server import SnowflakeServer; server = SnowflakeServer();"
        " server.start(); print(server.port, flush=True); os.kill(os.getpid(), 9)"
    )

    port = int(subprocess.run([sys.executable, "-c", keeper], capture_output=True, timeout=120, check=False).stdout)

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and listens(port):
        threading.Event().wait(0.05)
    assert not listens(port)


def listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_the_server_ends_and_leaves_nothing() -> None:
    server = SnowflakeServer()
    server.start()
    folder = server.folder

    server.close()
    server.close()

    assert not server.running
    assert folder is not None
    assert not folder.exists()
