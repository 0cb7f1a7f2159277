"""An estimate of any volumes at all: it comes to something, its range holds the likely sum, and more costs no less."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from hypothesis import given
from hypothesis import strategies as st

from tieout.run.costing.estimate import Verdict, estimate
from tieout.run.costing.figure import Figure
from tieout.run.costing.prices import shipped
from tieout.run.costing.volumes import Flow, Job, Volumes

PRICES = shipped()


def figures(name: str, most: float) -> st.SearchStrategy[Figure]:
    numbers = st.lists(st.floats(0, most, allow_nan=False, allow_infinity=False), min_size=3, max_size=3)
    return numbers.map(lambda three: Figure(*sorted(three), name))


@st.composite
def flows(draw: st.DrawFn, name: str = "s") -> Flow:
    return Flow(
        name=name,
        tables=draw(st.integers(1, 500)),
        rows_per_day=draw(figures("rows", 1e10)),
        bytes_per_row=draw(figures("bytes", 1e4)),
        bytes_per_day=None,
        rows_now=draw(figures("now", 1e11)),
        updated=draw(figures("updated", 1)),
        hot=draw(figures("hot", 1)),
        merge_seconds=draw(st.integers(60, 86_400)),
        landed_days=draw(st.integers(1, 36_500)),
        kept_days=draw(st.integers(1, 36_500)),
        history=draw(st.booleans()),
    )


@st.composite
def volumes(draw: st.DrawFn) -> Volumes:
    jobs = st.builds(
        Job,
        st.just("marts"),
        st.integers(1, 2_592_000),
        figures("seconds", 1e5),
        st.sampled_from(["XSMALL", "LARGE"]),
        figures("hours", 24),
    )
    return Volumes(
        "any",
        None,
        draw(st.sampled_from(["standard", "enterprise", "business-critical"])),
        draw(st.integers(1, 120)),
        tuple(draw(st.lists(flows(), min_size=1, max_size=3))),
        tuple(draw(st.lists(jobs, max_size=2))),
        airflow_is_ours=draw(st.booleans()),
    )


@given(volumes())
def test_the_range_holds_what_is_likely_and_the_lines_make_the_sum(asked: Volumes) -> None:
    made = estimate(asked, PRICES)

    for figure in (made.usd, *(line.usd for line in made.lines)):
        assert 0 <= figure.least <= figure.likely <= figure.most
        assert isfinite(figure.most)
    total = sum(line.usd.likely for line in made.lines)
    assert abs(made.usd.likely - total) <= 1e-6 * max(1.0, total)
    assert all(line.usd.likely >= 0 for line in made.lines)


@given(volumes())
def test_a_warehouse_never_costs_more_than_one_that_never_sleeps(asked: Volumes) -> None:
    merges = next(line for line in estimate(asked, PRICES).lines if line.what == "Snowflake: merges")

    assert merges.quantity <= 24 * 128 * 365 / 12 * (1 + 1e-9)


@given(volumes(), st.floats(1, 1e9))
def test_a_greater_budget_is_held_no_worse(asked: Volumes, budget: float) -> None:
    made, order = estimate(asked, PRICES), list(Verdict)

    assert order.index(made.verdict(budget * 2)) <= order.index(made.verdict(budget))


@given(volumes())
def test_longer_in_time_travel_costs_no_less(asked: Volumes) -> None:
    longer = replace(asked, time_travel_days=asked.time_travel_days + 6, fail_safe_days=7)

    assert estimate(longer, PRICES).usd.likely >= estimate(asked, PRICES).usd.likely
