"""An open log, followed: its messages become pieces, each from one cursor of the track `wal` to the next.

Knows nothing of tables that are read whole, and opens no connection: where the log goes on is decided before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...base.cursor import Cursor
from ...base.errors import Broken
from ...base.order import INT64_MAX
from ..source import Captured
from .pgoutput import final_lsn
from .standing import WAL, Incarnation, incarnation_of, wal_cursor, wal_lsn
from .stream import Stream
from .transactions import Transactions

_piece_changes_max = 100_000
_piece_bytes_max = 32 * 2**20


@dataclass(slots=True)
class Following:
    """`cursor` is where what it has yielded ends, `registered` how much of that is known to be landed."""

    stream: Stream
    transactions: Transactions
    incarnation: Incarnation
    cursor: Cursor | None
    registered: Cursor | None

    def pieces(self, until: int) -> Iterator[Captured]:
        """Whole transactions whose commit stands before `until`."""
        transactions = self.transactions
        for _ in self._heard(until):
            if transactions.changes >= _piece_changes_max or transactions.size >= _piece_bytes_max:
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

    def _heard(self, until: int) -> Iterator[None]:
        """Hears the log up to `until`; stops between transactions."""
        stream, transactions = self.stream, self.transactions
        while (message := stream.next(until=INT64_MAX if transactions.open else until)) is not None:
            commit = final_lsn(message.payload)
            if commit is not None and commit >= until:
                stream.put_back(message)
                return
            transactions.hear(message.data_start, message.payload)
            if not transactions.open:
                yield

    def _piece(self) -> Captured:
        end = self.transactions.end
        if end is None:
            raise Broken("changes of the log were heard, and no commit.")
        before, after = self.cursor, wal_cursor(self.incarnation, end)
        self.cursor = after
        return Captured(before, after, self.incarnation.epoch, "text", self.transactions.take())
