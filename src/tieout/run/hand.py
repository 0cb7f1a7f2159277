"""The hand: batches that were sealed a moment ago, kept to be merged without being read again, as far as memory allows.

And the groups in which batches are merged: large enough to be cheap a row, small enough to fit beside the source's next
piece. A batch that is larger than a group goes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..base.batch import Batch

ROWS_MAX = 1_000_000
BYTES_MAX = 256 * 2**20


class Hand:
    """What does not fit is in the landing, as all of it is."""

    def __init__(self) -> None:
        self._batches: dict[str, Batch] = {}
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return self._bytes >= BYTES_MAX

    def keep(self, batch: Batch) -> None:
        if not self.is_full:
            self._batches[batch.name] = batch
            self._bytes += batch.changes.nbytes

    def take(self, name: str) -> Batch | None:
        batch = self._batches.pop(name, None)
        if batch is not None:
            self._bytes -= batch.changes.nbytes
        return batch


def grouped(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Batches in runs that are merged at once. Asks for the next one only when it may still fit."""
    group: list[Batch] = []
    rows = size = 0
    for batch in batches:
        group.append(batch)
        rows += batch.changes.num_rows
        size += batch.changes.nbytes
        if rows >= ROWS_MAX or size >= BYTES_MAX:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group
