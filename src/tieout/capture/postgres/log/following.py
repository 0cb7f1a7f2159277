"""An open log, followed: its messages become pieces, each from one cursor of the track `wal` to the next.

Knows nothing of tables that are read whole, and opens no connection: where the log goes on is decided before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ....base.cursor import Cursor
from ...source import Captured
from ..standing import WAL, Incarnation, incarnation_of, wal_cursor, wal_lsn
from .heap import Heap
from .stream import Stream
from .tracked import Strange, together
from .transactions import Transactions

_piece_changes_max = 100_000
_piece_bytes_max = 32 * 2**20
"""Where a piece ends with the transaction it is in."""

_within_changes_max = 200_000
_within_bytes_max = 64 * 2**20
"""Where a piece ends in the midst of its transaction: a transaction may be larger than our memory."""

_heap_messages_max = 20_000
"""What is worked on at once: enough that a column costs little a row, few enough to stay in the processor's cache."""


@dataclass(slots=True)
class Following:
    """`start` is where in the log it began, `strangers` those met before, `cursor` where what it has yielded ends,
    `registered` how much of that is known to be landed."""

    stream: Stream
    transactions: Transactions
    incarnation: Incarnation
    start: int
    strangers: Strange
    cursor: Cursor | None
    registered: Cursor | None

    def pieces(self, until: int, meanwhile: Callable[[], None]) -> Iterator[Captured]:
        """All that was committed before `until`. A piece ends with a transaction, if that is not too large for it.
        `meanwhile` is called at least every second or two in which there is none."""
        transactions = self.transactions
        while self._hear(until):
            meanwhile()
            if self._is_full():
                yield self._piece()
        if transactions.changes:
            yield self._piece()
        if self.registered == self.cursor:
            self.stream.confirm_quiet()

    def confirm(self, cursor: Cursor) -> None:
        """All up to `cursor` is registered."""
        if cursor.track == WAL and incarnation_of(cursor) == self.incarnation:
            self.stream.confirm(wal_lsn(cursor))
            self.registered = cursor

    def close(self) -> None:
        self.stream.close()

    def _hear(self, until: int) -> bool:
        """The next of the log; False when there is nothing more before `until`."""
        transactions = self.transactions
        heap = Heap(room=max(1, min(_heap_messages_max, _within_changes_max - transactions.changes)))
        more = self.stream.gather(
            heap,
            until=until,
            rows=_piece_changes_max - transactions.changes,
            size=_piece_bytes_max - transactions.size,
            is_open=transactions.within is not None,
        )
        if len(heap):
            transactions.hear(heap)
        return more

    def _is_full(self) -> bool:
        changes, size = self.transactions.changes, self.transactions.size
        if self.transactions.within is None:
            return changes >= _piece_changes_max or size >= _piece_bytes_max
        return changes >= _within_changes_max or size >= _within_bytes_max

    def _piece(self) -> Captured:
        transactions = self.transactions
        end = self.start if transactions.end is None else transactions.end
        within = transactions.within
        told = end if within is None else within.commit
        strange = together(self.strangers, transactions.strangers.until(told))
        before, after = self.cursor, wal_cursor(self.incarnation, end, within, strange)
        self.cursor = after
        return Captured(before, after, self.incarnation.epoch, "text", transactions.take())
