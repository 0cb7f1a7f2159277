"""Lines that were set aside, read once more: their contract or their reader may have learned to understand them.

Where a line stood in the order is not decided anew: what a sweep made of it then would be forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...base.change import Kind
from ..source import Kept
from .line import LineDecoder
from .said import Said
from .table import Row


def again(decoder: LineDecoder, object_: str, kept: Sequence[Kept]) -> list[Row]:
    """A row for each of them, in their order."""
    return [Row(_said(decoder, object_, one), ordinal, one.raw) for ordinal, one in enumerate(kept, start=1)]


def _said(decoder: LineDecoder, object_: str, kept: Kept) -> Said:
    said = decoder.decode(kept.raw, odd=True)
    if said.fault is None and said.object != object_:
        said.fault = f"wrong_stream: the line does not name {object_} as its stream"
    if said.fault is None and said.sweep is not None:
        said.fault = "sweep_not_certified: the end of a sweep says nothing without the lines before it"
    if said.fault is None and kept.order is not None:
        order = kept.order
        if (said.kind, kept.kind) == (Kind.PATCH, Kind.UNDELETE):
            said.kind = kept.kind  # a sweep had lifted it
        said.position, said.read, said.minor, said.rank = order.position, int(order.kind), order.minor, order.rank
    said.observed_at = None if kept.observed_at is None else kept.observed_at.isoformat()
    return said
