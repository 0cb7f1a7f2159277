"""The stand-in for Snowflake as fixtures: one server for the session, a fresh database for each test.

Where the environment names a real account, that is asked in its place (`snowflake_account.py`)."""

from __future__ import annotations

import itertools
import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from snowflake.connector import SnowflakeConnection

from tests import snowflake_account
from tests.snowflake_account import AccountServer
from tests.snowflake_rules import Rules, Watched
from tieout.merge.snowflake.account import session_parameters
from tieout.merge.snowflake.session import Session
from tieout.sim.snowflake.server import SnowflakeServer

_numbers = itertools.count(1)
_connect = snowflake.connector.connect
_rules = Rules()
"""One for all: a file that one session stages, another copies."""

Connect = Callable[..., SnowflakeConnection]


@pytest.fixture(scope="session")
def snowflake_server() -> Iterator[SnowflakeServer]:
    with snowflake_account.named() or SnowflakeServer() as server:
        yield server
    assert not _rules.broken


@pytest.fixture
def snowflake_database(snowflake_server: SnowflakeServer) -> Iterator[str]:
    """The name of an empty database that is this test's own, with a schema PUBLIC."""
    with own_database(snowflake_server) as name:
        yield name


@contextmanager
def own_database(server: SnowflakeServer) -> Iterator[str]:
    """As above. In an account nothing is left of it; the stand-in takes all with it when it ends."""
    is_account = isinstance(server, AccountServer)
    name = server.name() if isinstance(server, AccountServer) else f"TEST_{next(_numbers)}"
    with connect(server) as connection:
        connection.cursor().execute(f"create {'transient ' if is_account else ''}database {name}")
    try:
        yield name
    finally:
        if is_account:
            with connect(server) as connection:
                connection.cursor().execute(f"drop database if exists {name}")


@pytest.fixture
def snowflake_sessions(snowflake_server: SnowflakeServer, snowflake_database: str) -> Iterator[Connect]:
    """Makes sessions in the test's own database and its schema PUBLIC. They end with the test."""
    made: list[SnowflakeConnection] = []

    def make(**options: Any) -> SnowflakeConnection:
        made.append(connect(snowflake_server, **{"database": snowflake_database, "schema": "PUBLIC", **options}))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


def connect(server: SnowflakeServer, **options: Any) -> SnowflakeConnection:
    if isinstance(server, AccountServer):
        return server.connect(**options)
    return _connect(
        **{
            "user": "tieout", "password": "stand-in", "account": "stand_in",
            "host": server.host, "port": server.port, "protocol": "http",
            "login_timeout": 20, "network_timeout": 60, "paramstyle": "qmark", **options,
        }
    )  # fmt: skip


def address(server: SnowflakeServer, database: str, key_file: Path) -> str:
    """What stands in `tieout.yaml`; the key, which anybody may have, is made and put into this file."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    options = f"warehouse=LOADING&role=LOADER&private_key=${{file:{key_file}}}"
    return f"snowflake://TIEOUT@stand-in/{database}?{options}&host={server.host}&port={server.port}&protocol=http"


@pytest.fixture
def snowflake_watched(monkeypatch: pytest.MonkeyPatch) -> Rules:
    """Whatever connects to Snowflake in this process is under the rules."""
    monkeypatch.setattr(snowflake.connector, "connect", lambda **options: Watched(_connect(**options), _rules))
    _rules.sent.clear()
    return _rules


@pytest.fixture
def snowflake_fault(snowflake_server: SnowflakeServer) -> Iterator[Callable[..., None]]:
    """Posts a fault (`manners/faults.py`); they end with the test, or when it is called with nothing."""
    url = f"http://{snowflake_server.host}:{snowflake_server.port}/stand-in/faults"

    def ask(**said: object) -> None:
        asked = urllib.request.Request(url, json.dumps(said).encode(), method="POST" if said else "DELETE")
        urllib.request.urlopen(asked, timeout=10).close()

    yield ask
    ask()


def session(server: SnowflakeServer, database: str) -> Session:
    """One of tieout's own sessions, under the rules that Snowflake has and the stand-in lacks."""
    parameters = session_parameters({"run": "tests"})
    options = {"database": database, "session_parameters": parameters, "autocommit": False}
    return Session(lambda: Watched(connect(server, **options), _rules), "the stand-in")
