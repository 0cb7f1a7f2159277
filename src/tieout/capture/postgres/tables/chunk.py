"""The next chunk of a table: some blocks of one of its parts, few enough to be read in a second or two.

By blocks, because every table has them, whatever its key is, and no index is needed to find them. A chunk is small, so
it is taken whole before it is told: whoever wants to alter the table waits for our reading, not for what becomes of it.
An append-only table is one chunk: a row of it that moved between two would be told under two names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa

from ..catalogue import Table
from .reading import Reading
from .snapshot import Part, Rewritten, Size, Snapshot

_rows_max = 2**17
_bytes_max = 32 * 2**20
_rows_a_block = 64.0
"""Of a table that nobody has counted."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows in pieces, and where the reading stands when all of them are told. `is_taken`: they are here, and nothing is
    held for them any more."""

    pieces: Iterator[pa.Table]
    after: Reading
    is_taken: bool = False


@contextmanager
def next_chunk(snapshot: Snapshot, table: Table, reading: Reading) -> Iterator[Chunk]:
    """Holds what is read as long as its context. Raises Rewritten when the reading must begin again."""
    if table.append_only:
        with snapshot.held(table):
            yield Chunk(snapshot.rows(table, first=0), _behind(reading, len(reading.shape.files)))
        return
    number, file = reading.shape.files[reading.part]
    part = snapshot.part(number)
    if part is None:
        raise Rewritten(f"a part of {table.quoted} went away as it was about to be read.")
    if not part.alone:
        # Only the whole table may be asked for.
        with snapshot.held(table):
            yield Chunk(snapshot.rows(table, first=reading.rows), _behind(reading, len(reading.shape.files)))
        return
    own = replace(table, schema=part.schema, name=part.name, partitioned=False)
    with snapshot.held(own):
        size = snapshot.size(number)
        if size.file != file:
            raise Rewritten(f"{own.quoted} was emptied or written anew while {table.quoted} was read.")
        blocks, after = _blocks(reading, part, size)
        pieces = snapshot.rows(own, first=reading.rows, blocks=blocks)
        if blocks is None:
            yield Chunk(pieces, after)
            return
        taken = list(pieces)
    rows = reading.rows + sum(piece.num_rows for piece in taken)
    yield Chunk(iter(taken), replace(after, rows=rows), is_taken=True)


def _blocks(reading: Reading, part: Part, size: Size) -> tuple[dict[str, int] | None, Reading]:
    """The blocks to read, None for all, and what the reading is then. The last ones have no end: rows may be added."""
    if not part.by_blocks:
        return None, _behind(reading, reading.part + 1)
    end = reading.block + _count(part, size)
    if end >= size.blocks:
        return {"first": reading.block, "end": 0}, _behind(reading, reading.part + 1)
    share = (reading.part + end / size.blocks) / len(reading.shape.files)
    return {"first": reading.block, "end": end}, reading.at(reading.part, end, share)


def _count(part: Part, size: Size) -> int:
    by_rows = _rows_max / (part.rows_a_block or _rows_a_block)
    by_bytes = _bytes_max * size.blocks / max(size.bytes, 1)
    return max(1, int(min(by_rows, by_bytes)))


def _behind(reading: Reading, part: int) -> Reading:
    return reading.at(part, 0, part / len(reading.shape.files))
