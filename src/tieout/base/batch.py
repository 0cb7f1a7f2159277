"""A batch: a sealed run of one stream's changes, named by the hash of its bytes, with a footer that vouches for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from .codec import canonical_json
from .cursor import Cursor
from .errors import Broken
from .stream import Stream

FORMAT = 1
_LANE = 2**64


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of changes, and the sum of their ids: two 64-bit lanes, each mod 2^64.

    Counts alone can cancel (one lost, one extra); the sum of hashes cannot, but with probability 2^-128. A sum, not
    XOR: a row counted twice would leave XOR as it was.
    """

    count: int = 0
    high: int = 0
    low: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.count + other.count, (self.high + other.high) % _LANE, (self.low + other.low) % _LANE)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.count - other.count, (self.high - other.high) % _LANE, (self.low - other.low) % _LANE)

    @property
    def checksum(self) -> str:
        """32 hex digits."""
        return f"{self.high:016x}{self.low:016x}"

    def to_json(self) -> dict[str, Any]:
        return {"count": self.count, "checksum": self.checksum}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tally:
        checksum = str(value["checksum"])
        return cls(int(value["count"]), int(checksum[:16], 16), int(checksum[16:], 16))


@dataclass(frozen=True, slots=True)
class Span:
    """Of one capture: the track it read and from where to where. `before` is None at a track's beginning."""

    lane: str
    track: str
    before: Cursor | None
    after: Cursor
    siblings: tuple[str, ...]
    """The objects of every batch of this capture, sorted. The span is proven only when all of them are sealed."""

    def __post_init__(self) -> None:
        if self.after.track != self.track or (self.before is not None and self.before.track != self.track):
            raise Broken(f"{self.lane}: a span of track {self.track} has a cursor of another track")
        if self.before is not None and self.before.position > self.after.position:
            raise Broken(f"{self.lane}/{self.track}: a span runs backwards")


@dataclass(frozen=True, slots=True)
class Footer:
    """What a batch says of itself; it lies inside the file, under the hash.

    received      all its rows, faulty ones too
    keyless       how many of them speak of a key that cannot be read: while there are any, no sweep may delete
    positions     least and greatest position in it, None when no row has one
    contract      sha-256 of the contract it was judged by
    captured_at   when it was sealed, by our clock; for people, never for order
    encoding      how `_extra` holds what the contract did not know: "json" as the source's own JSON, otherwise as text
    """

    stream: Stream
    span: Span
    received: Tally
    keyless: int
    positions: tuple[int, int] | None
    contract: str
    captured_at: datetime
    encoding: str = "json"

    def to_json(self) -> str:
        return canonical_json(
            {
                "format": FORMAT,
                "stream": str(self.stream),
                "lane": self.span.lane,
                "track": self.span.track,
                "before": self.span.before.to_json() if self.span.before else None,
                "after": self.span.after.to_json(),
                "siblings": list(self.span.siblings),
                "received": self.received.to_json(),
                "keyless": self.keyless,
                "positions": list(self.positions) if self.positions else None,
                "contract": self.contract,
                "captured_at": self.captured_at.isoformat(),
                "encoding": self.encoding,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Footer:
        value = json.loads(text)
        if value.get("format") != FORMAT:
            raise Broken(
                f"a batch has format {value.get('format')}, this tieout reads format {FORMAT}.",
                hint="Run the version of tieout that wrote it, or a newer one.",
            )
        return cls(
            stream=Stream.parse(value["stream"]),
            span=Span(
                lane=value["lane"],
                track=value["track"],
                before=Cursor.from_json(value["before"]) if value["before"] else None,
                after=Cursor.from_json(value["after"]),
                siblings=tuple(value["siblings"]),
            ),
            received=Tally.from_json(value["received"]),
            keyless=int(value["keyless"]),
            positions=tuple(value["positions"]) if value["positions"] else None,
            contract=value["contract"],
            captured_at=datetime.fromisoformat(value["captured_at"]),
            encoding=value.get("encoding", "json"),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """A sealed batch, opened and verified: `name` is the SHA-256 of its file."""

    name: str
    footer: Footer
    changes: pa.Table
