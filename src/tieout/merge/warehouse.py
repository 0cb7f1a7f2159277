"""The promise of a warehouse: it merges sealed batches into history and current rows, each batch once in effect.

A merge is one transaction that first takes the lane's fence row, then asks its own record of applied batches: so a
writer that was paused and overtaken changes nothing, and a commit whose answer was lost is found, not repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import pyarrow as pa

from ..base.batch import Batch
from ..base.stream import Stream
from ..contract.contract import Contract
from .reading import Reading


class Side(StrEnum):
    """Which tables of a stream: those that users read, or those a rebuild fills beside them."""

    LIVE = "live"
    SHADOW = "shadow"


def table_of(stream: Stream, side: Side) -> str:
    """The name of a stream's tables. No object's name holds a slash, so no shadow is the table of another stream."""
    return stream.table if side is Side.LIVE else f"{stream.table}/shadow"


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to write: a lane and the fence of the lease under which it is worked."""

    lane: str
    fence: int


@dataclass(frozen=True, slots=True)
class CertificateNote:
    """A certificate as a warehouse keeps it: `number` in its stream's chain, `hash` of that link, `report` its JSON."""

    number: int
    hash: str
    certified_at: datetime
    state: str
    report: str


@dataclass(frozen=True, slots=True)
class CheckNote:
    """What one check of a stream came to, in words of `quality/outcome.py`; `checked_at` is one for all of a checkup.
    `measured`: the number that was held against the limit, None where there is none."""

    stream: str
    checked_at: datetime
    name: str
    severity: str
    outcome: str
    measured: float | None
    told: str


class Engine(StrEnum):
    """Whose SQL a warehouse speaks."""

    DUCKDB = "duckdb"
    SNOWFLAKE = "snowflake"


ENGINE_TYPE = b"engine_type"
"""The metadata under which a column that was read bears its engine's word for the type.

Arrow has no 128-bit integer, say."""


class Reader(Protocol):
    @property
    def engine(self) -> Engine: ...

    def query(self, statement: str, parameters: Sequence[Any] = (), *, seconds: float | None = None) -> pa.Table:
        """The rows of one reading statement, its columns with their ENGINE_TYPE. Raises Misconfigured when it writes,
        is not SQL, or has taken `seconds` without an end (None: it may take its time)."""
        ...

    def close(self) -> None: ...


class Warehouse(Reader, Protocol):
    def prepare(self, contract: Contract, side: Side, *, turn: Turn) -> None:
        """The stream's tables exist and have the contract's columns. Idempotent; a transaction of its own, since
        elsewhere DDL commits. Raises Retyped when a column would change its type, Fenced when there is something to do
        and a newer turn has been here."""
        ...

    def applied(self, stream: Stream, side: Side) -> Mapping[str, datetime]:
        """The batches that are in the tables, and when each was merged."""
        ...

    def merge(
        self, contract: Contract, batches: Sequence[Batch], *, turn: Turn, merged_at: Mapping[str, datetime], side: Side
    ) -> None:
        """All of these batches of one stream, in one transaction; those already applied are passed over.

        Any order of batches gives the same tables. `merged_at` is noted for each batch, and decides nothing. Raises
        Fenced when a newer turn has been here, Transient when the store is away.
        """
        ...

    def swap(self, contract: Contract, *, turn: Turn) -> None:
        """The shadow tables become the live ones, in one transaction; the old ones are dropped. Raises Fenced."""
        ...

    def drop(self, stream: Stream, side: Side, *, turn: Turn) -> None:
        """Removes the tables and records of one side: what a rebuild that was cut short has left. Raises Fenced."""
        ...

    def fence_of(self, lane: str) -> int:
        """The greatest fence that ever wrote for this lane, 0 at first."""
        ...

    def reading(self, contract: Contract, side: Side = Side.LIVE) -> Reading:
        """What it says of a stream. Nothing is asked yet."""
        ...

    def note_certificates(self, stream: Stream, notes: Sequence[CertificateNote], *, turn: Turn) -> None:
        """Keeps what comparisons with the source came to, each once. Raises Fenced."""
        ...

    def is_noted(self, stream: Stream, hash_: str) -> bool:
        """Whether it keeps this certificate, and has the stream's tables since: with a swap it forgets all of it."""
        ...

    def note_checks(self, notes: Sequence[CheckNote]) -> None:
        """Keeps what checks came to; those of a stream and moment that it has are passed over. Takes no turn, as they
        decide nothing, and may be called while another thread merges."""
        ...

    def answers(self) -> bool:
        """Whether it is of use as it was opened; if not, it is opened anew."""
        ...
