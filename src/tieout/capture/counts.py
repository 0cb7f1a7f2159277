"""What a source can say of many rows that can neither show its past nor compute a fingerprint: per day how many rows
there are, and what their numbers sum to. Then, of days, which rows these are; then single rows whole.

Asked of a cut, and only of rows that live and did not change after it. Each answer costs calls, of which a source has a
number a day: how many is said before, and counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pyarrow as pa

from ..base.errors import Transient
from .derived import DerivingCut
from .source import Captured

COUNTED = pa.schema([("by", pa.string()), ("day", pa.date32()), ("of", pa.string()), ("value", pa.string())])
"""`by`: of which column it is a day, in UTC. `of`: "" for the number of rows; that column itself for the last of its
moments, in whole seconds since 1970; else the column that was summed. `value`: a number as text, null where no row has
one."""

Days = Mapping[str, Sequence[date]]
"""By column, ascending."""


class Uncountable(Transient):
    """It would take the source longer than it grants: all rows are read instead."""


@dataclass(frozen=True, slots=True)
class Countable:
    """What can be counted of an object.

    created  the column of the moment at which a row was made, which never changes
    stamp    the column of the moment at which a row was last changed
    sums     columns of numbers that the source sums, in floating numbers and by the day of `created`
    columns  all that the source tells of a row
    """

    created: str
    stamp: str
    sums: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calls:
    """What a comparison takes of the source's calls, rung by rung: for counts; for the keys of days that differ, and
    for rows, so many at most."""

    counts: int
    ids_max: int
    rows_max: int


class Counts(Protocol):
    """Of a cut; valid within its context."""

    def countable(self, object_: str) -> Countable | None:
        """None where its rows cannot be counted. Asks nobody."""
        ...

    def forecast(self, object_: str, *, rows: int, first: date | None, listed_max: int, wanted_max: int) -> Calls:
        """What it would cost where about so many rows are, of which the first was made on that day, and where no more
        than so many are listed, and read by key."""
        ...

    def calls(self, object_: str) -> int:
        """How many the source was asked for this object so far."""
        ...

    def moved(self, object_: str) -> Collection[str]:
        """Values of the key (of one column) of rows that changed or ended after the cut, as far as is known by now."""
        ...

    def counted(self, object_: str, *, rows: int, first: date | None) -> Iterator[pa.Table]:
        """Tables as `COUNTED`, of all rows, about so many: by both columns, the sums by the day of `created`. `first`:
        the first day of which rows are known elsewhere. Raises Uncountable."""
        ...

    def listed(self, object_: str, days: Days, *, rows: int) -> Iterator[pa.Table]:
        """Of the rows of these days, by any of the columns, about so many: their key, both moments and the columns that
        are summed, as text. A row may be told twice. After `counted`. Raises Uncountable."""
        ...

    def rows(self, object_: str, keys: Sequence[str]) -> Iterator[Captured]:
        """The rows of these canonical keys: of each an image, or a delete where there is none. Rows that changed after
        the cut are not told; they are `moved` from then on. Raises Uncountable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CountableCut(DerivingCut):
    """One of a source that can only count."""

    counts: Counts
