"""The promise of sums of a stream's rows, made where the rows are: per range of the key how many there are, and what
their fingerprints (`base/fingerprint.py`) sum to.

The certificate holds them against a source that sums as well, so that rows need be brought together only where the two
differ. An engine that writes a value otherwise than the source costs a look at the row; none may write two values
alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from ..base.sql import Sql

TOTALS = pa.schema([("bucket", pa.int32()), ("rows", pa.int64()), ("sum", pa.string())])
"""`sum`: a whole number, as text."""


class Summed(Protocol):
    """The live rows of one stream over some of its columns, as they stand there whenever they are asked for.

    A row lies in the bucket whose number is that of the last of the ascending bounds which is not above its value in
    the first column of the key, counted from 1; in bucket 0 when all are above it. A row that does not stand under the
    key of its own columns, or lacks what its contract requires, has a fingerprint that no row at the source has.
    """

    @property
    def shares_max(self) -> int:
        """In more than so many the rows are not parted."""
        ...

    def part(self, *, step: int, shares: int) -> tuple[str, ...]:
        """Bounds that part the rows into as many shares of about equal size, by about one of every `step` rows: their
        texts. All else is asked behind it, and of these buckets."""
        ...

    def totals(self, buckets: Sequence[int] | None) -> pa.Table:
        """As `TOTALS`, of these buckets or of all. Those without rows are not told."""
        ...

    def touched(self, batches: Sequence[str]) -> list[int | None]:
        """The buckets of the rows of which these batches speak; None among them where one may speak of any row."""
        ...

    def keep_prints(self, buckets: Sequence[int], into: Sql) -> None:
        """The temporary table `into`, beside the tables that are compared, has `_key` and `fingerprint` of each row in
        these buckets."""
        ...
