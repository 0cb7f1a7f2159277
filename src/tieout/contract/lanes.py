"""The sum of change ids, in two lanes: what the books compare beside the count, computed over a column at once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ..base.batch import Tally


def tally_of(ids: pa.ChunkedArray) -> Tally:
    """How many ids of 32 hex digits there are, and the sums of their upper and lower halves, each mod 2^64."""
    sums = np.zeros(2, np.uint64)
    for chunk in ids.chunks:
        halves = np.frombuffer(bytes.fromhex(_joined(chunk)), ">u8").reshape(-1, 2)
        sums += halves.sum(axis=0, dtype=np.uint64)  # which overflows as it should
    return Tally(len(ids), int(sums[0]), int(sums[1]))


def _joined(texts: pa.StringArray) -> str:
    """All of them as one text. Arrow keeps them so, one behind the other."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[[texts.offset, texts.offset + len(texts)]]
    return bytes(data[ends[0] : ends[1]]).decode("ascii") if len(texts) else ""
