"""What the tests share: a real PostgreSQL, started once per process when the first test asks for it."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.snowflake_account import NAMED_BY
from tieout.base.sql import Sql
from tieout.run import patience
from tieout.sim.server import PostgresServer

settings.register_profile("quick", max_examples=32, deadline=None)
settings.register_profile("campaign", max_examples=2_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

LONG = frozenset(
    {
        "tests/conformance/test_checks_alike.py",
        "tests/conformance/test_migrating_alike.py",
        "tests/conformance/test_simulated_sources.py",
        "tests/conformance/test_snowflake_account.py",
        "tests/conformance/test_snowflake_names.py",
        "tests/conformance/test_snowflake_readings.py",
        "tests/conformance/test_snowflake_sums.py",
        "tests/conformance/test_snowflake_swap.py",
        "tests/e2e/test_append_only.py",
        "tests/e2e/test_backfill.py",
        "tests/e2e/test_backfill_beside.py",
        "tests/e2e/test_certify_postgres.py",
        "tests/e2e/test_certify_salesforce.py",
        "tests/e2e/test_certify_sums.py",
        "tests/e2e/test_certify_sums_snowflake.py",
        "tests/e2e/test_cli_journey.py",
        "tests/e2e/test_cli_migrate.py",
        "tests/e2e/test_cli_simulate.py",
        "tests/e2e/test_cli_sweeps.py",
        "tests/e2e/test_demo.py",
        "tests/e2e/test_demo_production.py",
        "tests/e2e/test_hard_company.py",
        "tests/e2e/test_hard_disk.py",
        "tests/e2e/test_kill_postgres.py",
        "tests/e2e/test_mending_again.py",
        "tests/e2e/test_pausing.py",
        "tests/e2e/test_production_guide.py",
        "tests/e2e/test_production_machine.py",
        "tests/e2e/test_revops_history.py",
        "tests/e2e/test_simulation.py",
        "tests/e2e/test_snowflake_project.py",
        "tests/e2e/test_snowflake_marts.py",
        "tests/house/test_bench.py",
    }
)
"""Files whose tests together take longest: `make long` runs them, so that `make test` stays short."""

_numbers = itertools.count(1)
_COPIED = Sql("strategy file_copy")
"""Several times cheaper than through the log, which is PostgreSQL's own choice."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.partition("::")[0] in LONG:
            item.add_marker(pytest.mark.campaign)


def pytest_report_header() -> str:
    """Whoever pays for the tests shall see it."""
    named = os.environ.get(NAMED_BY, "")
    return f"Snowflake: {named.partition('?')[0]}, and it is billed" if named else "Snowflake: the stand-in"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    folder = Path(tempfile.mkdtemp(prefix="tieout-server-"))
    try:
        with PostgresServer(folder / "data") as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tries again in this process does so as often as ever, and twenty times as soon."""
    monkeypatch.setattr(patience, "_FIRST_SECONDS", patience._FIRST_SECONDS / 20)


@pytest.fixture
def database(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of an empty database that is this test's own."""
    postgres_server.start()  # A test may have stopped it.
    name = f"test_{next(_numbers)}"
    yield postgres_server.create_database(name, options=_COPIED)
    postgres_server.start()
    postgres_server.drop_database(name)
