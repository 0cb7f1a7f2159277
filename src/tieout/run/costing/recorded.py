"""Volumes as a project's own ledger has them: how many rows landed on each day, and how soon its contracts want them.

The ledger counts rows, not bytes, and does not tell an update from a new row. So a row's size comes of its contract's
columns, and the share of updates is anything. Marts and readers are not in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from statistics import median

from ...base.errors import Misconfigured
from ...base.stream import Stream
from ...base.types import Kind
from ...contract.contract import Contract
from ...contract.promise import About
from ...ledger.facts import Landed
from ...ledger.ledger import Entry, Ledger
from ..contracts import Contracts, describes_nothing
from .figure import Figure
from .volumes import MERGE_SECONDS_MIN, PEAK, Flow, Volumes

DAYS = 30
"""So far back one looks."""
BATCHES_MAX = 200_000
"""So many batches back, if that is less."""
FRESHNESS_SECONDS = 900
"""Where no contract promises another."""
FOR_EVER_DAYS = 36_500

_ROW_BYTES = (100.0, 300.0, 1000.0)
"""Of a stream whose contract cannot be read."""
_WIDTHS = {
    Kind.BOOLEAN: (1, 4, 5), Kind.INT16: (1, 3, 6), Kind.INT32: (1, 6, 11), Kind.INT64: (1, 10, 20),
    Kind.FLOAT32: (4, 8, 12), Kind.FLOAT64: (4, 10, 18), Kind.DECIMAL: (2, 8, 20), Kind.NUMERIC: (2, 8, 30),
    Kind.DATE: (10, 10, 10), Kind.TIME: (8, 10, 15), Kind.TIMESTAMP: (19, 24, 26), Kind.TIMESTAMPTZ: (20, 26, 32),
    Kind.UUID: (36, 36, 36), Kind.TEXT: (5, 20, 80), Kind.JSON: (20, 200, 2000), Kind.BINARY: (10, 100, 2000),
}  # fmt: skip
"""Bytes of a value as text, by its type: least, likely, most. Assumed."""


def recorded(name: str, ledger: Ledger, contracts: Contracts, *, now: datetime) -> Volumes:
    """Raises Misconfigured where nothing has landed yet."""
    by_stream: dict[str, list[Entry]] = defaultdict(list)
    for entry in ledger.entries(Landed, last=BATCHES_MAX):
        assert isinstance(entry.fact, Landed), "only Landed was asked for"
        # Since when one that was adopted lies there, the book does not know.
        if not entry.fact.adopted:
            by_stream[entry.fact.stream].append(entry)
    if not by_stream:
        raise Misconfigured(
            "the ledger knows of nothing that landed.", hint="Run `tieout run --once` first, or give --volumes FILE."
        )
    flows = tuple(_flow(stream, entries, contracts, now) for stream, entries in sorted(by_stream.items()))
    return Volumes(name, None, "enterprise", 12, flows, airflow_is_ours=True, peak=PEAK)


def _flow(stream: str, entries: list[Entry], contracts: Contracts, now: datetime) -> Flow:
    contract = _contract(Stream.parse(stream), contracts)
    received = float(sum(_count(entry) for entry in entries))
    place = f"streams.{stream}"
    least, likely, most = _daily(entries, now)
    row = _ROW_BYTES if contract is None else _row_bytes(contract)
    return Flow(
        name=stream,
        tables=1,
        rows_per_day=Figure(least, likely, most, f"{place}.rows_per_day"),
        bytes_per_row=Figure(*row, f"{place}.bytes_per_row"),
        bytes_per_day=None,
        rows_now=Figure(0, received, received, f"{place}.rows_now"),
        updated=Figure(0, 0.5, 1, f"{place}.updated"),
        hot=Figure(0.05, 0.2, 1, f"{place}.hot"),
        merge_seconds=max(int(_freshness(contract) // 2), MERGE_SECONDS_MIN),
        landed_days=FOR_EVER_DAYS,
        kept_days=FOR_EVER_DAYS,
    )


def _daily(entries: list[Entry], now: datetime) -> tuple[float, float, float]:
    """Rows of the least day, of the middle one and of the greatest, days without any counted. Today is a part of a day,
    so of a ledger of one day the rows are taken for a day's as they are."""
    by_day: Counter[date] = Counter()
    for entry in entries:
        by_day[entry.at.date()] += _count(entry)
    first = max(min(by_day), (now - timedelta(days=DAYS)).date())
    days = [first + timedelta(days=at) for at in range((now.date() - first).days)] or [first]
    counts = sorted(float(by_day[day]) for day in days)
    return counts[0], float(median(counts)), counts[-1]


def _count(entry: Entry) -> int:
    assert isinstance(entry.fact, Landed), "only Landed was asked for"
    return entry.fact.received.count


def _contract(stream: Stream, contracts: Contracts) -> Contract | None:
    try:
        return contracts.of(stream, describes_nothing)
    except Misconfigured:
        return None


def _row_bytes(contract: Contract) -> tuple[float, float, float]:
    widths = [_WIDTHS[column.type.kind] for column in contract.columns]
    least, likely, most = (float(_sum(widths, at)) for at in range(3))
    return least, likely, most


def _sum(widths: Iterable[tuple[int, int, int]], at: int) -> int:
    return sum(width[at] for width in widths)


def _freshness(contract: Contract | None) -> float:
    promises = [] if contract is None else contract.promises
    return min((one.seconds for one in promises if one.about is About.LATENCY), default=FRESHNESS_SECONDS)
