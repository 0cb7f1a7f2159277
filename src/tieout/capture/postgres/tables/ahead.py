"""Reading ahead: while one chunk is judged and landed, the next one of the same table comes over the wire.

One thread, one chunk ahead, within one view. What was read in vain is let go with the view.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

from ..catalogue import Table
from .chunk import Chunk, next_chunk
from .reading import Reading
from .snapshot import Snapshot


class Ahead:
    """Of one view, whose `snapshot` nobody else asks meanwhile."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._next: tuple[str, Reading, Future[Chunk | None]] | None = None

    def close(self) -> None:
        """Waits for what is being read."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def chunk(self, table: Table, reading: Reading) -> Iterator[Chunk]:
        """As `next_chunk`; perhaps it has been read already."""
        waiting, self._next = self._next, None
        read = None
        if waiting is not None:
            object_, of, future = waiting
            if (object_, of) == (table.object, reading):
                read = future.result()
            else:
                future.exception()  # it is of no use, but the snapshot is free only behind it
        with next_chunk(self._snapshot, table, reading) if read is None else nullcontext(read) as chunk:
            self._read_on(table, chunk)
            yield chunk

    def _read_on(self, table: Table, chunk: Chunk) -> None:
        """Begins to read what follows, where it can be taken whole."""
        if chunk.is_taken and chunk.after.block:
            self._next = (table.object, chunk.after, self._thread.submit(self._taken, table, chunk.after))

    def _taken(self, table: Table, reading: Reading) -> Chunk | None:
        """The chunk; None when it cannot be had but while it is told."""
        with next_chunk(self._snapshot, table, reading) as chunk:
            return chunk if chunk.is_taken else None
