"""What waits in quarantine, over all streams: how much, since when, and each row as it was received; and what has left
it, with who wanted that and why."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..base.clock import moment_json
from ..base.errors import Misconfigured
from ..base.stream import Stream
from ..contract.contract import Contract
from ..contract.fault import Failing, failing_of
from ..merge.asked import reading_of
from ..merge.readings import Quarantined, Settled, StreamReading
from ..merge.warehouse import Reader
from .contracts import describes_nothing
from .house import House

_SAME_ID_MAX = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """The rows of one stream that wait for one reason. `oldest`: when the source says the first of them happened;
    `since`: when the first of them was set aside, and `age_seconds` how long ago that was."""

    stream: Stream
    reason: str
    count: int
    oldest: datetime | None
    since: datetime | None
    age_seconds: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "stream": str(self.stream),
            "reason": self.reason,
            "count": self.count,
            "oldest": moment_json(self.oldest),
            "since": moment_json(self.since),
            "age_seconds": self.age_seconds,
        }


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """`failing`: the rule of the contract that it failed, as far as one has; `settled`: how it left, None while it
    waits."""

    stream: Stream
    row: Quarantined
    failing: Failing | None
    settled: Settled | None = None

    def to_json(self) -> dict[str, Any]:
        told = {
            "stream": str(self.stream),
            "id": self.row.cid,
            "key": self.row.key,
            "reason": self.row.reason,
            "failing": None if self.failing is None else self.failing.to_json(),
            "where": self.row.where,
            "since": moment_json(self.row.since),
            "settled": None if self.settled is None else _settled_json(self.settled),
        }
        try:
            return {**told, "raw": self.row.raw.decode()}
        except UnicodeDecodeError:
            return {**told, "raw": base64.b64encode(self.row.raw).decode(), "encoding": "base64"}


def waiting(house: House, reader: Reader, *, only: Stream | None, but: Collection[Stream] = ()) -> list[Waiting]:
    """Counts by stream and reason. `but`: streams that are left out, as their contracts cannot be read."""
    now = house.tools.clock.now()
    return [
        Waiting(contract.stream, row["reason"], row["count"], row["oldest"], row["since"], _age(row["since"], now))
        for contract, reading in _readings(house, reader, only, but)
        for row in reading.quarantine_reasons()
    ]


def waiting_rows(house: House, reader: Reader, *, only: Stream | None, limit: int) -> list[WaitingRow]:
    """The rows themselves, at most `limit` of each stream."""
    return [
        _told(contract, row)
        for contract, reading in _readings(house, reader, only)
        for row in reading.quarantined(limit=limit)
    ]


def settled_rows(house: House, reader: Reader, *, only: Stream | None, limit: int) -> list[WaitingRow]:
    """Those that were released or discarded, the newest act of each stream first, at most `limit` of each."""
    return [
        _told(contract, one.row, one)
        for contract, reading in _readings(house, reader, only)
        for one in reading.settled("", limit=limit)
    ]


def waiting_row(house: House, reader: Reader, id_: str) -> WaitingRow:
    """The row that waits whose id begins with `id_`. Raises Misconfigured when there is none, or more than one."""
    return _only(_waiting_as(house, reader, id_), id_)


def any_row(house: House, reader: Reader, id_: str) -> WaitingRow:
    """The same, or where none waits under it, the one that has left."""
    return _only(_waiting_as(house, reader, id_) or _settled_as(house, reader, id_), id_)


def _waiting_as(house: House, reader: Reader, id_: str) -> list[WaitingRow]:
    return [
        _told(contract, row)
        for contract, reading in _readings(house, reader, None)
        for row in reading.quarantined_as(id_, limit=_SAME_ID_MAX)
    ]


def _settled_as(house: House, reader: Reader, id_: str) -> list[WaitingRow]:
    return [
        _told(contract, one.row, one)
        for contract, reading in _readings(house, reader, None)
        for one in reading.settled(id_, limit=_SAME_ID_MAX)
    ]


def _only(found: Sequence[WaitingRow], id_: str) -> WaitingRow:
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


def _told(contract: Contract, row: Quarantined, settled: Settled | None = None) -> WaitingRow:
    failing = failing_of(row.reason, (column.name for column in contract.columns))
    return WaitingRow(contract.stream, row, failing, settled)


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else max((now - since).total_seconds(), 0.0)


def _settled_json(settled: Settled) -> dict[str, Any]:
    return {"how": settled.how, "reason": settled.reason, "by": settled.who, "at": moment_json(settled.at)}


def _readings(
    house: House, reader: Reader, only: Stream | None, but: Collection[Stream] = ()
) -> Iterator[tuple[Contract, StreamReading]]:
    """Of every stream that has tables. Raises Misconfigured when `only` is unknown."""
    if not house.has_warehouse:
        return
    known = sorted({Stream.parse(text) for text in house.tools.ledger.landed().values()})
    if only is not None and only not in known and only not in house.tools.contracts.written(only.source):
        named = ", ".join(str(stream) for stream in known) or "none yet"
        raise Misconfigured(f"{only} has not landed and has no contract.", hint=f"Known are: {named}.")
    for stream in [stream for stream in known if only in (None, stream) and stream not in but]:
        contract = house.tools.contracts.of(stream, describes_nothing)
        reading = reading_of(reader, contract)
        if reading.exists():
            yield contract, reading
