"""The promise of a warehouse, kept in one file of DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.warehouse_promise import OpenWarehouse, WarehousePromise
from tieout.base.step import Passing
from tieout.merge.duckdb import DuckDBWarehouse


class TestDuckDBWarehouse(WarehousePromise):
    @pytest.fixture
    def open_warehouse(self, tmp_path: Path) -> Iterator[OpenWarehouse]:
        """One process holds the file at a time: whoever comes with a `passing` of its own closes it and opens it."""
        held: list[DuckDBWarehouse] = []

        def open_(*, passing: Passing | None = None) -> DuckDBWarehouse:
            if passing is not None and held:
                held.pop().close()
            if not held:
                options = {} if passing is None else {"passing": passing}
                held.append(DuckDBWarehouse(tmp_path / "warehouse.duckdb", **options))
            return held[0]

        yield open_
        held[0].close()
