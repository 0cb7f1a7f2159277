"""A session: one lane in the hands of this process, with its source open and its route under a lease.

The lease's fence stands above every fence that ever wrote to the warehouse, also when the ledger that grants it is
younger than the warehouse. Whatever lies sealed is adopted before anything else is done.
"""

from __future__ import annotations

from ..base.step import Step
from ..capture.source import Bound
from ..merge.duckdb import DuckDBWarehouse
from .house import House
from .route import MERGE_ROWS_MAX, Route
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
        # The warehouse before the lease, everywhere: two processes that each had one of them would wait in vain.
        self.warehouse = warehouses.get()
        self._lease = house.lease(lane, fence_min=self.warehouse.fence_of(lane) + 1)
        try:
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

    def drain(self, until: Bound) -> None:
        """Captures and merges all that the source has up to `until`."""
        for _ in self.route.capture(until):
            if self.route.pending_rows >= MERGE_ROWS_MAX:
                self.route.merge(self.warehouse)
        self.route.merge(self.warehouse)

    def close(self) -> None:
        """Gives the lane back. Nothing happens to it when it was taken over."""
        self.source.close()
        self._ledger.release(self._lease)
