"""What many seeds come to: sums, a bound that claims no more than was shown, and what came about too seldom."""

from __future__ import annotations

from dataclasses import replace

from tieout.base.step import Step
from tieout.sim.world.campaign.campaign import Campaign, Wish
from tieout.sim.world.campaign.planting import Caught
from tieout.sim.world.campaign.tally import (
    ALGEBRA_PER_1000,
    DEATHS_PER_1000,
    FAULTS_PER_1000,
    SOMETIMES_PER_1000,
    Tally,
    joined,
    never_hit,
    tally_of,
)
from tieout.sim.world.faults import Fault
from tieout.sim.world.result import Result

SOUND = Result(
    seed=1,
    choices=(),
    steps=100,
    virtual_seconds=12.5,
    crashes=3,
    faults={"kill": 2, "pause": 1},
    points={"disk.sync.after": 2},
    died_behind={"sealed": 3},
    checks={"I1": 10},
    sometimes={"adopted": 1},
    trace="a",
)
BROKEN = replace(SOUND, seed=2, faults={"kill": 1}, invariant="I1", violation="I1: lost", choices=(4, 5))
RICH = Tally(
    seeds=1000,
    faults=dict.fromkeys(FAULTS_PER_1000, 10000),
    died_behind=dict.fromkeys(DEATHS_PER_1000, 10000),
    checks={"I1": 10_000},
    sometimes=dict.fromkeys(SOMETIMES_PER_1000, 10_000),
)


def ended(tally: Tally, *bugs: Caught, empty: tuple[str, ...] = ()) -> Campaign:
    return Campaign(Wish(10), tally, 0, 0, bugs, empty, 1.0, 2, {})


def test_seeds_are_summed_by_kind() -> None:
    both = joined(tally_of(SOUND), tally_of(BROKEN))

    assert (both.seeds, both.steps, both.virtual_seconds, both.crashes) == (2, 200, 25.0, 6)
    assert both.faults == {"kill": 3, "pause": 1}
    assert both.points == {"disk.sync.after": 4}
    assert both.died_behind == {"sealed": 6}
    assert both.checks == {"I1": 20}


def test_a_violation_keeps_what_repeats_it() -> None:
    (one,) = joined(tally_of(SOUND), tally_of(BROKEN)).violations

    assert (one.seed, one.invariant, one.message, one.step, one.choices) == (2, "I1", "I1: lost", 100, (4, 5))


def test_the_bound_is_three_divided_by_the_seeds_and_nothing_once_one_is_broken() -> None:
    assert Tally(seeds=1500).bound == 0.002
    assert tally_of(BROKEN).bound is None
    assert Tally().bound is None


def test_each_kind_of_fault_and_each_step_has_to_be_met() -> None:
    without = {name: count for name, count in RICH.faults.items() if name != Fault.DRIFT}

    assert never_hit(RICH) == ()
    assert set(RICH.faults) == set(Fault)
    assert set(RICH.died_behind) == set(Step)
    assert never_hit(replace(RICH, faults=without)) == (f"fault drift: 0 of {FAULTS_PER_1000['drift']}",)
    assert never_hit(replace(RICH, died_behind=RICH.died_behind | {"sealed": 0})) == (
        f"death behind sealed: 0 of {DEATHS_PER_1000['sealed']}",
    )


def test_more_seeds_have_to_meet_more() -> None:
    enough = RICH.faults | {"drift": FAULTS_PER_1000["drift"]}

    assert never_hit(replace(RICH, faults=enough)) == ()
    assert never_hit(replace(RICH, seeds=2000, faults=enough)) == (
        f"fault drift: {FAULTS_PER_1000['drift']} of {2 * FAULTS_PER_1000['drift']}",
    )


def test_few_seeds_are_not_called_empty() -> None:
    assert never_hit(Tally(seeds=299)) == ()
    tables = (FAULTS_PER_1000, DEATHS_PER_1000, SOMETIMES_PER_1000)
    assert len(never_hit(Tally(seeds=300))) == sum(1 for table in tables for least in table.values() if least)


def test_seeds_of_the_merge_have_a_table_of_their_own() -> None:
    missed = never_hit(Tally(seeds=1000, checks={"algebra": 1}))

    assert len(missed) == len(ALGEBRA_PER_1000)
    assert all(one.startswith("sometimes ") for one in missed)


def test_the_exit_code_tells_a_violation_from_a_proof_that_is_empty() -> None:
    caught, missed = Caught("a", "", 4, "I1", 1), Caught("b", "", None, "", 40)

    assert ended(tally_of(SOUND), caught).exit_code == 0
    assert ended(tally_of(BROKEN), caught).exit_code == 1
    assert ended(tally_of(SOUND), caught, missed).exit_code == 3
    assert ended(tally_of(SOUND), empty=("fault drift: 0 of 1",)).exit_code == 3
