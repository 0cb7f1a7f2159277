"""Each test has a project of its own, and all of them one Airflow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.airflow.tests.company import Company, airflow, company_in


@pytest.fixture(scope="session")
def database() -> None:
    """Airflow's own."""
    airflow("db", "migrate")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    made = company_in(tmp_path)
    yield made
    shutil.rmtree(made.dags, ignore_errors=True)
