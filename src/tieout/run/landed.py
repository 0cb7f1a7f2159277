"""What has landed of a stream tells which columns it has ever shown: all that a lost ledger leaves to know them by.

A column has been told of where a batch has it, or keeps it in `_extra`. Every batch of the stream is read for it, so it
is asked only of a stream that the ledger has never seen and that has landed.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow.compute as pc

from ..base.change import Kind
from ..base.stream import Stream
from ..land.landing import Landing
from ..ledger.ledger import Ledger
from ..merge.aligned import quoted


def told_of_none(ledger: Ledger, landing: Landing, stream: Stream, columns: Collection[str]) -> frozenset[str]:
    """Those of the columns of which no row told that has landed; none where no whole row has landed, as a delete or a
    patch tells of few columns."""
    left, has_whole = set(columns), False
    names = [name for name, text in ledger.landed(stream.source).items() if text == str(stream)] if columns else []
    for name in names:
        changes = landing.open(stream, name).changes
        extra = changes["_extra"].drop_null()
        told = {column for column in left if pc.any(pc.match_substring(extra, quoted(column))).as_py()}
        left -= told | set(changes.column_names)
        has_whole = has_whole or bool(pc.any(pc.equal(changes["_kind"], Kind.IMAGE.value)).as_py())
    return frozenset(left) if has_whole else frozenset()
