"""What a source can say of many rows without telling them: how many there are, and what their fingerprints sum to.

Asked of a cut. Where both sides' sums agree nothing is read; where they do not, fingerprints are, and of the rows only
those whose fingerprint is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from ..base.types import ColumnType
from .source import Captured, Cut

SUMMED = pa.schema([("bucket", pa.int32()), ("rows", pa.int64()), ("sum", pa.string())])
"""`sum`: a whole number, as text."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of an object are summed: over which columns, and in which buckets.

    A row lies in the bucket whose number is that of the last of the ascending `bounds` (texts of values of the column
    `by`) which is not above its value, counted from 1; in bucket 0 when all are above it. Texts are ordered by their
    bytes in UTF-8. There are about so many `rows`, shared among the buckets.
    """

    object: str
    columns: tuple[str, ...]
    by: str
    bounds: tuple[str, ...] = ()
    rows: int = 0

    @property
    def buckets(self) -> int:
        return len(self.bounds) + 1


class Sums(Protocol):
    """Of a cut; valid within its context, between two pieces of what it tells."""

    def columns(self, object_: str) -> Mapping[str, ColumnType | None]:
        """The columns that the source tells of the object, each with the type as which it can be summed; None: it
        cannot. Empty for an object that cannot be summed at all."""
        ...

    def summed(self, layout: Layout, buckets: Sequence[int] | None) -> Iterator[pa.Table]:
        """Tables as `SUMMED`, of shares of the rows in these buckets, or in all: what is said of one several times is
        to be added up. Each comes within some seconds where the source can be asked for shares. Buckets without
        rows are not told."""
        ...

    def fingerprints(self, layout: Layout, buckets: Sequence[int]) -> Iterator[pa.Array]:
        """Those of every row in these buckets, as whole numbers of 64 bits, in pieces."""
        ...

    def rows(self, layout: Layout, buckets: Sequence[int], wanted: Sequence[int]) -> Iterator[Captured]:
        """The rows in these buckets that have one of these fingerprints: images, as the cut tells them."""
        ...

    def keyed(self, object_: str, keys: Sequence[str]) -> Iterator[Captured]:
        """The rows of these canonical keys: of each an image, or a delete where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SummableCut(Cut):
    """One of a source that can sum."""

    sums: Sums
