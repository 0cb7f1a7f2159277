"""Snowflake's part of the bill: merging what comes, building what follows, answering, and keeping all of it.

Merges of all streams share one warehouse: it wakes for the most urgent of them, and the others ride along.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp

from .figure import Pick
from .item import GB, MB, MONTH_DAYS, TB, Item
from .prices import Prices
from .sizes import BUSY_MAX, CREDITS_AN_HOUR, DAY_SECONDS, awake_seconds, credits, size_for, stored
from .volumes import Flow, Job, Volumes

SIDE_BY_SIDE = 4
"""Of the time that there is, at least so much is left for the rows: fewer than the eight statements that an XSMALL runs
at once."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a flow asks of a warehouse.

    runs       merges a day
    fixed      seconds of one merge that a greater size does not shorten
    scaled     seconds of one merge on an XSMALL that it does
    rewritten  bytes that one merge rewrites
    latest, history  bytes kept at the month asked for
    """

    runs: float
    fixed: float
    scaled: float
    rewritten: float
    latest: float
    history: float


def load(flow: Flow, months: int, prices: Prices, pick: Pick) -> Load:
    runs, rows = DAY_SECONDS / flow.merge_seconds, pick(flow.rows_per_day)
    updated, hot = pick(flow.updated), pick(flow.hot)
    kept = flow.row_bytes(pick) / pick(prices.paces["compression"].figure)
    days = min(months * MONTH_DAYS, flow.kept_days)
    rows_then = pick(flow.rows_now) + rows * (1 - updated) * days
    latest = rows_then * kept
    rewritten = touched(latest * hot, rows * updated / runs, pick(prices.paces["partition_mb"].figure) * MB)
    looked_up = rows_then * hot * pick(prices.paces["key_bytes"].figure)
    return Load(
        runs=runs,
        fixed=min(flow.tables, rows / runs) * pick(prices.paces["merge_seconds"].figure),
        scaled=rows * kept / runs / (pick(prices.paces["copy_mb_second"].figure) * MB)
        + rows / runs / pick(prices.paces["merge_rows_second"].figure)
        + looked_up / (pick(prices.paces["scan_mb_second"].figure) * MB)
        + rewritten / (pick(prices.paces["rewrite_mb_second"].figure) * MB),
        rewritten=rewritten,
        latest=latest,
        history=(pick(flow.rows_now) + rows * days) * kept if flow.history else 0.0,
    )


def touched(size: float, rows: float, partition: float) -> float:
    """How many bytes a merge rewrites that updates so many rows, spread over a table of this size: each partition in
    which one of them lies, whole."""
    partitions = size / partition
    return size * (1 - exp(-rows / partitions)) if partitions > 0 else 0.0


def bill(volumes: Volumes, prices: Prices, pick: Pick) -> Iterator[Item]:
    loads = [load(flow, volumes.months, prices, pick) for flow in volumes.flows]
    yield _merges(volumes, loads, prices, pick)
    for job in volumes.jobs:
        yield _job(volumes, job, prices, pick)
    if (readers := volumes.readers) is not None:
        hours, clusters = pick(readers.hours), pick(readers.clusters)
        used = credits(readers.size, hours * 3600) * clusters * MONTH_DAYS
        how = f"{readers.size} for {hours:g} h a day, {clusters:g} at once"
        yield _credits(volumes, "Snowflake: readers", used, how, prices, pick)
    yield _kept(volumes, loads, prices, pick)
    yield _first_load(volumes, prices, pick)


def _merges(volumes: Volumes, loads: list[Load], prices: Prices, pick: Pick) -> Item:
    every = min(flow.merge_seconds for flow in volumes.flows)
    cycles, suspend = DAY_SECONDS / every, pick(prices.paces["suspend_seconds"].figure)
    size = _size(loads)
    pace = CREDITS_AN_HOUR[size]
    busy = sum((one.fixed + one.scaled / pace) * one.runs for one in loads) / cycles
    awake = awake_seconds(cycles, busy, suspend)
    how = f"{size}, every {every} s: {busy:.0f} s of work and {suspend:.0f} s of tail; awake {awake / 3600:.1f} h a day"
    return _credits(volumes, "Snowflake: merges", credits(size, awake) * MONTH_DAYS, how, prices, pick)


def _size(loads: list[Load]) -> str:
    """Each flow is merged by a worker of its own, and is done in half of the time until it comes again; where many
    small tables leave no room for that, they are merged side by side. All of them together leave room too."""
    halves = [DAY_SECONDS / one.runs * BUSY_MAX for one in loads]
    rooms = [max(half - one.fixed, half / SIDE_BY_SIDE) for half, one in zip(halves, loads, strict=True)]
    sizes = [size_for(one.scaled, room) for one, room in zip(loads, rooms, strict=True)]
    sizes.append(size_for(sum(one.scaled * one.runs for one in loads), DAY_SECONDS * BUSY_MAX))
    return max(sizes, key=lambda size: CREDITS_AN_HOUR[size])


def _job(volumes: Volumes, job: Job, prices: Prices, pick: Pick) -> Item:
    within, seconds = pick(job.hours) * 3600, pick(job.seconds)
    runs = max(within / job.every_seconds, DAY_SECONDS / max(job.every_seconds, DAY_SECONDS))
    awake = awake_seconds(runs, seconds, pick(prices.paces["suspend_seconds"].figure), within=max(within, seconds))
    how = f"{job.size}, {runs:.3g} times a day, {seconds:g} s each and a tail; awake {awake / 3600:.1f} h a day"
    return _credits(volumes, f"Snowflake: {job.name}", credits(job.size, awake) * MONTH_DAYS, how, prices, pick)


def _credits(volumes: Volumes, what: str, used: float, how: str, prices: Prices, pick: Pick) -> Item:
    price = pick(prices.usd[f"credit_{volumes.edition.replace('-', '_')}"].figure)
    return Item(what, "credits", used, used * price, how)


def _kept(volumes: Volumes, loads: list[Load], prices: Prices, pick: Pick) -> Item:
    latest, history = sum(one.latest for one in loads) / TB, sum(one.history for one in loads) / TB
    churn = sum(one.rewritten * one.runs for one in loads) / TB
    travel, safe = volumes.time_travel_days, volumes.fail_safe_days
    whole = stored(latest + history, churn, time_travel_days=travel, fail_safe_days=safe)
    how = (
        f"in month {volumes.months}: rows {latest:.2f}, history {history:.2f},"
        f" rewritten {churn:.2f} a day and kept {travel + safe} days"
    )
    return Item("Snowflake: storage", "TB", whole, whole * pick(prices.usd["warehouse_tb_month"].figure), how)


def _first_load(volumes: Volumes, prices: Prices, pick: Pick) -> Item:
    seconds = raw = 0.0
    for flow in volumes.flows:
        rows = pick(flow.rows_now)
        raw += rows * flow.row_bytes(pick)
        seconds += rows / pick(prices.paces["merge_rows_second"].figure)
    seconds += raw / pick(prices.paces["compression"].figure) / (pick(prices.paces["copy_mb_second"].figure) * MB)
    how = f"{raw / GB:,.0f} GB as the sources say it; the same on any size"
    made = _credits(volumes, "Snowflake: first load", credits("XSMALL", seconds), how, prices, pick)
    return Item(made.what, made.unit, made.quantity, made.usd, made.how, once=True)
