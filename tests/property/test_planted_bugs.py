"""Planted bugs: each is caught by an invariant of the whole simulated system, and what is not planted is not found.

A proof that catches none of these would prove nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tieout.base.sql import Statements
from tieout.merge import duckdb
from tieout.sim.world.bugs.catalogue import BUGS, planted
from tieout.sim.world.bugs.caught import CAUGHT
from tieout.sim.world.bugs.planting import Bug, in_code, in_statement
from tieout.sim.world.run import run

RUNS_MAX = 4
"""From a bug's first seed on. One is enough until somebody changes what a seed means."""
BUGS_MIN = 60
SEEDS = sorted({seed for seed, _ in CAUGHT.values()})
QUICK = ("file_not_synced", "acknowledged_too_early", "lease_kept", "fence_begins_anew", "decimals_as_floats")
"""A sample that takes seconds. The others are in the campaign, and `.ci/run` plants them all."""
QUICK_SEEDS = {CAUGHT[name][0] for name in QUICK}


def of_the_campaign(value: Bug | int, is_quick: bool) -> ParameterSet:
    marks = [] if is_quick else [pytest.mark.campaign]
    return pytest.param(value, id=value.name if isinstance(value, Bug) else str(value), marks=marks)


def broken(seed: int, folder: Path) -> str:
    """The invariant that the run of a seed breaks; "" where all held."""
    place = folder / str(seed)
    place.mkdir()
    return run(seed, place).invariant


def test_there_are_many_ways_to_be_wrong() -> None:
    assert len(BUGS) >= BUGS_MIN


@pytest.mark.parametrize("bug", [of_the_campaign(bug, bug.name in QUICK) for bug in BUGS.values()])
def test_each_planted_bug_is_caught(bug: Bug, tmp_path: Path) -> None:
    first, _ = CAUGHT[bug.name]
    with planted(bug.name):
        found = next(filter(None, (broken(seed, tmp_path) for seed in range(first, first + RUNS_MAX))), "")

    assert found, f"{bug.name} passed {RUNS_MAX} seeds from {first} on unseen: {bug.says}"


@pytest.mark.parametrize("seed", [of_the_campaign(seed, seed in QUICK_SEEDS) for seed in SEEDS])
def test_the_same_seeds_run_clean_where_nothing_is_planted(seed: int, tmp_path: Path) -> None:
    assert broken(seed, tmp_path) == ""


@pytest.mark.parametrize("bug", BUGS.values(), ids=lambda bug: bug.name)
def test_a_bug_finds_its_place_and_leaves_nothing_behind(bug: Bug) -> None:
    before = _texts()
    with bug.planted():
        pass

    assert _texts() == before


def test_a_bug_whose_place_is_gone_is_no_bug_any_more() -> None:
    statement = in_statement(duckdb._SQL, "fence_of", ("no such words", ""))
    code = in_code(duckdb.DuckDBWarehouse.merge, "batch", "other")

    with pytest.raises(ValueError, match="in fence_of it stands 0 times"), statement():
        pass
    with pytest.raises(ValueError, match=r"in DuckDBWarehouse.merge it stands \d\d times"), code():
        pass


def _texts() -> dict[str, str]:
    statements: Statements = duckdb._SQL
    return dict(statements._bodies)
