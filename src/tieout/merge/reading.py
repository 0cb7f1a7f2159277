"""The promise of a reading: what a warehouse says of one stream, as it stands at the moment of each question.

Whoever works a lane asks through it: what is open, what waits in quarantine, what the books say.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..base.batch import Tally
from ..base.types import Column


@dataclass(frozen=True, slots=True)
class Obligation:
    """A key whose value is not known for certain; `key` None is the whole object."""

    key: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds from the source's event to the merged row, and the newest event that is in; None before the first."""

    p50_seconds: float | None
    p95_seconds: float | None
    newest_event: datetime | None


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Seconds, and how many events (`of`) they were measured of; None where there was none."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    of: int = 0


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long events took from stage to stage, each of them counted once.

    events     all that were looked at; a stage that was measured of fewer says so
    ahead      how many of them the source calls younger than their own landing: its clock stands before ours, so that
               nothing was measured from it on; `ahead_seconds` is by how much at most
    landed     from when the source says that it happened to when it stood in the ledger that its batch landed
    merged     from then to when it stood there that the batch is merged, so that it could be read
    readable   both of them together
    certified  from then to the next certificate of the stream that was complete; of events that have one
    within     of those measured until readable, how many were so within the time that was asked for
    """

    events: int = 0
    ahead: int = 0
    ahead_seconds: float | None = None
    landed: Quantiles = Quantiles()
    merged: Quantiles = Quantiles()
    readable: Quantiles = Quantiles()
    certified: Quantiles = Quantiles()
    within: int = 0


@dataclass(frozen=True, slots=True)
class OpenSince:
    """What is open for one reason: how many, the batches that made the first of it so, and of how many of them nobody
    knows which batch it was."""

    reason: str
    count: int
    batches: tuple[str, ...]
    undated: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row in quarantine as a change: what of it could be read, and its bytes."""

    cid: str
    key: str | None
    kind: str
    order: str | None
    observed_at: datetime | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Keyless:
    """What waits in quarantine under one reason without a key, and no later sweep has overtaken: how many rows, and the
    newest order token among those that are sweeps."""

    reason: str
    count: int
    sweep: str | None


@dataclass(frozen=True, slots=True)
class Limit:
    """Columns compared with values, of several the first counts first: `sign` is one of `<`, `<=`, `>=` and `>`."""

    columns: tuple[Column, ...]
    sign: str
    values: tuple[str, ...]


class Reading(Protocol):
    """Needs the stream's tables: a warehouse that has not prepared them answers with Misconfigured."""

    def state_hash(self) -> str:
        """Of all registers of all rows, 32 hex digits. Equal states of one warehouse have equal hashes, whatever way
        they came about."""
        ...

    def obligations(self, *, limit: int) -> tuple[int, tuple[Obligation, ...]]:
        """How many are open, and the first of them."""
        ...

    def open_keys(self, reasons: Collection[str], *, after: str, limit: int) -> tuple[str, ...]:
        """The keys that are open for one of these reasons, in their order, behind `after`."""
        ...

    def posted(self) -> tuple[dict[str, Tally], frozenset[str]]:
        """Per account, the rows of all merged batches, and which batches those are: both of one moment."""
        ...

    def quarantined_in(self, batches: Sequence[str]) -> int:
        """How many rows of these batches went to quarantine when they were merged."""
        ...

    def superseded(self) -> int:
        """Accepted changes that no register holds any more."""
        ...

    def ambiguous(self) -> int:
        """Accepted changes that stand at the very place of another one of their key: decided by content."""
        ...

    def live_rows(self) -> int: ...

    def freshness(self) -> Freshness: ...

    def quarantine_page(self, ids: Sequence[str], *, after: str, limit: int) -> tuple[SetAside, ...]:
        """What waits there under these ids (all, when none is given), in the order of ids, behind `after`."""
        ...

    def keyless(self, ids: Sequence[str] = ()) -> tuple[Keyless, ...]:
        """What of these (of all, when none is named) waits there without a key, overtaken by no later sweep."""
        ...

    def overtaken(self, ids: Sequence[str] = (), *, by: str = "") -> tuple[str, ...]:
        """Of the same the ids of the others: a later sweep, or whatever has the floor `by`, has told all that they may
        have been about."""
        ...

    def discarded(self, *, but: str) -> dict[str, str]:
        """The keys of which a change was discarded that nothing here has outdone since, and why, but those for this
        reason."""
        ...

    def unmentioned(self, limits: Sequence[Limit], *, floor: str, after: str, limit: int) -> tuple[str, ...]:
        """The keys, in their order behind `after`, that are alive within the limits and of which nothing was said at or
        behind `floor` that would tell their life. A value that is none of its column's type limits nothing."""
        ...
