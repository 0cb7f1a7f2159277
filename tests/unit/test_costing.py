"""The arithmetic of a bill, worked by hand; and the estimate that is made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conformance.ledger_promise import HandClock
from tests.telling import contract_of
from tieout.base.batch import Tally
from tieout.base.errors import Misconfigured
from tieout.base.types import Described
from tieout.contract.odcs import draft
from tieout.ledger.facts import Landed
from tieout.ledger.sqlite import SqliteLedger
from tieout.run.contracts import Contracts
from tieout.run.costing.estimate import Estimate, Verdict, estimate
from tieout.run.costing.figure import Figure, Pick
from tieout.run.costing.prices import Prices, load_prices, shipped
from tieout.run.costing.recorded import recorded
from tieout.run.costing.sizes import CREDITS_AN_HOUR, awake_seconds, credits, size_for, stored
from tieout.run.costing.volumes import Volumes, load_volumes
from tieout.run.costing.warehouse import load, touched

CREDIT_USD = 3.00
MONTH_DAYS = 365 / 12

VOLUMES = """
name: shop
budget_usd: 1000
streams:
  orders: {rows_per_day: 864000, bytes_per_row: 1000, rows_now: 1000000, updated: 0, freshness: 10m, merge_every: 5m}
"""

# Everything known and round, so that a person can do the sum.
KNOWN = """
usd:
  warehouse_tb_month: {figure: 23}
  ledger_hour: {figure: 0.1}
  ledger_gb_month: {figure: 0.2}
  airflow_hour: {figure: 0.5}
  network_hour: {figure: 0.05}
paces:
  merge_seconds: {figure: 17}
  copy_mb_second: {figure: 2}
  merge_rows_second: {figure: 1500}
  compression: {figure: 5}
  worker_rows_second: {figure: 10}
  worker_gb: {figure: 2}
  logs_gb_day: {figure: 1}
  calls_batch: {figure: 10}
  ledger_gb: {figure: 100}
