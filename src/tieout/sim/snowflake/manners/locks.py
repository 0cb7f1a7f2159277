"""A lock for each table, taken by UPDATE, DELETE and MERGE and held until the transaction ends, as Snowflake takes it.

The engine underneath would raise a conflict instead of waiting. Besides the locks it is remembered when a table was
last changed under one, because a transaction that is older than that has an old view of the table.
"""

from __future__ import annotations

import threading

from .errors import refusal

Table = tuple[str, str, str]
"""Database, schema and name, as they are written in the catalog."""

WAIT_SECONDS_MAX = 60.0
"""However long LOCK_TIMEOUT is: a test that waits longer has a deadlock."""

_waiters_max = 20


class Locks:
    """Shared by all sessions. A session is any object; only whether it is the same one matters."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders: dict[Table, object] = {}
        self._waiters: dict[Table, int] = {}
        self._moment = 0
        self._changed_at: dict[Table, int] = {}

    def moment(self) -> int:
        """Counts releases; no clock."""
        with self._changed:
            return self._moment

    def changed_since(self, table: Table, moment: int) -> bool:
        with self._changed:
            return self._changed_at.get(table, 0) > moment

    def take(self, table: Table, session: object, seconds_max: float) -> None:
        """Waits for it. To take it again changes nothing."""
        with self._changed:
            if self._holders.get(table, session) is not session:
                self._wait(table, seconds_max)
            self._holders[table] = session

    def held(self) -> list[tuple[Table, object]]:
        """Which table is held by whom."""
        with self._changed:
            return list(self._holders.items())

    def release(self, session: object) -> None:
        """All that the session holds."""
        with self._changed:
            self._moment += 1
            for table in [table for table, holder in self._holders.items() if holder is session]:
                del self._holders[table]
                self._changed_at[table] = self._moment
            self._changed.notify_all()

    def _wait(self, table: Table, seconds_max: float) -> None:
        waiters = self._waiters.get(table, 0)
        if waiters >= _waiters_max:
            raise refusal("lock_waiters", table=".".join(table))
        self._waiters[table] = waiters + 1
        try:
            seconds = min(seconds_max, WAIT_SECONDS_MAX)
            if not self._changed.wait_for(lambda: table not in self._holders, timeout=seconds):
                raise refusal("lock_timeout", table=".".join(table), seconds=f"{seconds:g}")
        finally:
            self._waiters[table] -= 1
