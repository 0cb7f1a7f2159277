"""What each kind of work may still take of the org's calls."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.salesforce import NOON
from tieout.capture.salesforce.budget import Budget, Work

MINUTE = timedelta(minutes=1)


def used(share: float, *, reserve: float = 0.2) -> Budget:
    budget = Budget(reserve=reserve)
    budget.told(f"per-app-api-usage=999/1000(appName=other); api-usage={round(share * 1000)}/1000", NOON)
    return budget


@pytest.mark.parametrize(
    ("share", "allowed"),
    [
        (0.0, set(Work)),
        (0.59, set(Work)),
        (0.60, {Work.LIVE, Work.REPAIR, Work.BACKFILL}),
        (0.70, {Work.LIVE, Work.REPAIR}),
        (0.76, {Work.LIVE}),
        (0.80, set()),
        (1.20, set()),
    ],
)
def test_lesser_work_stops_first_and_the_reserve_is_never_touched(share: float, allowed: set[Work]) -> None:
    assert {work for work in Work if used(share).allows(work, NOON)} == allowed


def test_all_is_allowed_until_something_is_told() -> None:
    budget = Budget()
    budget.told("", NOON)
    budget.told("nonsense", NOON)

    assert all(budget.allows(work, NOON) for work in Work)
    assert budget.calls is None


def test_calls_count_before_the_org_tells_of_them() -> None:
    budget = used(0.799)

    budget.spent(Work.LIVE, NOON)

    assert not budget.allows(Work.LIVE, NOON)


def test_old_news_lets_one_call_through_which_brings_new() -> None:
    budget = used(0.9)
    later = NOON + 15 * MINUTE

    assert not budget.allows(Work.LIVE, later - MINUTE)
    assert budget.allows(Work.LIVE, later)

    budget.told("api-usage=900/1000", later)
    assert not budget.allows(Work.LIVE, later)


def test_a_clock_that_was_set_back_does_not_make_a_stop_last() -> None:
    budget = used(0.9)
    budget.park(NOON)

    assert budget.allows(Work.LIVE, NOON - timedelta(days=1))


def test_a_refused_day_parks_all_work_longer_each_time_until_a_call_is_taken() -> None:
    budget = Budget()
    lengths = []
    for _ in range(4):
        budget.park(NOON)
        assert budget.parked_until is not None
        lengths.append((budget.parked_until - NOON) / MINUTE)

    assert lengths == [15, 30, 60, 60]
    assert not budget.allows(Work.LIVE, NOON + 59 * MINUTE)
    assert budget.allows(Work.LIVE, NOON + 60 * MINUTE)

    budget.answered()
    assert budget.allows(Work.LIVE, NOON)


def test_bulk_jobs_have_a_limit_of_their_own() -> None:
    budget = Budget()
    budget.told_limits(
        {
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 3_001},
            "DailyApiRequests": {"Max": 100_000, "Remaining": 90_000},
            "Surprise": 7,
        },
        NOON,
    )

    assert budget.allows_job(Work.BACKFILL, NOON)
    budget.job_spent()
    assert not budget.allows_job(Work.BACKFILL, NOON)
    assert budget.allows_job(Work.REPAIR, NOON)
    assert budget.allows(Work.BACKFILL, NOON)


def test_a_forecast_tells_when_the_limit_is_reached_and_how_much_of_the_pace_is_ours() -> None:
    budget = Budget()
    for minute in range(31):
        at = NOON + minute * MINUTE
        budget.spent(Work.LIVE, at)
        budget.told(f"api-usage={1_000 + 4 * minute}/2_000".replace("_", ""), at)

    forecast = budget.forecast(NOON + 30 * MINUTE)

    assert forecast is not None
    assert round(forecast.pace) == 240
    assert forecast.ours == pytest.approx(60, abs=4)
    assert forecast.exhausted is not None
    assert forecast.exhausted - (NOON + 30 * MINUTE) == pytest.approx(timedelta(hours=880 / 240), abs=MINUTE)


def test_nothing_is_foretold_of_a_moment_or_of_a_use_that_falls() -> None:
    budget = used(0.5)

    assert budget.forecast(NOON) is None

    budget.told("api-usage=400/1000", NOON + 10 * MINUTE)
    forecast = budget.forecast(NOON + 10 * MINUTE)
    assert forecast is not None
    assert forecast.exhausted is None


def test_what_was_spent_is_told_by_its_work_and_forgotten_after_a_day() -> None:
    budget = used(0.1)
    for work in (Work.LIVE, Work.LIVE, Work.BACKFILL):
        budget.spent(work, NOON)

    told = budget.to_json(NOON)
    assert told["spent"] == {"live": 2, "repair": 0, "backfill": 1, "activities": 0}
    assert told["calls"]["used"] == 103
    assert told["ceilings"] == {"live": 0.8, "repair": 0.76, "backfill": 0.7, "activities": 0.6}

    budget.spent(Work.LIVE, NOON + timedelta(days=1, minutes=1))
    assert budget.to_json(NOON + timedelta(days=1, minutes=1))["spent"]["live"] == 1
