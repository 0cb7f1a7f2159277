"""The merge algebra: what the rule promises holds on thousands of honest histories, and planted bugs are caught."""

from __future__ import annotations

import ast

import pytest

from tests.house.listing import PACKAGE, imports, package_of
from tieout.sim.world.algebra.bugs import BUGS, Bug, seeds_to_catch
from tieout.sim.world.algebra.running import AlgebraTotal, run_chance, run_seed, run_seeds
from tieout.sim.world.chance import Chance

SEEDS = 3_000
SEEDS_TO_CATCH_MAX = 5_000
SELDOM = {"loss_shown": 5, "never_read": 20, "sweep_killed": 50}
OFTEN = 100


@pytest.fixture(scope="module")
def total() -> AlgebraTotal:
    return run_seeds(0, SEEDS)


def test_no_history_is_told_wrong(total: AlgebraTotal) -> None:
    assert total.violations == {}
    assert total.seeds == SEEDS
    assert total.checks > 10 * SEEDS


@pytest.mark.parametrize(
    "what",
    [
        "ambiguous_tie",
        "doubled",
        "gap_closed",
        "gap_left_open",
        "hole_closed",
        "hole_left_open",
        "key_change",
        "late_image",
        "late_start",
        "loss_shown",
        "never_open",
        "never_read",
        "resurrection_attempt",
        "same_position_tie",
        "sweep_killed",
        "toast_image",
        "tried_again",
        "truncate",
        "truncate_killed",
        "undelete",
        "witness",
    ],
)
def test_what_the_proof_would_be_empty_without_comes_about(total: AlgebraTotal, what: str) -> None:
    assert total.sometimes.get(what, 0) >= SELDOM.get(what, OFTEN)


def test_a_seed_is_one_run() -> None:
    assert run_seeds(0, 200) == run_seeds(0, 200)


def test_the_choices_alone_make_the_run() -> None:
    chance = Chance(7)
    first = run_chance(7, chance)

    assert run_chance(7, Chance(0, replay=chance.taken)) == first


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_each_planted_bug_is_caught(bug: Bug) -> None:
    taken = seeds_to_catch(bug, lambda seed: run_seed(seed).violation, first=0, count=SEEDS_TO_CATCH_MAX)

    assert taken is not None, f"{bug.name} passed {SEEDS_TO_CATCH_MAX} seeds unseen: {bug.says}"


def test_a_bug_is_gone_when_it_was_caught() -> None:
    for bug in BUGS:
        before = run_seed(1)
        with bug.planted():
            pass

        assert run_seed(1) == before, bug.name


def test_the_oracle_knows_nothing_of_the_product() -> None:
    path = PACKAGE / "sim" / "world" / "algebra" / "oracle.py"
    imported = imports(ast.parse(path.read_text(encoding="utf-8")), package_of(path))

    assert {name.split(".")[0] for _, name in imported} == {"__future__", "dataclasses", "typing"}
