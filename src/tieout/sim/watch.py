"""How far both sides are, looked at from outside while a worker is at it, and while it is being killed.

Cheap, and never in the way: the ledger is read, and the warehouse is asked only through its worker. To open its file
would keep the next worker out.
"""

from __future__ import annotations

import psycopg

from ..base.errors import TieoutError
from ..base.stream import Stream
from ..capture.postgres.standing import snapshot_track
from ..merge.asked import reading_of
from ..run.contracts import describes_nothing
from ..run.house import House
from .shop import SOURCE, TABLES, count_rows


class Watch:
    """Looks at the shop at `url` and at the house that follows it."""

    def __init__(self, url: str, house: House) -> None:
        self._shop = psycopg.connect(url, autocommit=True)
        self._house = house
        self._reader = house.onlooker()
        self._heard: dict[str, int] = {}

    def close(self) -> None:
        self._shop.close()
        self._reader.close()

    def batches(self) -> int:
        """How many have landed."""
        return len(self._house.tools.ledger.landed(SOURCE))

    def is_reading(self) -> bool:
        """Whether a table is still to be read whole for the first time."""
        progress = self._house.tools.ledger.progress(SOURCE)
        cursors = [progress.get(snapshot_track(table)) for table in TABLES]
        return not all(cursor is not None and cursor.read()["done"] for cursor in cursors)

    def source_rows(self) -> dict[str, int]:
        return count_rows(self._shop)

    def warehouse_rows(self) -> dict[str, int]:
        """Live rows per table. Of a table that nobody answers for at the moment, what was last heard."""
        for table in TABLES:
            try:
                contract = self._house.tools.contracts.of(Stream(SOURCE, table), describes_nothing)
                reading = reading_of(self._reader, contract)
                if reading.exists():
                    self._heard[table] = reading.live_rows()
            except TieoutError:
                break  # No worker holds the warehouse, or it has just been killed: the others cannot be asked either.
        return dict(self._heard)
