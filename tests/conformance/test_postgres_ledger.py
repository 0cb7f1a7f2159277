"""The PostgreSQL ledger keeps the ledger's promise, with many workers at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.conformance.ledger_promise import (
    AppendPromise,
    GuardPromise,
    HandClock,
    LeasePromise,
    OpenBook,
    ReadingPromise,
)
from tieout.ledger.postgres import PostgresLedger
from tieout.sim.server import PostgresServer

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """One database for all of these tests, of which each has a schema of its own, as projects have."""
    yield postgres_server.create_database("ledgers")
    postgres_server.start()
    postgres_server.drop_database("ledgers")


@pytest.fixture
def schema() -> str:
    return f"tieout_project-{next(_numbers)}"


class OnPostgres:
    @pytest.fixture
    def open_book(self, url: str, schema: str, clock: HandClock) -> Iterator[OpenBook]:
        opened: list[PostgresLedger] = []

        def open_book() -> PostgresLedger:
            opened.append(PostgresLedger(url, clock, schema=schema, now=clock.now))
            return opened[-1]

        yield open_book
        for ledger in opened:
            ledger.close()


class TestPostgresAppend(OnPostgres, AppendPromise): ...


class TestPostgresGuards(OnPostgres, GuardPromise): ...


class TestPostgresLeases(OnPostgres, LeasePromise): ...


class TestPostgresReading(OnPostgres, ReadingPromise): ...
