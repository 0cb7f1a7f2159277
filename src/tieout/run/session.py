"""A session: one lane in the hands of this process, with its source open and its route under a lease.

The lease's fence stands above every fence that ever wrote to the warehouse, also when the ledger that grants it is
younger than the warehouse. Whatever lies sealed is adopted before anything else is done.
"""

from __future__ import annotations

from ..base.step import Step
from ..merge.duckdb import DuckDBWarehouse
from .house import House
from .route import Route
from .serve import QueryServer


class Warehouses:
    """The one warehouse of a process: opened when first needed, answering readers while it is held."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._warehouse: DuckDBWarehouse | None = None
        self._server: QueryServer | None = None

    def get(self) -> DuckDBWarehouse:
        if self._warehouse is None:
            self._warehouse = self._house.warehouse()
            self._server = QueryServer(self._house.project.warehouse, self._warehouse)
        return self._warehouse

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._warehouse is not None:
            self._warehouse.close()
        self._server = self._warehouse = None


class Session:
    """A lane that is ours until `close`. Making one waits a while for another living process, then raises Occupied."""

    def __init__(self, house: House, lane: str, warehouses: Warehouses) -> None:
        self._ledger = house.tools.ledger
        self._lease = house.lease(lane, fence_min=1)
        try:
            self.warehouse = warehouses.get()
            written = self.warehouse.fence_of(lane)
            if written >= self._lease.fence:
                self._lease = house.lease(lane, fence_min=written + 1)
            house.tools.passing(Step.LEASED)
            self.source = house.source(lane)
        except BaseException:
            self._ledger.release(self._lease)
            raise
        self.route = Route(self.source, house.tools, self._lease)
        try:
            self.route.adopt()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Gives the lane back. Nothing happens to it when it was taken over."""
        self.source.close()
        self._ledger.release(self._lease)
