"""The whole system with faults at every step: the seeds of every day, and those that once failed."""

from __future__ import annotations

import pytest

from tieout.sim.world.campaign.seeds import kept_seeds, run_seed
from tieout.sim.world.campaign.watched import silently
from tieout.sim.world.result import Result

SEEDS = 12
IN_ONE_TEST = 4


def told(result: Result) -> str:
    repeat = f"tieout simulate --seed {result.seed} --until {result.steps}"
    return "\n".join([result.violation, *result.last, repeat])


@pytest.mark.parametrize("first", range(1, SEEDS + 1, IN_ONE_TEST))
def test_no_seed_breaks_an_invariant(first: int) -> None:
    with silently():
        results = [run_seed(seed) for seed in range(first, first + IN_ONE_TEST)]

    assert not "\n\n".join(told(one) for one in results if one.invariant)
    assert all(one.checks.keys() >= {"I1", "I2", "I3", "I4", "I5", "I8", "I9", "I11", "I14"} for one in results)


def test_no_seed_that_once_failed_fails_again() -> None:
    with silently():
        results = [run_seed(seed) for seed in kept_seeds()]

    assert not "\n\n".join(told(one) for one in results if one.invariant)


def test_a_seed_is_one_run() -> None:
    with silently():
        first, again = run_seed(7), run_seed(7)

    assert first == again
