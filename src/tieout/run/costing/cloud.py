"""The part of the cloud around it: the landing, the workers, the ledger, the scheduler, and the wire between them."""

from __future__ import annotations

from collections.abc import Iterator

from .figure import Pick
from .item import GB, MONTH_DAYS, MONTH_HOURS, Item
from .prices import Prices
from .sizes import DAY_SECONDS
from .volumes import Flow, Volumes

WORKERS_VCPU_MIN = 2.0
"""Two of one vCPU each, so that one may die."""
READS_A_WRITE = 5
COPIES = 3
"""Of what a broker keeps."""


def bill(volumes: Volumes, prices: Prices, pick: Pick) -> Iterator[Item]:
    yield _landing(volumes, prices, pick)
    yield _requests(volumes, prices, pick)
    yield _workers(volumes, prices, pick)
    yield _ledger(prices, pick)
    if volumes.airflow_is_ours:
        usd = MONTH_HOURS * pick(prices.usd["airflow_hour"].figure)
        yield Item("AWS: Airflow", "hours", MONTH_HOURS, usd, "managed, its smallest environment")
    if volumes.brokers is not None:
        yield _brokers(volumes, prices, pick)
    yield _network(volumes, prices, pick)
    logs = pick(prices.paces["logs_gb_day"].figure) * MONTH_DAYS
    yield Item("AWS: logs", "GB", logs, logs * pick(prices.usd["logs_gb"].figure), "what workers and tasks write")


def raw_gb_a_day(volumes: Volumes, pick: Pick) -> float:
    """As the sources say it."""
    return sum(pick(flow.rows_per_day) * flow.row_bytes(pick) for flow in volumes.flows) / GB


def _landed(flow: Flow, months: int, pick: Pick, compression: float) -> float:
    days = min(months * MONTH_DAYS, flow.landed_days)
    rows = pick(flow.rows_now) + pick(flow.rows_per_day) * days
    return rows * flow.row_bytes(pick) / compression / GB


def _landing(volumes: Volumes, prices: Prices, pick: Pick) -> Item:
    compression = pick(prices.paces["compression"].figure)
    kept = sum(_landed(flow, volumes.months, pick, compression) for flow in volumes.flows)
    how = f"sealed batches in month {volumes.months}, {compression:g} raw bytes to one"
    return Item("AWS: landing", "GB", kept, kept * pick(prices.usd["s3_gb_month"].figure), how)


def _requests(volumes: Volumes, prices: Prices, pick: Pick) -> Item:
    batches = sum(
        min(flow.tables * DAY_SECONDS / flow.merge_seconds, pick(flow.rows_per_day)) for flow in volumes.flows
    )
    writes = batches * MONTH_DAYS * pick(prices.paces["calls_batch"].figure)
    usd = writes / 1_000 * pick(prices.usd["s3_put_thousand"].figure)
    usd += writes * READS_A_WRITE / 1_000 * pick(prices.usd["s3_get_thousand"].figure)
    usd += writes * (1 + READS_A_WRITE) / 10_000 * pick(prices.usd["kms_ten_thousand"].figure)
    how = f"{batches:,.0f} batches a day; writes, {READS_A_WRITE} reads each, a key for each"
    return Item("AWS: requests", "writes", writes, usd, how)


def _workers(volumes: Volumes, prices: Prices, pick: Pick) -> Item:
    rows = sum(pick(flow.rows_per_day) for flow in volumes.flows) / DAY_SECONDS
    peak = pick(volumes.peak)
    vcpu = max(WORKERS_VCPU_MIN, rows * peak / pick(prices.paces["worker_rows_second"].figure))
    gb = vcpu * pick(prices.paces["worker_gb"].figure)
    hourly = vcpu * pick(prices.usd["worker_vcpu_hour"].figure) + gb * pick(prices.usd["worker_gb_hour"].figure)
    how = f"{rows:,.0f} rows a second, {peak:g} times that at the peak, never asleep: {vcpu:.1f} vCPU, {gb:.0f} GB"
    return Item("AWS: workers", "vCPU hours", vcpu * MONTH_HOURS, hourly * MONTH_HOURS, how)


def _ledger(prices: Prices, pick: Pick) -> Item:
    usd = MONTH_HOURS * pick(prices.usd["ledger_hour"].figure)
    usd += pick(prices.paces["ledger_gb"].figure) * pick(prices.usd["ledger_gb_month"].figure)
    return Item("AWS: ledger", "hours", MONTH_HOURS, usd, "PostgreSQL, managed")


def _brokers(volumes: Volumes, prices: Prices, pick: Pick) -> Item:
    assert volumes.brokers is not None, "asked for only where there are some"
    number = pick(volumes.brokers.number)
    kept = raw_gb_a_day(volumes, pick) * volumes.brokers.kept_hours / 24 * COPIES
    usd = number * MONTH_HOURS * pick(prices.usd["broker_hour"].figure) + kept * pick(
        prices.usd["broker_gb_month"].figure
    )
    how = f"{number:g} brokers, and {kept:,.0f} GB kept for {volumes.brokers.kept_hours:g} h in {COPIES} copies"
    return Item("AWS: Kafka", "broker hours", number * MONTH_HOURS, usd, how)


def _network(volumes: Volumes, prices: Prices, pick: Pick) -> Item:
    raw = raw_gb_a_day(volumes, pick) * MONTH_DAYS
    way = "network_gb" if volumes.brokers is None else "intake_gb"
    between = raw * pick(volumes.zones)
    usd = MONTH_HOURS * pick(prices.usd["network_hour"].figure) + raw * pick(prices.usd[way].figure)
    usd += between * pick(prices.usd["zone_gb"].figure)
    door = "gateways" if volumes.brokers is None else "load balancers"
    return Item("AWS: network", "GB", raw, usd, f"in through {door}; {between:,.0f} GB between zones")
