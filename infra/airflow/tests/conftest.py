"""Each test has a project of its own, and all of them one Airflow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.airflow.tests.company import HOME, Company, airflow


@pytest.fixture(scope="session")
def database() -> None:
    """Airflow's own."""
    airflow("db", "migrate")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = Company(tmp_path / "shop", HOME / "dags" / tmp_path.name)
    made.tieout("init", "--name", "shop")
    yield made
    shutil.rmtree(made.dags, ignore_errors=True)
