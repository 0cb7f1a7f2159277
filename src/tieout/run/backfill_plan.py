"""Planning a backfill: what a wish comes to in rows, bytes, time and tables, before a row is read; then asking for it.

A wish is text as people type it; the source says what it means.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from ..base.errors import Misconfigured
from ..base.range import Range
from ..base.stream import Stream
from ..base.types import Described
from ..capture.source import ReadsRanges
from ..ledger.facts import Asked
from .backfill import Backfill, found, range_json, rate
from .backfill_work import ORDERED_ALIKE, unable
from .house import House
from .pace import BYTES_MAX, CHUNK_SECONDS, ROWS_MAX, SHARE_BESIDE_LIVE

ROWS_UNASKED = 100_000
"""A backfill of more rows is agreed to first."""
RATE_UNKNOWN = 20_000.0
"""Rows a second while no chunk was ever timed: a small machine, an ordinary table."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A range as it was typed: keys as one value, values between commas, or a JSON array."""

    first: str | None = None
    last: str | None = None
    column: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """rows and bytes by the source's own statistics; `rate` in rows a second, measured on earlier chunks or assumed."""

    stream: Stream
    range: Range
    rows: int
    bytes: int
    rate: float
    is_measured: bool

    @property
    def seconds(self) -> float:
        """With no live traffic beside it."""
        return self.rows / self.rate

    @property
    def seconds_beside_live(self) -> float:
        return self.seconds / SHARE_BESIDE_LIVE

    @property
    def chunks(self) -> int:
        """By whichever bound of a chunk is met first."""
        by_rows, by_bytes, by_time = self.rows / ROWS_MAX, self.bytes / BYTES_MAX, self.seconds / CHUNK_SECONDS
        return max(1, math.ceil(max(by_rows, by_bytes, by_time)))

    @property
    def tables(self) -> tuple[str, str]:
        """Those in which rows may change."""
        return (f"raw.{self.stream.table}", f"latest.{self.stream.table}")

    @property
    def is_large(self) -> bool:
        return self.rows > ROWS_UNASKED

    def to_json(self) -> dict[str, Any]:
        return {
            "stream": str(self.stream),
            "range": range_json(self.range),
            "rows": self.rows,
            "bytes": self.bytes,
            "chunks": self.chunks,
            "minutes": round(self.seconds / 60, 4),
            "minutes_beside_live": round(self.seconds_beside_live / 60, 4),
            "rows_per_second": round(self.rate),
            "measured": self.is_measured,
            "tables": list(self.tables),
        }


def plan(house: House, stream: Stream, wish: Wish) -> Plan:
    """What it would be. Reads no row. Raises Misconfigured for what cannot be, Transient when the source is away."""
    (lane,) = house.lanes(stream)
    source = house.source(lane)
    try:
        if not isinstance(source, ReadsRanges):
            raise unable(lane)
        range_ = source.understood(stream.object, _range(_described(stream, source.describe()), wish))
        expected = source.estimate(stream.object, range_)
    finally:
        source.close()
    measured = rate(house.tools.ledger, stream)
    return Plan(stream, range_, expected.rows, expected.bytes, measured or RATE_UNKNOWN, measured is not None)


def ask(house: House, stream: Stream, wish: Wish, *, may: Callable[[Plan], bool]) -> Backfill:
    """Enters the wish into the ledger, for whoever works the lane. A large one only if `may`. Raises as `plan` does."""
    planned = plan(house, stream, wish)
    if planned.is_large and not may(planned):
        raise Misconfigured(
            f"this backfill would read about {planned.rows:,} rows.", hint="Agree to it, or pass --yes."
        )
    id_, ledger = uuid4().hex[:8], house.tools.ledger
    ledger.append([Asked(stream.source, str(stream), id_, planned.range.text, planned.rows)], given=[])
    return found(ledger, [stream.source], id_)


def _described(stream: Stream, known: tuple[Described, ...]) -> Described:
    for one in known:
        if one.object == stream.object:
            return one
    names = ", ".join(f"{stream.source}.{one.object}" for one in known)
    raise Misconfigured(f"source {stream.source} has no stream {stream}.", hint=f"It has: {names}.")


def _range(described: Described, wish: Wish) -> Range:
    column = next((one for one in described.columns if one.name == wish.column), None)
    if column is not None and column.type.kind not in ORDERED_ALIKE:
        raise Misconfigured(
            f"{column.name} is of type {column.physical or column.type}, of which no window is made.",
            hint="Choose a column of numbers, dates or moments.",
        )
    first, last = (_key(described, text) for text in (wish.first, wish.last))
    return Range(first, last, wish.column, wish.since, wish.until)


def _key(described: Described, text: str | None) -> tuple[str, ...]:
    """The values of a key, or the first few of them."""
    if text is None:
        return ()
    values = _values(text, several=len(described.key) > 1)
    if not 1 <= len(values) <= len(described.key):
        raise Misconfigured(
            f"{text!r} is no key of {described.object}: it has {len(values)} values.",
            hint=f"The key is {', '.join(described.key)}; write values between commas, or a JSON array.",
        )
    return values


def _values(text: str, *, several: bool) -> tuple[str, ...]:
    if text.startswith("["):
        try:
            told = json.loads(text, parse_float=str, parse_int=str)
        except ValueError:
            told = None
        if isinstance(told, list) and all(isinstance(one, str) for one in told):
            return tuple(told)
    return tuple(text.split(",")) if several else (text,)
