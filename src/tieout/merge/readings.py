"""What the tables say of a stream: its state's hash, its books, its open obligations, its freshness.

Readings only: every figure is computed from the tables when it is asked for, by whoever may read them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ..base.batch import Tally
from ..base.order import MOMENT_WIDTH, PLACE_WIDTH
from ..base.sql import Sql, Statements, literal, name
from ..contract.contract import Contract
from ..ledger.ledger import Passage
from .columns import BASE, LIFE, Shapes, shape
from .reading import Freshness, Keyless, Latencies, Limit, Obligation, OpenSince, Quantiles, SetAside
from .warehouse import Reader, Side, table_of

_SQL = Statements(__package__, "readings.sql")
_STAGES = (Sql("to_landed"), Sql("to_merged"), Sql("to_readable"), Sql("to_certified"))


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that could not be read: why, where it came from, its bytes and its key where that was readable. `since`:
    when it was set aside."""

    reason: str
    where: str
    raw: bytes
    key: str | None
    cid: str
    batch: str
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """A row that has left quarantine: `how` is "released" or "discarded", `reason` "" where none was said, `who` None
    where nobody was named: a run did it."""

    row: Quarantined
    how: str
    reason: str
    who: str | None
    at: datetime | None


class StreamReading:
    """Implements `Reading` by SQL, through any `Reader`; and what only people ask for. The statements are DuckDB's; an
    engine that says it otherwise gives its own, and how it binds and answers."""

    statements = _SQL

    def __init__(self, reader: Reader, contract: Contract, side: Side = Side.LIVE) -> None:
        self._reader = reader
        self._stream = contract.stream
        self._columns = [column.name for column in contract.columns]
        self._fields = [column.name for column in contract.fields]
        self._parts = self.parts_of(contract, side)

    @staticmethod
    def parts_of(contract: Contract, side: Side) -> dict[str, object]:
        return _parts(contract, side)

    def exists(self) -> bool:
        """Whether the stream has tables yet. The other readings need them."""
        return bool(self._there)

    def lacking(self) -> tuple[str, ...]:
        """The contract's columns that the tables have yet to gain. The other readings need them too."""
        return tuple(name for name in self._columns if name.lower() not in self._there)

    @cached_property
    def _there(self) -> frozenset[str]:
        """The columns that the tables have, asked for once."""
        return frozenset(row["name"].lower() for row in self._rows("columns_of", self._stream.table))

    def state_hash(self) -> str:
        """Of all registers of all rows, 32 hex digits. Equal states have equal hashes, whatever way they came about."""
        row = self._rows("state_hash")[0]
        return f"{int(row['high']):016x}{int(row['low']):016x}"

    def obligations(self, *, limit: int) -> tuple[int, tuple[Obligation, ...]]:
        """How many are open, and the first of them."""
        open_ = self.statements("open", **self._parts)
        rows = self._rows("obligations", str(self._stream), self._fields, limit=limit, open=open_)
        total = int(rows[0]["total"]) if rows else 0
        return total, tuple(Obligation(row["_key"], row["reason"]) for row in rows)

    def open_keys(self, reasons: Collection[str], *, after: str, limit: int) -> tuple[str, ...]:
        """The keys that are open for one of these reasons, in their order, behind `after`."""
        open_, asked = self.statements("open", **self._parts), [str(self._stream), self._fields, after, sorted(reasons)]
        return tuple(row["_key"] for row in self._rows("open_keys", *asked, limit=limit, open=open_))

    def accounts(self) -> dict[str, Tally]:
        """Per account, the rows of all merged batches."""
        rows = self._rows("books", str(self._stream))
        return {row["account"]: Tally(row["count"], row["high"], row["low"]) for row in rows}

    def posted(self) -> tuple[dict[str, Tally], frozenset[str]]:
        """Per account, the rows of all merged batches, and which batches those are: both of one moment."""
        rows = self._rows("posted", str(self._stream))
        accounts = {
            row["account"]: Tally(row["count"], row["high"], row["low"]) for row in rows if row["account"] is not None
        }
        return accounts, frozenset(batch for row in rows for batch in row["batches"] or ())

    def quarantined_in(self, batches: Sequence[str]) -> int:
        """How many rows of these batches went to quarantine when they were merged."""
        return int(self._rows("quarantined_in", str(self._stream), list(batches))[0]["count"])

    def superseded(self) -> int:
        return int(self._rows("superseded", str(self._stream))[0]["count"])

    def ambiguous(self) -> int:
        return int(self._rows("ambiguous")[0]["count"])

    def live_rows(self) -> int:
        return int(self._rows("rows")[0]["live"])

    def freshness(self) -> Freshness:
        row = self._rows("freshness", str(self._stream))[0]
        return Freshness(row["p50"], row["p95"], row["newest"])

    def latencies(self, passages: Sequence[Passage], *, within: float | None) -> Latencies:
        """How long the events of these batches took. Of history only the end is read, where their rows stand; all of it
        where they do not, as may be in tables that were made anew or edited."""
        batches = [one.batch for one in passages]
        if not batches:
            return Latencies()
        moments = (
            [one.landed_at.timestamp() for one in passages],
            [one.merged_at.timestamp() for one in passages],
            [None if one.certified_at is None else one.certified_at.timestamp() for one in passages],
        )
        recent = self._rows("recent", str(self._stream), batches)[0]
        row = self._rows("latencies", batches, *moments, within, stages=_STAGES, first_row=recent["first_row"])[0]
        if row["found"] != recent["expected"]:
            row = self._rows("latencies", batches, *moments, within, stages=_STAGES, first_row=0)[0]
        return Latencies(
            events=row["events"],
            ahead=row["ahead"],
            ahead_seconds=row["ahead_seconds"],
            landed=_quantiles(row, "to_landed"),
            merged=_quantiles(row, "to_merged"),
            readable=_quantiles(row, "to_readable"),
            certified=_quantiles(row, "to_certified"),
            within=row["within"],
        )

    def open_since(self) -> tuple[OpenSince, ...]:
        """What is open, by reason, and since which batches."""
        open_ = self.statements("open", **self._parts)
        rows = self._rows("open_since", str(self._stream), self._fields, open=open_)
        return tuple(OpenSince(row["reason"], row["count"], tuple(row["batches"]), row["undated"]) for row in rows)

    def applied(self) -> frozenset[str]:
        return frozenset(row["batch"] for row in self._rows("applied", str(self._stream)))

    def quarantined(self, *, limit: int) -> tuple[Quarantined, ...]:
        return tuple(_quarantined(row) for row in self._rows("quarantine", str(self._stream), limit=limit))

    def quarantined_as(self, id_: str, *, limit: int) -> tuple[Quarantined, ...]:
        """What waits there under an id that begins like this."""
        return tuple(_quarantined(row) for row in self._rows("quarantine_of", str(self._stream), id_, limit=limit))

    def settled(self, id_: str, *, limit: int) -> tuple[Settled, ...]:
        """What has left it, under an id that begins like this, the newest act first."""
        rows = self._rows("quarantine_settled", str(self._stream), id_, limit=limit)
        return tuple(
            Settled(_quarantined(row), row["how"], row["reason"], row["who"], row["settled_at"]) for row in rows
        )

    def quarantine_page(self, ids: Sequence[str], *, after: str, limit: int) -> tuple[SetAside, ...]:
        """What waits there under these ids (all, when none is given), in the order of ids, behind `after`."""
        rows = self._rows("quarantine_page", str(self._stream), after, list(ids), limit=limit)
        return tuple(
            SetAside(row["_cid"], row["_key"], row["_kind"], row["_order"], row["_observed_at"], row["_raw"])
            for row in rows
        )

    def quarantine_reasons(self) -> list[dict[str, Any]]:
        return self._rows("quarantine_reasons", str(self._stream))

    def keyless(self, ids: Sequence[str] = ()) -> tuple[Keyless, ...]:
        """What of these (of all, when none is named) waits there without a key, overtaken by no later sweep."""
        rows = self._rows(
            "standing", str(self._stream), "", list(ids), keyless=self.statements("keyless", **self._parts)
        )
        return tuple(Keyless(row["reason"], row["count"], row["sweep"]) for row in rows)

    def overtaken(self, ids: Sequence[str] = (), *, by: str = "") -> tuple[str, ...]:
        """Of the same the ids of the others: a later sweep, or whatever has the floor `by`, has told all that they may
        have been about."""
        rows = self._rows(
            "overtaken", str(self._stream), by, list(ids), keyless=self.statements("keyless", **self._parts)
        )
        return tuple(row["_cid"] for row in rows)

    def discarded(self, *, but: str) -> dict[str, str]:
        """The keys of which a change was discarded that nothing here has outdone since, and why, but those for this
        reason."""
        return {row["_key"]: row["reason"] for row in self._rows("discarded", str(self._stream), but)}

    def unmentioned(self, limits: Sequence[Limit], *, floor: str, after: str, limit: int) -> tuple[str, ...]:
        """The keys, in their order behind `after`, that are alive within the limits and of which nothing was said at or
        behind `floor` that would tell their life. A value that is none of its column's type limits nothing."""
        values = [value for one in limits for value in one.values]
        placed, conditions = 3, []
        for one in limits:
            conditions.append(self._condition(one, placed))
            placed += len(one.values)
        rows = self._rows("unmentioned", floor, after, *values, conditions=conditions, limit=limit)
        return tuple(row["_key"] for row in rows)

    def _condition(self, limit: Limit, placed: int) -> Sql:
        """That a row is within the limit, whose values are bound from this place on."""
        bounds = [
            _SQL("bound", place=place, type=shape(0, column).type)
            for place, column in enumerate(limit.columns, start=placed)
        ]
        columns = [name(column.name) for column in limit.columns]
        return _SQL("limit", columns=columns, sign=Sql(limit.sign), bounds=bounds)

    def _rows(self, statement: str, *parameters: Any, **parts: object) -> list[dict[str, Any]]:
        used: Sequence[Any] = parameters
        text = self.statements(statement, **self._parts, **parts)
        rows: list[dict[str, Any]] = self._reader.query(text, used).to_pylist()
        return rows


def _quantiles(row: dict[str, Any], stage: str) -> Quantiles:
    p50, p95, p99 = row[stage] or (None, None, None)
    return Quantiles(p50, p95, p99, row[f"of_{stage}"])


def _quarantined(row: dict[str, Any]) -> Quarantined:
    return Quarantined(row["_fault"], row["_where"], row["_raw"], row["_key"], row["_cid"], row["_batch"], row["since"])


def _parts(contract: Contract, side: Side) -> dict[str, object]:
    shapes = Shapes.of(contract)
    table = table_of(contract.stream, side)
    covered = [f"coalesce(_patch[{field.label}] is not null, false)" for field in shapes.required]
    return {
        "side": literal(side.value),
        "raw": name("raw", table),
        "latest": name("latest", table),
        "quarantine": name("quarantine", table),
        "fields": shapes.fields,
        "life": LIFE,
        "base": BASE,
        "is_complete": Sql(" and ".join(covered) or "true"),
        "moment_width": MOMENT_WIDTH,
        "place_width": PLACE_WIDTH,
    }
