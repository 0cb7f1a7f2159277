"""The PostgreSQL of the demo and the tests: what it keeps over a restart, and that it leaves nothing running."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg2
import pytest

from tieout.base.errors import Broken
from tieout.sim.server import PostgresServer


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "a folder" / "data"


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().splitlines()[0])


def test_a_restart_and_a_kill_keep_what_was_committed(data: Path) -> None:
    with PostgresServer(data) as server:
        url = server.create_database("my shop")
        server.execute("create table t (id int); insert into t values (1)", database="my shop")
        server.stop()
        server.start()
        server.execute("insert into t values (2)", database="my shop")
        server.kill()
        assert not server.running
        server.start()

        assert server.execute("select id from t order by id", database="my shop") == "1\n2\n"
        assert server.url("my shop") == url


def test_its_log_can_be_decoded(data: Path) -> None:
    with PostgresServer(data) as server:
        assert server.execute("show wal_level") == "logical\n"


def test_nothing_of_it_runs_after_its_context(data: Path) -> None:
    with PostgresServer(data) as server:
        pid = postmaster(data)
        folder = Path(server.url().partition("host=")[2])
        assert is_running(pid)
        assert folder.exists()

    assert not is_running(pid)
    assert not folder.exists()


def test_a_server_that_was_left_behind_is_ended_by_the_next_start(data: Path) -> None:
    left = PostgresServer(data)
    left.start()
    pid = postmaster(data)
    left.execute("create table t (id int)")

    with PostgresServer(data) as server:
        assert postmaster(data) != pid
        assert server.execute("select count(*) from t") == "0\n"
    left.close()


def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    with pytest.raises(Broken) as raised, PostgresServer(data, settings={"wal_level": "nonsense"}):
        pass

    assert "wal_level" in raised.value.hint


def test_a_fork_of_its_owner_does_not_end_it(data: Path) -> None:
    with PostgresServer(data) as server:
        pid = os.fork()
        if pid == 0:
            server.close()
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)

        assert server.execute("select 1") == "1\n"


def test_a_database_goes_with_its_slots_and_sessions(data: Path) -> None:
    with PostgresServer(data) as server:
        url = server.create_database("gone")
        server.execute("select pg_create_logical_replication_slot('s', 'pgoutput')", database="gone")
        session = psycopg2.connect(url)

        server.drop_database("gone")

        assert server.execute("select count(*) from pg_replication_slots") == "0\n"
        session.close()
