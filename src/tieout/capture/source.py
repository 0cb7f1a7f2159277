"""The promise of a source: it tells what happened, as changes, and can be asked again from where we stand.

A source lane is read by one worker at a time, under a lease. Whatever it yields may be yielded again, by this or
another process; nothing that it has not yielded is ever acknowledged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from ..base.cursor import Cursor, Progress
from ..base.errors import TieoutError
from ..base.finding import Checked
from ..base.order import Order
from ..base.range import Range
from ..base.types import Described


@dataclass(frozen=True, slots=True)
class Captured:
    """What was read between two cursors of one track: per object, a table of the shape `change.CAPTURED`.

    `epoch` is the source's incarnation for all of its rows. `encoding` says how the source's columns stand in the
    tables: "native" as Arrow values, "text" as PostgreSQL's text form, "json" as JSON text.
    """

    before: Cursor | None
    after: Cursor
    epoch: int
    encoding: str
    tables: Mapping[str, pa.Table]
    at_one_moment: bool = False
    """Whether all rows are reads of the source as it stood at one position, where a key has one row however often it
    is read: then the position orders them, and their content need not."""
    since: int = 0
    """The position of the track behind which the read began of which this is a part: what was told up to there is no
    matter of a sweep that ends this read."""


def unbothered() -> None:
    """For those who can wait for ever."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Up to where a capture shall read: taken from the source *before* the read, in the source's own terms."""

    position: int
    state: str = "{}"


@dataclass(frozen=True, slots=True)
class Cut:
    """The source at one moment, told anew.

    bound    reading up to here brings us to the same moment
    tell     everything the source has of some of these objects: rows that are the state itself (one image of class
             read a key), or, from a source that `Retells`, all changes, to be folded
    unable   why a part of it can no longer be told, one sentence each; empty: it is the whole truth
    epoch    the source's incarnation at this moment
    by_content  objects whose rows have no key at the source, and another one each time they are told
    """

    bound: Bound
    tell: Callable[[Collection[str]], Iterator[Captured]]
    unable: tuple[str, ...] = ()
    epoch: int = 0
    by_content: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingCut(Cut):
    """One of a source that cannot show its past: rows that change while they are told are told no more.

    moved  of an object that was told: the keys (values of its key, of which it has one column) that changed after the
           cut, of which nothing can be said as of it
    """

    moved: Callable[[str], Collection[str]]


class Source(Protocol):
    @property
    def lane(self) -> str:
        """The source's name in tieout.yaml."""
        ...

    @property
    def rereads(self) -> bool:
        """Whether `reread` works: whether the source can be asked for the present row of a key."""
        ...

    def describe(self, *, anew: bool = False) -> tuple[Described, ...]:
        """The objects there are, by the source's own catalogue (or by what it has shown so far). With `anew` a
        catalogue that was asked before is asked again, where nobody waits for it. Raises Transient, Misconfigured."""
        ...

    def bound(self) -> Bound:
        """Where the source stands now. A capture up to it drains all that was committed before this call."""
        ...

    def capture(
        self, progress: Progress, *, until: Bound, meanwhile: Callable[[], None] = unbothered
    ) -> Iterator[Captured]:
        """What is not covered by `progress`, up to `until`, in pieces that fit in memory.

        Work that yields nothing may take long: every few seconds of it `meanwhile` is called, which may raise.

        Each piece begins where the piece of its track before it ended. The consumer registers a piece before it asks
        for the next one. Ends by itself. Raises Transient when the source goes away: what was yielded stands.
        """
        ...

    def acknowledge(self, cursor: Cursor) -> None:
        """All up to `cursor` is registered: the source may forget it. Idempotent; may be lost."""
        ...

    def reread(self, objects: Mapping[str, tuple[str, ...]]) -> AbstractContextManager[Iterator[Captured]]:
        """Reads anew, at one watermark, the keys of each object (canonical keys): an image for each that is there, a
        delete for each that is not, both of class read. Only where `rereads`; nothing of objects whose keys the source
        does not know."""
        ...

    def cut(self, objects: tuple[str, ...]) -> AbstractContextManager[Cut]:
        """The source at one moment, for the certificate. What it tells is only valid within the context."""
        ...

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class Remark:
    """What whoever runs the source should know though nothing failed, in one sentence, and what would mend it."""

    text: str
    hint: str


@runtime_checkable
class Remarks(Protocol):
    """A source that can go on though not all that was asked for can be captured."""

    def remarks(self) -> tuple[Remark, ...]:
        """What is left out of what was asked for, as of the last capture."""
        ...


