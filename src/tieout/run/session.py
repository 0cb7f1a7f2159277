"""A session: one lane in the hands of this process, with its source open and its route under a lease.

The lease's fence stands above every fence that ever wrote to the warehouse, also when the ledger that grants it is
younger than the warehouse. Whatever lies sealed is adopted before anything else is done.
"""

from __future__ import annotations

from ..base.step import Step
from ..capture.source import Bound, FallsShort, ReadsAnew, ReadsOn
from ..merge.warehouse import Warehouse
from .house import WAIT_SECONDS, House
from .neighbours import Closing
from .route import Route


class Warehouses:
    """The one warehouse of a process: opened when first needed, answering readers while it is held."""

    def __init__(self, house: House, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._house = house
        self._wait_seconds = wait_seconds
        self._warehouse: Warehouse | None = None
        self._readers: Closing | None = None
        self._waited = False

    def get(self) -> Warehouse:
        """The warehouse. Waits once for another process that holds it; raises Occupied, or Transient."""
        if self._warehouse is not None and not self._warehouse.answers():
            self.close()
        if self._warehouse is None:
            wait_seconds = 0.0 if self._waited else self._wait_seconds
            self._waited = True
            self._warehouse = self._house.warehouse(wait_seconds=wait_seconds)
            self._readers = self._house.neighbours.answering(self._warehouse)
        return self._warehouse

    def close(self) -> None:
        if self._readers is not None:
            self._readers.close()
        if self._warehouse is not None:
            self._warehouse.close()
        self._readers = self._warehouse = None


class LandingSession:
    """A lane that is ours until `close`, to land what its source says. The warehouse is not needed for that.

    Making one waits a while for another living process, then raises Occupied.
    """

    def __init__(self, house: House, lane: str, *, fence_min: int = 1, wait_seconds: float = 0.0) -> None:
        self._ledger = house.tools.ledger
        self._lease = house.lease(lane, fence_min=fence_min, wait_seconds=wait_seconds)
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

    def read_anew(self, object_: str) -> bool:
        """Has the source read an object whole once more, from the next capture on; False where it cannot. It stands in
        the ledger, so a kill forgets nothing."""
        if not isinstance(self.source, ReadsAnew):
            return False
        if due := self.source.anew(object_, self._ledger.progress(self.source.lane)):
            self.route.land(due)
        return True

    def close(self) -> None:
        """Gives the lane back. Nothing happens to it when it was taken over."""
        self.source.close()
        self._ledger.release(self._lease)


class Session(LandingSession):
    """A lane that is ours until `close`, to land and to merge."""

    def __init__(self, house: House, lane: str, warehouses: Warehouses) -> None:
        # The warehouse before the lease, everywhere: two processes that each had one of them would wait in vain.
        self.warehouse = warehouses.get()
        super().__init__(house, lane, fence_min=self.warehouse.fence_of(lane) + 1, wait_seconds=WAIT_SECONDS)

    def drain(self, until: Bound) -> None:
        """Captures and merges all that the source has up to `until`; a stream that cannot be merged is `stuck`."""
        while self._captured(until):  # bounded: a full read ends
            self.route.renew()

    def _captured(self, until: Bound) -> bool:
        """Captures and merges; whether the source has more that is due."""
        for _ in self.route.capture(until):
            if self.route.is_full:
                self.route.merge_each(self.warehouse)
        self.route.merge_each(self.warehouse)
        if isinstance(self.source, FallsShort) and self.source.shortfall is not None:
            raise self.source.shortfall
        return isinstance(self.source, ReadsOn) and self.source.unfinished
