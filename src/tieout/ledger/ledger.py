"""The promise of a ledger: an append-only book of facts, and leases with fences. What is not in it did not happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..base.cursor import Cursor, Progress
from .facts import Fact


@dataclass(frozen=True, slots=True)
class Holder:
    """A process, told apart from every other: the machine since its last boot, the pid, and when that pid began."""

    machine: str
    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work a lane until `expires`, by its holder's clock. `fence` is greater than that of every lease of
    the lane before."""

    lane: str
    holder: Holder
    fence: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class LeaseHeld:
    """Guard: nobody has taken the lane over since."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class CursorAt:
    """Guard: the track's cursor is still the one we read from. None: the track has none yet."""

    lane: str
    track: str
    cursor: Cursor | None


Guard = LeaseHeld | CursorAt


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact in the book: `seq` counts from 1 without holes, `at` is the ledger's clock."""

    seq: int
    at: datetime
    fact: Fact


@dataclass(frozen=True, slots=True)
class Passage:
    """A batch's way, by the ledger's clock: when it stood in the book that it landed, when that it is merged (so from
    then on at the latest it could be read), and when that its stream was next certified as complete; None: not yet.
    """

    batch: str
    landed_at: datetime
    merged_at: datetime
    certified_at: datetime | None


class Ledger(Protocol):
    def lease(
        self, lane: str, holder: Holder, *, seconds: float, fence_min: int, is_dead: Callable[[Holder], bool]
    ) -> Lease:
        """Take the lane, with a fence of at least `fence_min` and above every fence of the lane before.

        Granted when it is free, expired, already this holder's, or its holder `is_dead`. One of two that ask at once
        gets it. Raises Occupied, saying who holds it.
        """
        ...

    def renew(self, lease: Lease, *, seconds: float) -> Lease:
        """The same lease for longer. Raises Fenced when it was taken over."""
        ...

    def release(self, lease: Lease) -> None:
        """Give it back. Nothing happens when it was taken over."""
        ...

    def append(self, facts: Sequence[Fact], *, given: Iterable[Guard]) -> None:
        """All facts or none, and only if every guard holds in the same transaction. Durable when it returns.

        A batch that has landed (or merged) before is not entered twice: the call skips that fact and enters the rest.
        Raises Fenced when a guard fails, Transient when the book is busy or the disk is full, Broken when FOLLOWS
        forbids a fact.
        """
        ...

    def progress(self, lane: str) -> Progress:
        """Per track, the cursor of its last Advanced."""
        ...

    def landed(self, lane: str | None = None) -> dict[str, str]:
        """Batch -> stream of every Landed (of one lane), in the book's order."""
        ...

    def merged(self, lane: str | None = None) -> dict[str, datetime]:
        """Batch -> when it was first merged, of every Merged (of one lane)."""
        ...

    def entries(
        self, *kinds: type, lane: str | None = None, stream: str | None = None, last: int | None = None
    ) -> Iterator[Entry]:
        """The facts of these kinds in the book's order; with `last`, only the last so many of them."""
        ...

    def passed(self, lane: str, *, before: int | None = None) -> Entry | None:
        """The last Ran of a pass over the lane that came to its bound, among the facts with a number below `before`."""
        ...

    def passages(self, stream: str, *, since: datetime, last: int) -> tuple[Passage, ...]:
        """Of the stream's batches whose Merged was entered at or after `since` the last so many, the newest first. One
        that was adopted is left out: since when it lay there, the book does not know."""
        ...

    def close(self) -> None: ...
