"""What was read at one moment, as pieces of a track of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ....base.cursor import Cursor
from ...source import Captured
from ..catalogue import Table
from ..lsn import lsn_text
from ..wire import Moment


def pieces(verb: str, table: Table, moment: Moment, epoch: int, read: Iterator[pa.Table]) -> Iterator[Captured]:
    track, before, rows = f"{verb}/{lsn_text(moment.lsn)}/{table.object}", None, 0
    for piece in read:
        rows += piece.num_rows
        position = 1 if before is None else before.position + 1
        after = Cursor.of(track, position, {"lsn": lsn_text(moment.lsn), "rows": rows})
        yield Captured(before, after, epoch, "native", {table.object: piece}, at_one_moment=True)
        before = after
