"""What a comparison is going to cost, said before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..base.stream import Stream
from ..capture.counts import Calls


class Way(StrEnum):
    """summed: the source sums all rows, and tells those that differ; changed: it sums what changed; counted: it counts
    all rows, and tells those that differ; told: it tells all rows, or all changes that it keeps."""

    SUMMED = "summed"
    CHANGED = "changed"
    COUNTED = "counted"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class Forecast:
    """`rows` and `bytes` are what the source's own statistics say of the whole object; None where it has none. `calls`:
    what the rungs of a comparison by counts take of the source's calls; None of any other way."""

    stream: Stream
    way: Way
    rows: int | None
    bytes: int | None
    calls: Calls | None = None