"""


def volumes_of(folder: Path, text: str = VOLUMES) -> Volumes:
    path = folder / "volumes.yaml"
    path.write_text(text, encoding="utf-8")
    return load_volumes(path)


def prices_of(folder: Path, text: str = KNOWN) -> Prices:
    path = folder / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return load_prices(path)


def usd_of(made: Estimate) -> dict[str, float]:
    return {line.what: line.usd.likely for line in (*made.lines, *made.once)}


def test_a_short_job_pays_for_its_idle_tail() -> None:
    """20 s every five minutes with 60 s until it sleeps: 80 s, 288 times, 6.4 hours of an XSMALL."""
    awake = awake_seconds(288, 20, 60)

    assert awake == 80 * 288
    assert credits("XSMALL", awake) == pytest.approx(6.4)
    assert credits("XSMALL", awake) * CREDIT_USD == pytest.approx(19.20)
    assert credits("XSMALL", awake_seconds(96, 20, 60)) == pytest.approx(2.13, abs=0.01)


@pytest.mark.parametrize(
    ("minutes", "a_day", "usd"), [(60, 0.67, 2.00), (15, 2.67, 8.00), (5, 8.0, 24.00), (1, 24.0, 72.00)]
)
def test_the_freshness_ladder(minutes: int, a_day: float, usd: float) -> None:
    """40 s of merge and 60 s of tail; at one minute the warehouse never sleeps."""
    used = credits("XSMALL", awake_seconds(1440 / minutes, 40, 60))

    assert used == pytest.approx(a_day, abs=0.01)
    assert used * CREDIT_USD == pytest.approx(usd, abs=0.01)


def test_every_start_is_billed_as_a_minute_at_least() -> None:
    assert awake_seconds(10, 5, 0) == 600


def test_a_size_up_costs_the_same_where_the_time_halves() -> None:
    assert credits("SMALL", 50) == credits("XSMALL", 100)
    assert list(CREDITS_AN_HOUR.values()) == [2**power for power in range(8)]


def test_the_least_size_that_is_done_in_time() -> None:
    assert [size_for(seconds, 30) for seconds in (0, 30, 31, 61, 10_000_000)] == [
        "XSMALL", "XSMALL", "SMALL", "MEDIUM", "X4LARGE",
    ]  # fmt: skip


def test_what_is_rewritten_is_kept_as_long_as_it_can_be_read() -> None:
    """2 TB rewritten daily, seven days of time travel and seven of fail-safe: 30 TB, 690 USD instead of 46."""
    kept = stored(2, 2, time_travel_days=7, fail_safe_days=7)

    assert (kept, kept * 23, 2 * 23) == (30, 690, 46)
    assert stored(2, 2, time_travel_days=1, fail_safe_days=0) == 4


def test_a_few_updates_rewrite_a_partition_each_and_many_the_whole_table() -> None:
    table, partition = 16e9, 16e6

    assert touched(table, 1, partition) == pytest.approx(partition, rel=0.01)
    assert touched(table, 1e6, partition) == pytest.approx(table)
    assert touched(table, 0, partition) == 0
    assert touched(0, 5, partition) == 0


def test_a_merge_is_its_statements_its_copy_and_its_rows(tmp_path: Path) -> None:
    """3,000 rows of a kilobyte every five minutes: 600 kB to copy at 2 MB/s, 3,000 rows at 1,500 a second."""
    (flow,) = volumes_of(tmp_path).flows

    found = load(flow, 12, prices_of(tmp_path), Pick())

    assert (found.runs, found.fixed) == (288, 17)
    assert found.scaled == pytest.approx(0.3 + 2)
    assert found.latest == found.history == pytest.approx((1_000_000 + 864_000 * 365) * 200)
    assert found.rewritten == 0


def test_a_whole_bill_worked_by_hand(tmp_path: Path) -> None:
    made = estimate(volumes_of(tmp_path), prices_of(tmp_path))

    awake = 288 * (17 + 2.3 + 60)
    kept_tb = 2 * (1_000_000 + 864_000 * 365) * 200 / 1e12
    landed_gb = (1_000_000 + 864_000 * 365) * 200 / 1e9
    writes = 288 * MONTH_DAYS * 10
    hours = 730.0
    raw_gb = 0.864 * MONTH_DAYS
    assert usd_of(made) == pytest.approx(
        {
            "Snowflake: merges": awake / 3600 * 3.00 * MONTH_DAYS,
            "Snowflake: storage": kept_tb * 23,
            "AWS: landing": landed_gb * 0.023,
            "AWS: requests": writes / 1000 * (0.005 + 5 * 0.0004) + writes * 6 / 10_000 * 0.03,
            "AWS: workers": 3 * (0.04048 + 2 * 0.004445) * hours,
            "AWS: ledger": 0.1 * hours + 100 * 0.2,
            "AWS: Airflow": 0.5 * hours,
            "AWS: network": 0.05 * hours + raw_gb * 0.045,
            "AWS: logs": MONTH_DAYS * 0.50,
            "Snowflake: first load": (1_000_000 / 1500 + 1_000_000 * 200 / 2e6) / 3600 * 3.00,
        }
    )
    assert made.usd.likely == pytest.approx(sum(line.usd.likely for line in made.lines))
    assert "Snowflake: first load" not in [line.what for line in made.lines]


def test_marts_and_readers_and_brokers_are_billed_by_their_hours(tmp_path: Path) -> None:
    text = VOLUMES + (
        "jobs: {marts: {every: 15m, seconds: 60, size: SMALL, hours: 12}}\n"
        "readers: {hours: 10, size: MEDIUM, clusters: 2}\n"
        "brokers: {number: 3, kept_hours: 12}\nsent_between_zones: 0.5\nairflow: there already\n"
    )

    made = usd_of(
        estimate(
            volumes_of(tmp_path, text),
            prices_of(
                tmp_path, KNOWN.replace("usd:", "usd:\n  broker_hour: {figure: 0.4}\n  intake_gb: {figure: 0.01}")
            ),
        )
    )

    assert made["Snowflake: marts"] == pytest.approx(48 * 120 / 3600 * 2 * 3.00 * MONTH_DAYS)
    assert made["Snowflake: readers"] == pytest.approx(10 * 4 * 2 * 3.00 * MONTH_DAYS)
    assert made["AWS: Kafka"] == pytest.approx(3 * 730 * 0.4 + 0.864 / 2 * 3 * 0.10)
    assert made["AWS: network"] == pytest.approx(0.05 * 730 + 0.864 * MONTH_DAYS * (0.01 + 0.5 * 0.02))
    assert "AWS: Airflow" not in made


def test_the_edition_sets_the_price_of_a_credit(tmp_path: Path) -> None:
    merges = [
        usd_of(estimate(volumes_of(tmp_path, f"{VOLUMES}edition: {edition}\n"), prices_of(tmp_path)))[
            "Snowflake: merges"
        ]
        for edition in ("standard", "enterprise", "business-critical")
    ]

    assert [one / merges[0] for one in merges] == pytest.approx([1, 1.5, 2])


def test_what_is_known_has_no_range(tmp_path: Path) -> None:
    made = estimate(volumes_of(tmp_path, VOLUMES + "peak: 3\n"), prices_of(tmp_path))

    assert made.swings == ()
    assert made.usd.least == pytest.approx(made.usd.most)


def test_a_price_that_is_unsure_moves_its_own_line_and_the_sum(tmp_path: Path) -> None:
    prices = prices_of(
        tmp_path, KNOWN.replace("warehouse_tb_month: {figure: 23}", "warehouse_tb_month: {figure: [11.5, 23, 46]}")
    )

    made = estimate(volumes_of(tmp_path, VOLUMES + "peak: 3\n"), prices)

    (swing,) = made.swings
    storage = next(line for line in made.lines if line.what == "Snowflake: storage")
    assert swing.figure.name == "usd.warehouse_tb_month"
    assert (storage.usd.least, storage.usd.most) == pytest.approx((storage.usd.likely / 2, storage.usd.likely * 2))
    assert made.usd.most == pytest.approx(made.usd.likely + storage.usd.likely)
    assert swing.width == pytest.approx(1.5 * storage.usd.likely)


def test_what_hangs_on_two_figures_is_less_sure_than_on_either_and_surer_than_on_both_at_once(tmp_path: Path) -> None:
    unsure = KNOWN.replace("warehouse_tb_month: {figure: 23}", "warehouse_tb_month: {figure: [23, 23, 46]}")
    unsure = unsure.replace("compression: {figure: 5}", "compression: {figure: [2.5, 5, 5]}")

    made = estimate(volumes_of(tmp_path, VOLUMES + "peak: 3\n"), prices_of(tmp_path, unsure))

    storage = next(line for line in made.lines if line.what == "Snowflake: storage")
    assert 2 < storage.usd.most / storage.usd.likely < 4


@pytest.mark.parametrize(
    ("budget", "verdict"), [(400, Verdict.MET), (399, Verdict.LIKELY_MET), (199, Verdict.LIKELY_NOT), (99, Verdict.NOT)]
)
def test_a_budget_is_held_against_the_whole_range(tmp_path: Path, budget: float, verdict: Verdict) -> None:
    made = replace(estimate(volumes_of(tmp_path), shipped()), usd=Figure(100, 200, 400))

    assert made.verdict(budget) is verdict


def test_a_price_of_ones_own_takes_the_place_of_ours_and_no_other(tmp_path: Path) -> None:
    ours, theirs = shipped(), prices_of(tmp_path, "usd: {credit_enterprise: {figure: 2.4, source: our contract}}\n")

    assert theirs.usd["credit_enterprise"].figure.likely == 2.4
    assert theirs.usd["credit_enterprise"].per == ours.usd["credit_enterprise"].per
    assert theirs.usd["credit_enterprise"].source == "our contract"
    assert {key for key in ours.usd if ours.usd[key] != theirs.usd[key]} == {"credit_enterprise"}
    assert theirs.paces == ours.paces


def test_every_price_says_of_what_it_is_when_it_was_seen_and_where() -> None:
    for price in (*shipped().usd.values(), *shipped().paces.values()):
        assert price.per
        assert price.source
        assert price.as_of.isdigit()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("usd: {credit_enterprize: {figure: 3}}\n", "is not in the price table. Did you mean credit_enterprise?"),
        ("usd: {credit_enterprise: {figure: -1}}\n", "is -1; write a number, or [least, likely, most], none below 0."),
        ("usd: {credit_enterprise: {figure: [3, 2, 4]}}\n", "usd.credit_enterprise.figure does not rise"),
        ("paces: {compression: {figure: [0, 1, 2]}}\n", "begins at 0, at which nothing would ever end"),
        ("usd: {credit_enterprise: {figure: dear}}\n", 'is "dear"; write a number'),
    ],
)  # fmt: skip
def test_a_wrong_price_is_answered_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        prices_of(tmp_path, text)

    assert str(refused.value).startswith(f"{tmp_path}/prices.yaml:1: ")
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("freshness: 10m", "freshness: soon"), 'freshness is "soon"; write a whole number'),
        (("updated: 0", "updated: 2"), "streams.orders.updated is 2; a share is 0 to 1."),
        (("bytes_per_row: 1000", "bytes_per_row: 1000, bytes_per_day: 5"), "needs one of bytes_per_row"),
        (("budget_usd: 1000", "jobs: {m: {every: 1h, seconds: 5, size: HUGE}}"), "jobs.m.size is HUGE; allowed"),
        (("budget_usd: 1000", "readers: {hours: 25}"), "is more than a day has"),
        (("rows_per_day: 864000", "rows_per_day: [1, 2]"), "streams.orders.rows_per_day is a list"),
    ],
)  # fmt: skip
def test_a_wrong_volume_is_answered_with_the_right_one(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        volumes_of(tmp_path, VOLUMES.replace(*change))

    assert told in refused.value.message


def test_more_rows_of_a_known_day_are_smaller_ones(tmp_path: Path) -> None:
    text = VOLUMES.replace("bytes_per_row: 1000", "bytes_per_day: 864000000")

    (flow,) = volumes_of(tmp_path, text).flows

    assert flow.row_bytes(Pick()) == 1000


def test_nothing_is_merged_more_often_than_a_start_is_billed(tmp_path: Path) -> None:
    text = VOLUMES.replace("freshness: 10m, merge_every: 5m", "freshness: 5s")

    assert volumes_of(tmp_path, text).flows[0].merge_seconds == 60


def landed(batch: int, rows: int, *, adopted: bool = False) -> Landed:
    return Landed(f"batch{batch}", "erp.account", "erp", "wal", Tally(rows, 0, 0), adopted=adopted)


def test_a_ledger_tells_rows_a_day_and_a_contract_how_large_they_are(tmp_path: Path) -> None:
    contract = contract_of("erp.account", amount="bigint")
    path = tmp_path / "contracts" / "erp" / "account.yaml"
    path.parent.mkdir(parents=True)
    text = draft(contract.stream, Described("account", contract.columns, ("id",)))
    path.write_text(text + "slaProperties: [{property: latency, value: 20, unit: min}]\n", encoding="utf-8")
    clock = HandClock()
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", clock)
    for batch, rows in enumerate((100, 300, 200, 7)):
        ledger.append([landed(batch, rows)], given=[])
        clock.sleep(86_400)
    ledger.append([landed(9, 1_000_000, adopted=True)], given=[])

    found = recorded("shop", ledger, Contracts(tmp_path), now=clock.now())

    (flow,) = found.flows
    assert (flow.rows_per_day.least, flow.rows_per_day.likely, flow.rows_per_day.most) == (7, 150, 300)
    assert flow.rows_now.most == 607
    assert flow.bytes_per_row is not None
    assert flow.bytes_per_row.likely == 20 + 10  # a text, a bigint
    assert flow.merge_seconds == 600
    assert estimate(found, shipped()).usd.likely > 0
    ledger.close()


def test_a_ledger_in_which_nothing_landed_tells_nothing(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", HandClock())

    with pytest.raises(Misconfigured) as refused:
        recorded("shop", ledger, Contracts(tmp_path), now=datetime.now(UTC) + timedelta(days=1))

    assert "give --volumes FILE" in refused.value.hint
    ledger.close()
