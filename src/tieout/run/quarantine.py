"""What waits in quarantine, over all streams: how much, since when, and each row as it was received."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..merge.readings import Quarantined, StreamReading
from ..merge.warehouse import Reader
from .contracts import describes_nothing
from .house import House

_SAME_ID_MAX = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """The rows of one stream that wait for one reason. `oldest`: when the source says the first of them happened."""

    stream: Stream
    reason: str
    count: int
    oldest: datetime | None

    def to_json(self) -> dict[str, Any]:
        oldest = None if self.oldest is None else self.oldest.isoformat().replace("+00:00", "Z")
        return {"stream": str(self.stream), "reason": self.reason, "count": self.count, "oldest": oldest}


@dataclass(frozen=True, slots=True)
class WaitingRow:
    stream: Stream
    row: Quarantined

    def to_json(self) -> dict[str, Any]:
        told = {
            "stream": str(self.stream),
            "id": self.row.cid,
            "key": self.row.key,
            "reason": self.row.reason,
            "where": self.row.where,
        }
        try:
            return {**told, "raw": self.row.raw.decode()}
        except UnicodeDecodeError:
            return {**told, "raw": base64.b64encode(self.row.raw).decode(), "encoding": "base64"}


def waiting(house: House, reader: Reader, *, only: Stream | None) -> list[Waiting]:
    """Counts by stream and reason."""
    return [
        Waiting(stream, row["reason"], row["count"], row["oldest"])
        for stream, reading in _readings(house, reader, only)
        for row in reading.quarantine_reasons()
    ]


def waiting_rows(house: House, reader: Reader, *, only: Stream | None, limit: int) -> list[WaitingRow]:
    """The rows themselves, at most `limit` of each stream."""
    return [
        WaitingRow(stream, row)
        for stream, reading in _readings(house, reader, only)
        for row in reading.quarantined(limit=limit)
    ]


def waiting_row(house: House, reader: Reader, id_: str) -> WaitingRow:
    """The row whose id begins with `id_`. Raises Misconfigured when there is none, or more than one."""
    found = [
        WaitingRow(stream, row)
        for stream, reading in _readings(house, reader, None)
        for row in reading.quarantined_as(id_, limit=_SAME_ID_MAX)
    ]
    if len(found) != 1:
        told = "No row" if not found else "More than one row"
        raise Misconfigured(
            f"{told} in quarantine has an id that begins with {id_!r}.",
            hint="`tieout quarantine list --rows` shows the ids.",
        )
    return found[0]


def chosen(house: House, reader: Reader, ids: Sequence[str], *, only: Stream | None) -> dict[Stream, list[str]]:
    """The ids that wait, by their streams; `ids` are their beginnings. Without any, every stream in which a row waits,
    and no ids: all of them are meant. Raises Misconfigured as `waiting_row` does."""
    if not ids:
        return {one.stream: [] for one in waiting(house, reader, only=only)}
    found: dict[Stream, list[str]] = {}
    for id_ in ids:
        row = waiting_row(house, reader, id_)
        found.setdefault(row.stream, []).append(row.row.cid)
    return found


def _readings(house: House, reader: Reader, only: Stream | None) -> Iterator[tuple[Stream, StreamReading]]:
    """Of every stream that has tables. Raises Misconfigured when `only` is unknown."""
    if not house.project.warehouse.exists():
        return
    known = sorted({Stream.parse(text) for text in house.tools.ledger.landed().values()})
    if only is not None and only not in known and only not in house.tools.contracts.written(only.source):
        named = ", ".join(str(stream) for stream in known) or "none yet"
        raise Misconfigured(f"{only} has not landed and has no contract.", hint=f"Known are: {named}.")
    for stream in [stream for stream in known if only in (None, stream)]:
        reading = StreamReading(reader, house.tools.contracts.of(stream, describes_nothing))
        if reading.exists():
            yield stream, reading