@runtime_checkable
class Vouches(Protocol):
    """A source that proves each object by itself, and later than it is read: for what it has told up to now it can
    vouch as of some moment before."""

    def vouched(self) -> Mapping[str, datetime]:
        """By object: all that the source had of it at this moment was told, and is registered. Objects of which that
        cannot be said of any moment are left out. As of the last capture, whether it came to its end or not."""
        ...


@runtime_checkable
class ReadsOn(Protocol):
    """A source of which a capture may end while full reads are under way, so that others have their turn."""

    @property
    def unfinished(self) -> bool:
        """Whether the last capture left something that is due: capturing again goes on with it."""
        ...


@runtime_checkable
class Offers(Protocol):
    """A source of which columns hold values that somebody chooses among."""

    def offered(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """By object and column, the values that may be chosen, as the source was last described. Asks nobody."""
        ...


@runtime_checkable
class FallsShort(Protocol):
    """A source that goes on with the rest where a part of it cannot be read."""

    @property
    def shortfall(self) -> TieoutError | None:
        """Why the last capture left something undone, of several reasons the first; None where it did not. What it told
        stands, and the source need not be opened anew."""
        ...


@runtime_checkable
class Budgeted(Protocol):
    """A source that takes only so many calls, of all who ask it."""

    def budget(self) -> Mapping[str, Any]:
        """How many of how many are made, what of it is ours, and what may go on: JSON."""
        ...


@runtime_checkable
class ReadsBehind(Protocol):
    """A source whose reads are certain to have seen only what is older than a while."""

    def sees(self, object_: str) -> int:
        """A position up to which a read of this object that begins now is certain to see everything. Asks nobody."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A row that was set aside: its bytes and kind, its place in the order if that was readable, when it happened."""

    raw: bytes
    kind: str
    order: Order | None
    observed_at: datetime | None


@runtime_checkable
class Retells(Protocol):
    """A source that knows no present state, but keeps all it ever said and can say it again."""

    def apart(self, cursors: Iterable[Cursor], others: Iterable[Cursor]) -> tuple[Cursor, ...]:
        """Of `cursors` those that speak of content of which none of `others` speaks."""
        ...

    def recapture(self, object_: str, kept: Sequence[Kept]) -> Captured:
        """Rows that had a fault, decoded anew from their bytes: a row for each of `kept`, in its order, at the place in
        the source's order where it stood. One that cannot be told to be a change of this object has a fault again."""
        ...


class SourceCheckup(Checked, Protocol):
    """Looks at what a source needs before and while it is read. Apart from the source itself, as it needs no stores."""

    def setup_sql(self) -> str:
        """The statements by which an administrator makes all that the source needs; "" where there is nothing to make.
        Raises Misconfigured when the settings leave open for whom."""
        ...


@runtime_checkable
class ReadsAnew(Protocol):
    """A source that reads an object whole by itself, ends that with a sweep, and can be told to do so once more."""

    def anew(self, object_: str, progress: Progress) -> Captured | None:
        """What is to be registered so that the next capture reads the object from its beginning; it says nothing of any
        key. None where the object is still being read, or will be, as that is the reading that was asked for; and where
        it is read no longer."""
        ...


Place = tuple[tuple[str, str], ...]
"""How far the reading of a range has come: columns and their values there, in the order of the reading."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the source thinks a range holds, without reading it."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next rows of a range: images of class read, at a watermark of their own.

    reached    where this chunk ends, to go on behind it; None: the range is at its end
    watermark  the order of its rows: it knows all that the source had ordered before
    """

    captured: Captured
    reached: Place | None
    watermark: Order


@runtime_checkable
class ReadsRanges(Protocol):
    """A source that can be asked for some of its rows, in the order of their keys."""

    def understood(self, object_: str, wish: Range) -> Range:
        """The same range in the values that the source would write. Raises Misconfigured when it knows no such."""
        ...

    def estimate(self, object_: str, range_: Range) -> Estimate:
        """How much that is, by the source's own statistics. Reads none of it."""
        ...

    def chunk(self, object_: str, range_: Range, *, behind: Place | None, rows_max: int) -> Chunk:
        """What comes next of the range, from its beginning or `behind` a place, after looking at `rows_max` rows at
        most. Raises Transient when the source cannot say at once what its reading has seen."""
        ...

    def within(self, object_: str, range_: Range, keys: Sequence[str]) -> tuple[str, ...]:
        """Of these canonical keys those that the range's `first` and `last` admit, by the source's own order."""
        ...
