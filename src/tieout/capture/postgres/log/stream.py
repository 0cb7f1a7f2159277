"""The log as it arrives: one replication connection, read message by message, confirmed when we are told to.

Nothing is confirmed but what `confirm` was called with, except that the driver passes on the server's own positions
while the log is quiet and all that was sent is confirmed, so that a quiet table does not hold back the server's log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from select import select

import psycopg2
import stamina
import structlog
from psycopg2.extras import REPLICATION_LOGICAL, LogicalReplicationConnection, ReplicationCursor, ReplicationMessage

from ....base.errors import Misconfigured, Transient
from ....base.order import INT64_MAX
from ....base.pulse import Pulse
from ....base.sql import name
from ..refusal import is_busy, is_internal, refusals_told
from .heap import Heap
from .pgoutput import begun_lsn
from .streamed import COMMIT as STREAM_COMMIT
from .streamed import Streamed, committed_lsn

_BEGIN, _COMMIT = b"BC"

_heap_size_max = 8 * 2**20

_quiet_seconds = 0.02
_quiet_turns_max = 3_000
"""A server that has said nothing for a minute, asked every time, is gone."""
_waiting_turns_max = 50
"""After so many, a second at most, whoever waits for the log is heard."""

_beat_seconds_max = 10.0
_streaming_version_min = 140_000

_busy_attempts_max = 12
_busy_seconds_max = 15.0


log = structlog.get_logger()


class Undecodable(Misconfigured):
    """The server cannot read its own log: nothing behind this place will ever come through the slot in this way."""


class Stream:
    """Takes the connection over, and closes it with itself."""

    def __init__(
        self,
        connection: LogicalReplicationConnection,
        *,
        slot: str,
        publications: Sequence[str],
        start: int,
        silence_seconds_max: float,
        streaming: Path | None,
    ) -> None:
        self._connection = connection
        self._slot = slot
        self._cursor: ReplicationCursor = connection.cursor()
        self._held: ReplicationMessage | None = None
        self._silent = 0
        self._streamed = None if streaming is None else Streamed(streaming)
        self._committed: Iterator[tuple[int, bytes]] | None = None
        options = {"proto_version": "1", "publication_names": ",".join(map(name, publications))}
        if streaming is not None:
            _refuse_old(connection)
            options |= {"proto_version": "2", "streaming": "on"}
        with refusals_told(f"starting to read slot {slot}"):
            _start(self._cursor, slot, start, options)
        self._pulse = Pulse(self._beat, seconds=min(_beat_seconds_max, silence_seconds_max / 4))
        self.confirm(start)

    def gather(self, heap: Heap, *, until: int, rows: int, size: int, is_open: bool) -> bool:
        """Reads on into `heap`, up to the first commit behind so many rows or octets, or until the heap is full, or
        for a second in which nothing came. Returns whether there is more: False when the server has sent all that was
        committed before `until`.

        `is_open`: we stand in the midst of a transaction. Raises Transient when the connection breaks or the server
        falls silent.
        """
        with self._talking("reading the log"), self._decoding():
            self._pulse.renew()
            if self._committed is not None:
                self._committed = _replay(self._committed, heap)
                return True
            return self._gather(heap, until, rows, size, is_open=is_open)

    def _gather(self, heap: Heap, until: int, rows_wanted: int, size_wanted: int, *, is_open: bool) -> bool:
        """The hottest loop of the capture: one turn a message, and so little in it."""
        read, payloads, lsns = self._cursor.read_message, heap.payloads, heap.lsns
        rows = size = 0
        held, self._held = self._held, None
        streamed = self._streamed
        while len(payloads) < heap.room and size < _heap_size_max:
            message = held or read() or self._awaited(end := INT64_MAX if is_open else until)
            if message is None:
                return self.sent < end
            held, payload = None, message.payload
            kind = payload[0]
            if kind == _BEGIN:
                if begun_lsn(payload) >= until:
                    self._held = message
                    return False
                is_open = True
            elif streamed is not None and streamed.takes(kind):
                streamed.hear(message.data_start, payload)
                size += len(payload)
                continue
            elif streamed is not None and kind == STREAM_COMMIT:
                if committed_lsn(payload) >= until:
                    self._held = message
                    return False
                self._committed = streamed.committed(payload)
                return True
            elif kind != _COMMIT:
                rows += 1
            payloads.append(payload)
            lsns.append(message.data_start)
            size += len(payload)
            if kind == _COMMIT:
                is_open = False
                if rows >= rows_wanted or size >= size_wanted:
                    break
        return True

    def is_alive(self) -> bool:
        """Whether it still goes on: a server ends a stream that was not read for wal_sender_timeout."""
        try:
            with self._pulse.talking:
                self._held = self._held or self._read()
        except psycopg2.Error:
            return False
        return True

    def confirm(self, lsn: int) -> None:
        """The server may forget what lies before. Never goes back."""
        with self._talking("confirming the log"):
            self._say(write_lsn=lsn, flush_lsn=lsn, apply_lsn=lsn)

    def confirm_quiet(self) -> None:
        """Confirms all that was sent; only when every change of ours among it is registered. With a message held back
        there is nothing to confirm: it belongs to a transaction to come."""
        if self._held is None:
            self.confirm(self.sent)

    @property
    def sent(self) -> int:
        """All that was committed before this position has been sent, and was read when no message is held back."""
        return int(self._cursor.wal_end or 0)

    def close(self) -> None:
        self._pulse.end()
        if self._streamed is not None:
            self._streamed.close()
        with suppress(psycopg2.Error):  # It is closed to us either way.
            self._connection.close()

    @contextmanager
    def _talking(self, doing: str) -> Iterator[None]:
        with self._pulse.talking, refusals_told(doing):
            yield

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        """PostgreSQL 18 has faults in reading transactions that alter a table again after a savepoint took it back:
        some where it streams, some where it does not."""
        try:
            yield
        except psycopg2.Error as error:
            if not is_internal(error):
                raise
            text = " ".join(str(error).split())
            log.warning("the server cannot read its own log", slot=self._slot, streaming=self._streamed is not None)
            raise Undecodable(
                f"PostgreSQL cannot read its own log: {text}",
                hint=f"Give the log up, and every table is read anew: select pg_drop_replication_slot('{self._slot}');",
            ) from error

    def _beat(self) -> bool:
        """Says again what was confirmed; False when nobody hears it."""
        try:
            self._cursor.send_feedback(force=True)  # type: ignore[no-untyped-call]
        except psycopg2.Error:
            return False
        return True

    def _read(self) -> ReplicationMessage | None:
        message: ReplicationMessage | None = self._cursor.read_message()
        return message

    def _say(self, **status: int) -> None:
        self._cursor.send_feedback(force=True, **status)  # type: ignore[no-untyped-call]

    def _awaited(self, until: int) -> ReplicationMessage | None:
        """The next message, waited for a second at most; None when it did not come, or all that was committed before
        `until` has been sent."""
        heard, wait = self._cursor.io_timestamp, 0.0
        for _ in range(_waiting_turns_max):
            if (message := self._read()) is not None:
                self._silent = 0
                return message
            if self._cursor.io_timestamp != heard:
                self._silent = 0
            if self.sent >= until:
                return None
            if self._silent >= _quiet_turns_max:
                raise Transient("PostgreSQL has fallen silent in the midst of its log.", hint="It is tried again.")
            if not select([self._cursor], [], [], wait)[0]:
                # Asked at once the first time, then no more often than this, however fast it answers.
                self._say(reply=True)
                self._silent += 1
            heard, wait = self._cursor.io_timestamp, _quiet_seconds
        return None


def _replay(messages: Iterator[tuple[int, bytes]], heap: Heap) -> Iterator[tuple[int, bytes]] | None:
    """Fills the heap from a streamed transaction that has committed; returns the rest of it, None when it has ended."""
    size = 0
    while len(heap) < heap.room and size < _heap_size_max:
        message = next(messages, None)
        if message is None:
            return None
        lsn, payload = message
        heap.lsns.append(lsn)
        heap.payloads.append(payload)
        size += len(payload)
    return messages


def _refuse_old(connection: LogicalReplicationConnection) -> None:
    if connection.server_version < _streaming_version_min:
        raise Misconfigured(
            "this server sends a transaction only when it has ended: streaming came with PostgreSQL 14.",
            hint="Take `streaming` out of tieout.yaml.",
        )


def _start(cursor: ReplicationCursor, slot: str, start: int, options: dict[str, str]) -> None:
    """A session of ours that was killed may hold the slot for a moment longer."""
    attempts = stamina.retry_context(on=is_busy, attempts=_busy_attempts_max, timeout=_busy_seconds_max, wait_max=2.0)
    for attempt in attempts:
        with attempt:
            cursor.start_replication(
                slot_name=slot, slot_type=REPLICATION_LOGICAL, start_lsn=start, options=options, decode=False
            )
